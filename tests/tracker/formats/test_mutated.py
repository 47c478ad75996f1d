"""Damaged and hostile files of every format: a result, or one sentence with the file, also while it is read."""

import pickle
import random
import struct

import numpy as np
import pytest
from gaps import gappy

from posetrack.errors import PosetrackError, SourceError
from posetrack.tracker.formats.files import read_recording, write_recording
from posetrack.tracker.formats.plain_pickle import load_plain
from posetrack.tracker.formats.registry import FORMATS

READ = [name for name, format in FORMATS.items() if format.read]
NEEDS = {"parquet": ("pyarrow",), "sleap": ("h5py",), "dlc-h5": ("h5py", "pandas", "tables")}
SEEDS = 25


def need(name):
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module, reason=f"needs {module}")


def refused(file, **words):
    """Read a file to its end; return the sentence if it is refused."""
    try:
        for _ in read_recording(file, scale=100.0, **words):
            pass
    except PosetrackError as error:
        message = str(error)
    else:
        return ""
    assert file.name in message
    assert "\n" not in message
    assert len(message) < 3 * len(str(file)) + 600
    return message


def mutated(data, rng):
    """Flip, cut, double or fill some bytes."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 3, 20))):
        at, size = rng.randrange(len(data)), rng.choice((1, 2, 8, 100))
        kind = rng.randrange(5)
        if kind == 0:
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + size]
        elif kind == 2:
            data[at:at] = data[at : at + size]
        elif kind == 3:
            data[at : at + size] = b"\xff" * size
        else:
            data[at:at] = rng.choice((b"1" * 200_000, b"[" * 5000, b"-1", b"nan", b"1e999", b"\x00", b'"', b",,,"))
    return bytes(data)


@pytest.mark.parametrize("name", READ)
def test_mutated_files_end_in_a_sentence(name, tmp_path):
    need(name)
    (file, *_) = write_recording(tmp_path / f"a{FORMATS[name].suffix}", gappy())
    if file.is_dir():
        file = sorted(file.iterdir())[5]
    whole = file.read_bytes()
    for seed in range(SEEDS):
        rng = random.Random(seed)
        file.write_bytes(mutated(whole, rng))
        refused(file.parent if name == "openpose" else file)


DEEP = "[" * 100_000
LONG = "1" * 140_000


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", DEEP),
        ("a.json", '{"images": ' + DEEP),
        ("a.json", f'[{{"image_id": {LONG}, "track_id": 1, "keypoints": []}}]'),
        ("a.json", '[{"image_id": 1e400, "track_id": 1, "keypoints": [1, 2, 1]}]'),
        ("a.json", f'[{{"image_id": {LONG[:4000]}, "track_id": 1, "keypoints": [1, 2, 1]}}]'),
        ("a.json", '[{"image_id": 0, "track_id": 1, "keypoints": [1e308, 2, 1]}]'),
        ("a.json", '[{"image_id": 0, "track_id": 1, "keypoints": [1, 2, 1], "bbox": [1e308, 0, 1e308, 1]}]'),
        ("a.txt", f"{LONG},1,1,1,1,1,1\n"),
        ("a.txt", "1e300,1,1,1,1,1,1\n"),
        ("a.txt", f'1,1,"{LONG}'),
        ("a.csv", f'"{LONG}'),
        ("a.csv", "frame,\udcff\n"),
        ("a.csv", "scorer,a,a,a\nbodyparts,b,b,b\ncoords,x,y,likelihood\n" + f"0,{LONG},1,1\n"),
        ("a.trc", "x\nDataRate\tUnits\n1\tpx\nFrame#\tTime\tnose\t\t\n\n" + f"{LONG}\t0\t1\t1\t1\n"),
        ("b/x_000_keypoints.json", DEEP),
        ("b/x_000_keypoints.json", f'{{"people": [{{"person_id": [{LONG}], "pose_keypoints_2d": []}}]}}'),
    ],
)
def test_deep_long_and_foreign_text_is_refused_with_the_place(name, text, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert refused(tmp_path / name.partition("/")[0])


def test_hdf5_that_breaks_while_it_is_read(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    (file,) = write_recording(tmp_path / "a.sleap.h5", gappy())
    with h5py.File(file) as hdf:
        place = hdf["tracks"].id.get_chunk_info(0)
    with file.open("r+b") as raw:
        raw.seek(place.byte_offset)
        raw.write(b"\xff" * place.size)
    assert "in its first frame" in refused(file)


def test_parquet_that_breaks_while_it_is_read(tmp_path):
    pytest.importorskip("pyarrow", reason="needs pyarrow")
    (file,) = write_recording(tmp_path / "a.parquet", gappy())
    data = bytearray(file.read_bytes())
    data[200:2000] = b"\xff" * 1800
    file.write_bytes(data)
    assert refused(file)


@pytest.mark.parametrize("shape", [(10**9, 2, 17, 3), (2, 2, 10**9, 3), (2, 2, 17, 10**12)])
def test_shapes_that_a_file_states_are_bounded(shape, tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    people, _, nodes, _ = shape
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("tracks", shape, "f4", chunks=(1, 1, 1, 1))
        file.create_dataset("track_names", (people,), "S8", chunks=(1,))
        file.create_dataset("node_names", (nodes,), "S8", chunks=(1,))
    assert "have the shape" in refused(tmp_path / "a.h5")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04N" + b"r" + struct.pack("<I", 2**31 - 1) + b".",  # the place of a value in the memory
        b"cbuiltins\nbytearray\n(I10000000000\ntR.",
        pickle.dumps(np.zeros(3), protocol=2).replace(b"K\x03", b"J\xff\xff\xff\x7f"),
    ],
    ids=["memory", "bytearray", "shape"],
)
def test_pickles_get_no_more_memory_than_they_have_bytes(data):
    with pytest.raises(pickle.UnpicklingError):
        load_plain(data)


@pytest.mark.parametrize(
    "facts", [DEEP, '{"size": {"width": 1e999, "height": 1}, "fps": -1, "frames": {"read": 1}}', "[]"]
)
def test_a_sidecar_of_another_kind_is_none(facts, tmp_path):
    (file,) = write_recording(tmp_path / "a.csv", gappy())
    (tmp_path / "a.csv.json").write_text(facts)
    assert read_recording(file).size is None


def test_too_many_rows_of_a_frame_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("posetrack.tracker.formats.csv_rows.MAX_ROWS", 1)
    (file,) = write_recording(tmp_path / "a.csv", gappy())
    with pytest.raises(SourceError, match="has 1 rows of frame 10 by line"):
        list(read_recording(file))


def test_a_consumers_own_error_is_not_the_files(tmp_path):
    (file,) = write_recording(tmp_path / "a.csv", gappy())
    with pytest.raises(ZeroDivisionError):
        [1 / len([]) for _ in read_recording(file)]
