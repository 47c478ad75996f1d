"""Random input, the same in every run: a change is judged by itself, not by the draw.

`python tasks.py fuzz --minutes N` draws new seeds and runs many cases; POSETRACK_FUZZ_SEED repeats one of its runs,
POSETRACK_FUZZ_CASES sets the number of cases of each test. An input that fails is kept below tests/data/fuzz/, where
`test_inputs_that_once_failed` reads it from then on.
"""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from gaps import gappy
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from posetrack.errors import PosetrackError
from posetrack.models.foreign.graph import read as read_graph
from posetrack.models.foreign.recognise import recognise
from posetrack.models.weights.checkpoint import read_state
from posetrack.tracker.config.recipe import read_recipe
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.formats.files import read_recording, write_recording
from posetrack.tracker.formats.registry import FORMATS
from posetrack.tracker.partial import PartialFile
from posetrack.tracker.perception.file_detector import FileDetector
from posetrack.tracker.types import Frame
from posetrack.tracker.video.address import redact
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.write.video import VideoWriter
from posetrack.tracker.video.writer import open_writer
from tests import foreign_networks as networks

SEED = int(os.environ.get("POSETRACK_FUZZ_SEED", "0"))
CASES = int(os.environ.get("POSETRACK_FUZZ_CASES", "8"))
KEPT = Path(__file__).parent / "data" / "fuzz"
READ = [name for name, format in FORMATS.items() if format.read]
NEEDS = {"parquet": ("pyarrow",), "sleap": ("h5py",), "dlc-h5": ("h5py", "pandas", "tables")}
WEIGHTS = ("weights.pth", "weights.pkl", "weights.safetensors")  # the .pkl in the form of torch before 1.6
KINDS = ("sidecar", "recipe", "boxes.txt", "boxes.json", "a.mp4", "a.mkv", "a.png", "a.jpg", "a.onnx", *WEIGHTS)
IMAGE = np.zeros((48, 64, 3), np.uint8)

generated = settings(max_examples=10 * CASES, deadline=None, database=None, print_blob=True)


