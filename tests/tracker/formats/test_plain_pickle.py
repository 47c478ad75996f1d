"""Pickles are read without running what they ask for."""

import os
import pickle

import numpy as np
import pytest

from posetrack.errors import SourceError
from posetrack.tracker.formats.files import read_recording, write_recording
from posetrack.tracker.formats.plain_pickle import dump_plain, load_plain

ARRAYS = {"a": np.arange(6, dtype=np.float16).reshape(1, 2, 3), "b": [np.array([True]), (1, "two", 3.5, None)]}


class Evil:
    def __reduce__(self):
        return os.system, ("touch owned",)


class Sly:
    """Asks for a harmless name by a path that leads elsewhere."""

    def __reduce__(self):
        return pickle.loads, (b"cos\nsystem\n(S'touch owned'\ntR.",)


def same(value):
    np.testing.assert_array_equal(value["a"], ARRAYS["a"])
    assert value["a"].dtype == np.float16
    assert value["b"][1] == ARRAYS["b"][1]


@pytest.mark.parametrize("protocol", range(2, 6))
def test_arrays_of_any_protocol_are_read(protocol):
    same(load_plain(pickle.dumps(ARRAYS, protocol=protocol)))


def test_arrays_come_back_writable_and_with_names_that_every_numpy_has(tmp_path):
    dump_plain(ARRAYS, tmp_path / "a.pkl")
    data = (tmp_path / "a.pkl").read_bytes()
    assert b"_core" not in data
    same(load_plain(data))
    value = pickle.loads(data)  # as MMAction2 does
    same(value)
    value["a"] += 1


@pytest.mark.parametrize("value", [Evil(), Sly(), [{"keypoint": Evil()}], np.array([Evil()], dtype=object), os.system])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_code_is_refused(value, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(value, protocol=protocol)
    with pytest.raises(pickle.UnpicklingError, match="asks for"):
        load_plain(data)
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(SourceError, match="not a pickle of skeletons: it asks for"):
        read_recording(tmp_path / "a.pkl")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("kind", ["O", "V8", [("a", "O")]])
def test_arrays_of_anything_but_numbers_are_refused(kind, tmp_path):
    data = pickle.dumps(np.zeros(2, dtype=kind))
    with pytest.raises(pickle.UnpicklingError):
        load_plain(data)
    with pytest.raises(TypeError, match="is not numeric"):
        dump_plain(np.zeros(2, dtype=kind), tmp_path / "a.pkl")


def test_damage_is_reported():
    data = pickle.dumps(ARRAYS)
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(pickle.UnpicklingError):
            load_plain(data[:end])


def test_the_pickle_is_that_of_mmaction2(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.pkl", recording, label=3, rate=30.0)
    document = pickle.loads(file.read_bytes())
    names = [annotation["frame_dir"] for annotation in document["annotations"]]
    assert document["split"] == {"all": names}
    assert names == ["pair_person1_0", "pair_person2_0"]
    for annotation in document["annotations"]:
        frames = annotation["total_frames"]
        assert annotation["keypoint"].shape == (1, frames, 17, 2)
        assert annotation["keypoint_score"].shape == (1, frames, 17)
        assert annotation["label"] == 3
        assert annotation["img_shape"] == annotation["original_shape"] == (480, 640)
        assert np.isfinite(annotation["keypoint"]).all()
        assert 116 <= frames <= 120


def test_a_pickle_of_others_is_read(tmp_path):
    keypoint, score = np.ones((2, 3, 17, 2), np.float16), np.ones((2, 3, 17), np.float16)
    annotation = {"frame_dir": "a", "label": 0, "img_shape": (48, 64), "keypoint": keypoint, "keypoint_score": score}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([annotation]))
    frames = list(read_recording(tmp_path / "a.pkl", fps=10))
    assert [(index, time, tracks.ids.tolist()) for index, time, tracks in frames] == [
        (0, 0.0, [1, 2]),
        (1, 0.1, [1, 2]),
        (2, 0.2, [1, 2]),
    ]
    (tmp_path / "b.pkl").write_bytes(pickle.dumps([annotation, annotation]))
    with pytest.raises(SourceError, match="it contains 2 videos"):
        read_recording(tmp_path / "b.pkl")
