"""Damaged and hostile files of every format: a result, or one sentence with the file, also while it is read."""

import pickle
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from gaps import gappy

from posetrack.errors import InputError, PosetrackError, SourceError, UsageError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.features.kinematics.signals import resample
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


def far(folder, seconds):
    """Write a table with one frame far behind the others."""
    rows = [(index, index / 10) for index in range(20)] + [(4_000_000_000, seconds)]
    lines = ["frame,time_s,track_id,keypoint,x,y,score,state"]
    lines += [f"{index},{time},1,{name},9,9,1,measured" for index, time in rows for name in COCO.keypoints]
    path = folder / "a.long.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("suffix", [".c3d", ".trc", ".sleap.h5"])
def test_a_frame_far_behind_the_others_fills_no_memory(suffix, tmp_path):
    pytest.importorskip("ezc3d", reason="needs ezc3d")
    with pytest.raises(SourceError, match="people in 21 of 4000000001 frames"):
        write_recording(tmp_path / f"out{suffix}", read_recording(far(tmp_path, 4e8)))


def test_a_time_far_behind_the_others_fills_no_memory(tmp_path):
    with pytest.raises(InputError, match="Correct the times"):
        resample(np.array([0.0, 0.1, 4e8]), np.ones(3))
    with pytest.raises(SourceError, match="has the time 1e\\+308 s"):
        list(read_recording(far(tmp_path, 1e308)))


@pytest.mark.parametrize("rate", ["nan", "inf", "-1", "1e308"])
def test_an_impossible_rate_is_unknown(rate, tmp_path):
    path, *_ = write_recording(tmp_path / "a.trc", gappy())
    lines = path.read_text().split("\n")
    lines[2] = "\t".join([rate, *lines[2].split("\t")[1:]])
    path.write_text("\n".join(lines))
    assert read_recording(path).fps is None
    with pytest.raises(UsageError, match="Give frames per second"):
        read_recording(path, fps=float(rate))


def elsewhere(way, group, name, folder):
    """Replace an array of an HDF5 file by a reference to another file."""
    import h5py

    shape, dtype = group[name].shape, group[name].dtype
    other = folder / "other.h5"
    with h5py.File(other, "w") as file:
        file[name] = group[name][:]
    del group[name]
    if way == "link":
        group[name] = h5py.ExternalLink(str(other), f"/{name}")
    elif way == "view":
        layout = h5py.VirtualLayout(shape, dtype)
        layout[...] = h5py.VirtualSource(str(other), name, shape)
        group.create_virtual_dataset(name, layout)
    else:  # any file of the machine, read as numbers
        group.create_dataset(name, shape, dtype, external=[(str(other), 0, h5py.h5f.UNLIMITED)])


@pytest.mark.parametrize(("name", "array"), [("sleap", "tracks"), ("dlc-h5", "df_with_missing/table")])
@pytest.mark.parametrize("way", ["link", "view", "bytes"])
def test_an_hdf5_file_shows_no_other_file(name, array, way, tmp_path):
    need(name)
    import h5py

    (file, *_) = write_recording(tmp_path / f"a{FORMATS[name].suffix}", gappy())
    group, _, member = array.rpartition("/")
    with h5py.File(file, "a") as content:
        elsewhere(way, content[group or "/"], member, tmp_path)
    assert f"'{member}'" in refused(file)


def test_an_array_that_must_be_unpacked_as_a_whole_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    (file, *_) = write_recording(tmp_path / "a.sleap.h5", gappy())
    with h5py.File(file, "a") as content:
        shape = (*content["tracks"].shape[:3], 1_000_000)
        del content["tracks"]
        content.create_dataset("tracks", shape, "f8", chunks=shape, compression="gzip")
    assert "packed" in refused(file)


def test_a_column_that_unpacks_to_more_than_numbers_is_refused(tmp_path):
    pa, pq = pytest.importorskip("pyarrow", reason="needs pyarrow"), pytest.importorskip("pyarrow.parquet")
    (file, *_) = write_recording(tmp_path / "a.parquet", gappy())
    table = pq.read_table(file)
    place = table.column_names.index("state")
    table = table.set_column(place, "state", pa.array(["m" * 5_000_000, *["measured"] * (len(table) - 1)]))
    pq.write_table(table, file, compression="zstd")
    assert file.stat().st_size < 100_000
    assert "the column state" in refused(file)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_endless_devices_are_refused(tmp_path):
    for name in ("a.csv", "a.txt", "a.json", "a_000000000001_keypoints.json"):
        (tmp_path / name).symlink_to("/dev/zero")
    assert all("device" in refused(tmp_path / name) for name in ("a.csv", "a.txt", "a.json"))
    assert "contains no" in refused(tmp_path)