def mutated(data, rng):
    """Return bytes with some of them flipped, removed, repeated or replaced by numbers that parsers stumble over."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 2, 10))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 100, 2000))
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at : at + size]
        elif kind == 2:
            data[at:at] = data[at : at + size]
        elif kind == 3:
            data[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
        else:
            data[at:at] = rng.choice((b"nan", b"1e308", b"-1", b"4000000000", b"9" * 500, b"[" * 500, b'"', b"\0"))
    return bytes(data)


def written(folder, kind):
    """Write a small valid file of a kind, and return it."""
    for module in NEEDS.get(kind, ()):
        pytest.importorskip(module, reason=f"needs {module}")
    if kind in FORMATS:
        (path, *_) = write_recording(folder / f"a{FORMATS[kind].suffix}", gappy())
        return sorted(path.iterdir())[0] if path.is_dir() else path
    if kind == "sidecar":
        write_recording(folder / "a.csv", gappy())
        sidecar = folder / "a.csv.json"
        sidecar.write_text(
            '{"complete": true, "size": {"width": 640, "height": 480}, "fps": 10, "frames": {"read": 20, "last": 19}, '
            '"skeleton": {"name": "coco", "keypoints": ["nose"]}, "limbs": [["nose", "nose"]], "config": {"start": 0}}'
        )
        return sidecar
    path = folder / ("recipe.toml" if kind == "recipe" else kind)
    if kind.startswith("weights"):
        state = {"a.weight": torch.ones(3, 4), "a.bias": torch.ones(3)}
        if kind.endswith("safetensors"):
            save_file(state, path, {"format": "pt"})
        else:
            torch.save({"state_dict": state, "epoch": 3}, path, _use_new_zipfile_serialization=not kind.endswith("pkl"))
        return path
    if kind in ("recipe", "boxes.txt", "boxes.json"):
        texts = {
            "recipe": 'conf = 0.3\nmodel = "bundled"\n[repetitions.curl]\nangle = "left_elbow"\nlow = 4\nhigh = 9\n',
            "boxes.txt": "1,-1,10,20,30,40,0.9\n2,-1,1,2,3,4,-1\n",
            "boxes.json": '[{"image_id": 0, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.9}]',
        }
        path.write_text(texts[kind])
    elif kind == "a.onnx":
        pytest.importorskip("onnx", reason="needs onnx")
        networks.write_simcc(path, 26, (64, 48))
    else:
        with open_writer(path, size=(64, 48)) as writer:
            for index in range(5 if isinstance(writer, VideoWriter) else 1):
                writer.write(IMAGE, index / 10)
    return path


def refusal(path, kind):
    """Read a whole file of a kind; return why it is refused, or an empty text."""
    try:
        read(path, kind)
    except PosetrackError as error:
        return str(error)
    return ""


def read(path, kind):
    """Read a whole file of a kind."""
    if kind in FORMATS:
        for _ in read_recording(path.parent if kind == "openpose" else path, scale=100.0):
            pass
    elif kind == "sidecar":
        for _ in read_recording(path.with_suffix("")):
            pass
    elif kind.startswith("weights"):
        assert all(isinstance(value, torch.Tensor) for value in read_state(path).values())
    elif kind == "recipe":
        RunConfig.of(**read_recipe(str(path)))
    elif kind.startswith("boxes"):
        boxes = FileDetector(path)(Frame(IMAGE, 0, 0.0)).boxes
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    elif kind == "a.onnx":
        recognise(read_graph(path), lambda shape: [(1, 26, 96), (1, 26, 128)], label="it")
    else:
        with open_source(path) as frames:
            for frame in frames:
                assert frame.image.ndim == 3


@pytest.mark.parametrize("kind", [*READ, *KINDS])
def test_mutated_files_are_read_or_refused(kind, tmp_path):
    path = written(tmp_path, kind)
    whole = path.read_bytes()
    for case in range(CASES):
        path.write_bytes(mutated(whole, random.Random(f"{SEED} {kind} {case}")))
        try:
            assert "\n" not in refusal(path, kind)
        except Exception:
            kept = KEPT / kind / f"{SEED}-{case}" / path.name
            kept.parent.mkdir(parents=True)
            shutil.copy(path, kept)
            pytest.fail(f"POSETRACK_FUZZ_SEED={SEED}, case {case} of {kind}; the input is kept as {kept}.")


@pytest.mark.parametrize("path", sorted(KEPT.glob("*/*/*")), ids=lambda path: "/".join(path.parts[-3:-1]))
def test_inputs_that_once_failed(path, tmp_path):
    shutil.copytree(path.parent, tmp_path, dirs_exist_ok=True)
    assert "\n" not in refusal(tmp_path / path.name, path.parts[-3])


numbers = st.one_of(st.floats(), st.integers(), st.sampled_from([1e308, -1e308, 1e6, 0]))


@seed(SEED)
@generated
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers), max_size=20))
def test_boxes_of_a_file_are_finite_and_have_an_area(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "boxes.txt"
    path.write_text("".join(f"1,-1,{','.join(map(str, row))}\n" for row in rows))
    found = FileDetector(path)(Frame(IMAGE, 0, 0.0))
    assert np.isfinite(found.boxes).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    valid = [row for row in rows if 1 < row[2] < 1e5 and 1 < row[3] < 1e5 and abs(row[0]) < 1e4 and abs(row[1]) < 1e4]
    assert len(found) >= sum(0 <= row[4] <= 1 for row in valid)


words = st.text(st.characters(codec="ascii", exclude_characters="\n\r\t |'\"", categories=["L", "N", "P", "S"]))


@seed(SEED)
@generated
@given(words, words, words)
def test_no_part_of_an_address_shows_a_secret(before, between, after):
    secret = "hunter2"
    for address in (
        f"rtsp://{before}:{secret}{between}@cam:554/live{after.replace('@', '')}",
        f"http://cam/{before}?{between}={secret}{after}",
        f"http://cam/{before}{secret}{between}/live?{after}",
        f"http://cam/live#{before}{secret}{after}",
    ):
        assert secret not in redact(address)


@seed(SEED)
@generated
@given(st.lists(st.one_of(st.binary(), st.none()), max_size=20))
def test_a_file_holds_the_blocks_since_it_was_cleared(tmp_path_factory, blocks):
    path = tmp_path_factory.getbasetemp() / "blocks"
    expected = b""
    with PartialFile(path, overwrite=True) as file:
        for block in blocks:
            if block is None:
                file.clear()
            else:
                file.write(block)
            expected = b"" if block is None else expected + block
    assert path.read_bytes() == expected
