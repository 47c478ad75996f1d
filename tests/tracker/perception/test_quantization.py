import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from posetrack.errors import ModelError, SourceError
from posetrack.models.geometry import heatmap
from posetrack.models.weights.card import PoseCard
from posetrack.tracker.perception import quantization
from posetrack.tracker.perception.quantization import Agreement, Speed, check, compare, ms_per_crop, people_crops
from posetrack.tracker.types import Detections
from posetrack.tracker.video import evenly_spaced
from posetrack.tracker.video.evenly_spaced import evenly_spaced_frames

ASSETS = Path(importlib.util.find_spec("ultralytics").origin).parent / "assets"
CARD = PoseCard(input_size=(192, 144), processing="udp")
PLACES = np.random.default_rng(0).uniform([6, 6], [29, 41], (40, 17, 2))
CROPS = np.zeros((40, 3, 192, 144), np.float32)
CROPS[:, 0, 0, 0] = np.arange(40)  # which one it is


def network(places, height=0.9):
    """Answer the maps (B, 17, 48, 36) of the crops' places."""
    maps = heatmap.encode(places, size=(48, 36), sigma=2.0) * np.float32(height)
    return lambda crops: maps[crops[:, 0, 0, 0].astype(int)]


def test_a_network_agrees_with_itself():
    agreement = compare(network(PLACES), network(PLACES), CROPS, CARD)
    assert agreement == Agreement(oks=1.0, shift=0.0, keypoints=40 * 17, people=40)
    check(agreement)


def test_a_shift_is_in_percent_of_the_box():
    agreement = compare(network(PLACES), network(PLACES + np.array([1.0, 0.0])), CROPS, CARD)
    assert agreement.shift == pytest.approx(100 / (48 / 1.25), rel=0.01)
    assert 0.8 < agreement.oks < 0.97
    with pytest.raises(
        ModelError, match=r"too far: the OKS with fp32 is 0\.\d+ on 40 held-out crops, at least 0.98 is"
    ):
        check(agreement)


def test_a_lost_keypoint_is_a_wrong_one():
    lost = PLACES.copy()
    lost[:, :2] = -100  # nothing is drawn
    agreement = compare(network(PLACES), network(lost), CROPS, CARD)
    assert agreement.oks == pytest.approx(15 / 17)


def test_keypoints_that_were_not_certain_do_not_count():
    agreement = compare(network(PLACES, height=0.1), network(PLACES), CROPS, CARD)
    assert (agreement.keypoints, agreement.people) == (0, 0)
    with pytest.raises(ModelError, match="the held-out crops have only 0 confident keypoints, at least 50 are needed"):
        check(agreement)


def test_networks_are_timed_in_turns(monkeypatch):
    turns, clock = [], [0.0]
    monkeypatch.setattr(quantization, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def takes(name, seconds):
        def network(crops):
            turns.append(name)
            clock[0] += seconds

        return network

    fast, slow = ms_per_crop([takes("fast", 0.001), takes("slow", 0.02)], CROPS[:5])
    assert turns == ["fast", "slow"] * (quantization.TURNS + 1)
    assert (fast, slow) == pytest.approx((0.2, 4.0))  # ms a crop: five crops share each call


def test_eight_bits_have_to_be_faster():
    assert Speed(int8=4.0, exact=5.0, precision="bf16").is_worthwhile
    assert not Speed(int8=4.9, exact=5.0, precision="bf16").is_worthwhile


def test_crops_come_from_all_images_of_a_folder(monkeypatch):
    seen = []

    def detector(frame):
        seen.append(frame.image.shape)
        return Detections(np.array([[10, 10, 110, 310.0], [50, 20, 150, 320.0]]), np.ones(2))

    crops = people_crops(evenly_spaced_frames(ASSETS), detector, CARD)
    assert len(seen) == len(set(seen)) == len(list(ASSETS.glob("*.jpg")))
    assert crops.shape == (2 * len(seen), 3, 192, 144)
    monkeypatch.setattr(quantization, "MOST_CROPS", 3)
    assert len(people_crops(evenly_spaced_frames(ASSETS), detector, CARD)) == 3


def test_images_are_spread_over_a_video(walking_clip, monkeypatch):
    monkeypatch.setattr(evenly_spaced, "NUM_FRAMES", 5)
    indices = []
    crops = people_crops(
        evenly_spaced_frames(walking_clip), lambda frame: indices.append(frame.index) or Detections.empty(), CARD
    )
    assert indices == [0, 2, 4, 6, 8]
    assert len(crops) == 0


def test_no_images(tmp_path):
    with pytest.raises(SourceError, match="contains no video or image"):
        people_crops(evenly_spaced_frames(tmp_path), lambda frame: Detections.empty(), CARD)
