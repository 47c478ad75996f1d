"""What whole runs measure; how fast anything is, is not tested."""

import json

import numpy as np
import pytest

from posetrack import Detections, Frame, Pipeline, Poses, PoseTracker
from posetrack.errors import DeviceError
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.benchmark import naive_pipeline
from posetrack.tracker.benchmark.runs import Clock, KnownBoxes, Run, in_turns, naive, ours
from posetrack.tracker.cli import build_parser, main
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.sample import make_crowd


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    path = tmp_path_factory.mktemp("crowd") / "crowd.mp4"
    return path, make_crowd(path, people=3, seconds=0.4, fps=20)


def test_a_crowd_is_where_it_is_said_to_be(crowd):
    path, boxes = crowd
    frames = list(open_source(path))
    assert boxes.shape == (8, 3, 4)
    assert len(frames) == 8
    assert (boxes[:, 1:, 0] > boxes[:, :-1, 2]).all()  # side by side
    background = frames[0].image.copy()
    for frame, people in zip(frames, boxes):
        moved = np.abs(frame.image.astype(int) - background).max(-1) > 40
        for left, top, right, bottom in people.astype(int):
            moved[top:bottom, left:right] = False
        for left, top, right, bottom in boxes[0].astype(int):
            moved[top:bottom, left:right] = False
        assert moved.mean() < 0.002


def test_every_pipeline_has_its_turn_in_every_round_and_is_held_against_the_first():
    turns = []

    def pipeline(name, ms):
        return lambda: turns.append(name) or Run(ms, [ms, ms + 2], 2.0)

    figures = in_turns({"slow": pipeline("slow", 30.0), "fast": pipeline("fast", 10.0)}, rounds=3)
    assert turns == ["slow", "fast"] * 3
    assert figures["slow"]["ratio"] == 1
    assert figures["fast"] == {"median": 10, "p95": pytest.approx(12), "people": 2, "ratio": 3}


def test_the_clock_leaves_out_the_first_frames():
    clock = Clock(2)
    for people in (9, 9, 1, 3):
        clock.tick(people)
    run = clock.stop()
    assert len(run.frames) == 2
    assert run.people == 2
    assert run.ms > 0


class Part:
    name, sha256, network = "part", "", None

    def __init__(self):
        self.calls = 0

    def __call__(self, frame):
        self.calls += 1
        return Detections.empty()


def test_known_people_take_the_place_of_those_that_were_found(crowd):
    detector = Part()
    known = KnownBoxes(detector, crowd[1])
    found = known(Frame(np.zeros((720, 1280, 3), np.uint8), 5, 0.2))
    assert detector.calls == 1
    np.testing.assert_array_equal(found.boxes, crowd[1][5])


@pytest.mark.parametrize("threads", [True, False])
def test_a_run_of_ours_goes_from_file_to_file(threads, crowd, tmp_path):
    source, boxes = crowd

    class Points(Part):
        skeleton = COCO

        def __call__(self, frame, people):
            n = len(people)
            middle = (people.boxes[:, None, :2] + people.boxes[:, None, 2:]) / 2
            return Poses(people.boxes, np.repeat(middle, 17, axis=1), np.ones((n, 17)), people.scores)

    pipeline = Pipeline(KnownBoxes(Part(), boxes), Points(), PoseTracker())
    run = ours(pipeline, source, tmp_path / "out.mp4", end=0.31, warmup=1, threads=threads)
    assert len(run.frames) == 6  # seven, but for the first
    assert run.people == 3
    assert len(list(open_source(tmp_path / "out.mp4"))) == 7


def test_the_naive_pipeline_is_run_from_file_to_file(crowd, tmp_path):
    source, boxes = crowd
    seen = []
    run = naive(
        lambda image, people: seen.append(len(people)) or image, boxes, source, tmp_path / "o.mp4", frames=5, warmup=2
    )
    assert seen == [3] * 5
    assert len(run.frames) == 3
    assert len(list(open_source(tmp_path / "o.mp4"))) == 5


def test_a_missing_package_of_the_naive_pipeline_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(naive_pipeline, "NEEDS", ("missing_transformers", "missing_lap"))
    with pytest.raises(
        DeviceError, match=r"missing_transformers and missing_lap. Run: pip install 'posetrack\[bench\]'\."
    ):
        naive_pipeline.check_installed()
    assert main(["bench", "naive"]) == 1
    assert "The naive pipeline needs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tracker", "--against", "naive"], "'naive' is not a valid choice for --against. Choose one of norfair"),
        (["pipeline", "--rounds", "0"], "--rounds is 0; give 1 or more."),
        (["tracker", "--people", "5", "0"], "--people is 5 0; give 1 or more."),
        (["endurance", "--frames", "9"], "--frames is 9; give 10 or more."),
        (["stages", "--model", "vitpose-b"], "Unknown option '--model'."),
        (["piepline"], "Did you mean pipeline?"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, sentence, capsys):
    assert main(["bench", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_pipeline_is_what_is_measured_without_a_word():
    parse = build_parser().parse_args
    assert vars(parse(["bench"])) == vars(parse(["bench", "pipeline"]))


@pytest.mark.slow
def test_people_are_invented_and_runs_are_compared(tmp_path, capsys):
    target = tmp_path / "bench.json"
    words = ["--people", "2", "1", "--frames", "4", "--warmup", "1", "--rounds", "1", "--device", "cpu"]
    assert main(["bench", "pipeline", *words, "--json", str(target)]) == 0
    figures, output = json.loads(target.read_text()), " ".join(capsys.readouterr().out.split())
    assert figures["clips"]["1"]["people"] == 1
    clip = figures["clips"]["2"]
    assert clip["people"] == 2
    assert {"detect", "pose", "track"} <= set(clip["stages"])
    assert set(clip["runs"]) >= {"one by one"}
    assert sum(clip["shares"].values()) == pytest.approx(1)
    assert min(clip["shares"].values()) > 0
    assert clip["ceiling"] > 0
    assert clip["runs"]["one by one"]["people"] == 2
    assert f"pose {figures['networks']['pose']}" in output
    assert f"processor {figures['machine']['processor']}" in output
    assert f"openvino {figures['machine']['openvino']}" in output
