"""Runs that read a video with sound twice (`--refine`, `--floor auto`), with a detector that sees what a scene says."""

import json
import math
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import av
import motions
import numpy as np
import pytest
from commands import rows

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.pipeline import Pipeline
from posetrack.tracker.run import plan, single
from posetrack.tracker.tracking.tracker import PoseTracker
from posetrack.tracker.types import Detections, Poses

FRAMES, GAP = 50, range(20, 34)


class Estimator:
    """Sees a walker in every frame except those of the gap, or given poses; interrupts the run at a given frame."""

    name, sha256, skeleton = "scene", "", COCO
    network = SimpleNamespace(name="none", precision="fp32", device="cpu", reason="a scene")

    def __init__(self, stop=None, poses=None):
        scene = synthetic.walking(synthetic.regular(FRAMES / 25, 25))
        visible = scene.visible & ~np.isin(np.arange(FRAMES), GAP)[:, None]
        self.poses = poses or [seen for _, seen, *_ in replace(scene, visible=visible).frames(noise=0.01)]
        self.stop = stop

    def __call__(self, frame, detections):
        if frame.index == self.stop:
            raise KeyboardInterrupt
        return self.poses[frame.index]


class Detector:
    name, sha256, network = "scene", "", None

    def __call__(self, frame):
        return Detections.empty()


@pytest.fixture
def track(monkeypatch, clip, tmp_path):
    """Runs the command line; returns its exit code."""

    def track(*words, stop=None, poses=None):
        def load(networks, tracking, *, live, blur_faces):
            return Pipeline(
                Detector(), Estimator(stop, poses), PoseTracker(smooth="none" if tracking.refine else tracking.smooth)
            )

        monkeypatch.setattr(plan, "load", load)
        return main(["--source", str(clip), "--csv", str(tmp_path / "out.csv"), "--quiet", *map(str, words)])

    return track


@pytest.fixture
def camera(monkeypatch):
    """Every source is the live `camera 0`."""

    class Live(SimpleNamespace):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(single, "open_source", lambda *_, **__: Live(name="camera 0", live=True))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Two seconds with a sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as container:
        images = container.add_stream("libx264", rate=25)
        images.width, images.height, images.pix_fmt = 480, 360, "yuv420p"
        sounds = container.add_stream("aac", rate=16000, layout="mono")
        for index in range(FRAMES):
            image = av.VideoFrame.from_ndarray(np.full((360, 480, 3), 90, np.uint8), format="bgr24")
            image.pts, image.time_base = index, Fraction(1, 25)
            container.mux(images.encode(image))
        container.mux(images.encode(None))
        for start in range(0, 32000, 1000):
            wave = (8000 * np.sin(np.arange(start, start + 1000) / 6)).astype(np.int16)
            sound = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 16000, start, Fraction(1, 16000)
            container.mux(sounds.encode(sound))
        container.mux(sounds.encode(None))
    return path


def test_table_and_video_are_whole_and_the_sound_is_kept(track, tmp_path):
    assert track("--refine", "--save", tmp_path / "out.mp4") == 0
    table = rows(tmp_path / "out.csv")
    assert [int(row["frame"]) for row in table] == list(range(FRAMES))
    assert {row["track_id"] for row in table} == {"1"}
    assert [row["state"] == "interpolated" for row in table] == [frame in GAP for frame in range(FRAMES)]
    np.testing.assert_allclose([float(row["time_s"]) for row in table], np.arange(FRAMES) / 25, atol=1e-3)
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert sum(frame.samples for frame in video.decode(audio=0)) >= 31000
    facts = json.loads((tmp_path / "out.csv.json").read_text())
    assert facts["complete"] is facts["refined"] is True
    assert facts["frames"]["read"] == FRAMES
    assert not list(tmp_path.glob("*.partial*"))


def test_the_table_alone_is_nearer_to_the_truth_than_online(track, tmp_path):
    truth = synthetic.walking(synthetic.regular(FRAMES / 25, 25)).keypoints[:, 0, COCO.keypoints.index("left_wrist")]
    errors = []
    for words in ((), ("--refine", "--overwrite")):
        assert track(*words) == 0
        table = [row for row in rows(tmp_path / "out.csv") if row["state"] == "measured"]
        wrist = np.array([[float(row["left_wrist_x"]), float(row["left_wrist_y"])] for row in table])
        errors.append(np.sqrt(((wrist - truth[[int(row["frame"]) for row in table]]) ** 2).mean()))
    assert errors[1] < 0.75 * errors[0]


def test_features_are_of_the_refined_tracks(track, tmp_path):
    assert track("--refine", "--features", tmp_path / "features.csv") == 0
    table = rows(tmp_path / "features.csv")
    assert [row["state"] == "interpolated" for row in table] == [frame in GAP for frame in range(FRAMES)]
    assert all(float(row["com_speed_px_s"]) > 100 for row in table[5:-5])


def test_ctrl_c_in_the_first_pass_leaves_what_was_measured(track, tmp_path):
    assert track("--refine", "--save", tmp_path / "out.mp4", stop=15) == 1
    table = rows(tmp_path / "out.partial.csv")
    assert [int(row["frame"]) for row in table] == list(range(15))
    facts = json.loads((tmp_path / "out.partial.csv.json").read_text())
    assert facts["complete"] is facts["refined"] is False
    assert not (tmp_path / "out.csv").exists()
    assert not list(tmp_path.glob("out*.mp4"))


def test_ctrl_c_in_the_second_pass_leaves_the_refined_table_as_partial(track, tmp_path, monkeypatch):
    from posetrack.tracker.output.sinks import OverlaySink

    write = OverlaySink.write

    def interrupted(self, frame, tracks):
        if frame.index == 30:
            raise KeyboardInterrupt
        write(self, frame, tracks)

    monkeypatch.setattr(OverlaySink, "write", interrupted)
    assert track("--refine", "--save", tmp_path / "out.mp4") == 1
    assert len(rows(tmp_path / "out.partial.csv")) == FRAMES
    facts = json.loads((tmp_path / "out.partial.csv.json").read_text())
    assert (facts["complete"], facts["refined"]) == (False, True)
    with av.open(str(tmp_path / "out.partial.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 30
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "out.mp4").exists()


def test_a_live_source_is_refused_with_a_sentence(track, camera, capsys):
    assert track("--refine") == 2
    message = capsys.readouterr().err
    assert "'camera 0' is live" in message
    assert "Leave --refine out" in message


def test_a_person_who_is_not_there_for_long_is_left_out(track, tmp_path):
    assert track("--min-length", "5", "--save", tmp_path / "out.mp4") == 0
    assert rows(tmp_path / "out.csv") == []
    assert track("--min-length", "1", "--overwrite") == 0
    assert {row["track_id"] for row in rows(tmp_path / "out.csv")} == {"1"}
    assert json.loads((tmp_path / "out.csv.json").read_text())["refined"] is False


def test_an_unknown_id_is_reported(track, tmp_path, capsys):
    assert track("--person", "7") == 0
    assert "posetrack: No person had the id 7; the ids went up to 1." in capsys.readouterr().err
    assert rows(tmp_path / "out.csv") == []


def test_another_smoother_is_refused(track, tmp_path, capsys):
    assert track("--refine", "--smooth", "kalman") == 2
    assert "does not use smooth 'kalman'. Leave one of them out." in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_refine_and_a_choice_go_together(track, tmp_path):
    assert track("--refine", "--person", "longest", "--roi", "0,0,9999,9999") == 0
    assert {row["state"] for row in rows(tmp_path / "out.csv")} == {"measured", "interpolated"}
    assert track("--refine", "--person", "longest", "--roi", "9000,0,99,99", "--overwrite") == 0
    assert rows(tmp_path / "out.csv") == []


def test_no_one_at_a_place_is_reported(track, tmp_path, capsys):
    assert track("--person", "2000,2000@0.5") == 2
    assert "People there: 1 at" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()
    assert len(rows(tmp_path / "out.partial.csv")) == FRAMES - len(GAP) + 7  # predictions


@pytest.mark.parametrize(
    ("words", "named"),
    [(("--person", "longest"), "--person longest"), (("--min-length", "2"), "--min-length")],
)
def test_a_choice_of_the_whole_run_is_refused_live(words, named, track, camera, capsys):
    assert track(*words) == 2
    assert f"Leave {named} out" in capsys.readouterr().err


@pytest.mark.slow
def test_faces_are_hidden_in_both_passes(track, tmp_path):
    images = []
    for words in ((), ("--blur-faces",), ("--blur-faces", "--refine"), ("--skeleton-only", "--refine")):
        assert track(*words, "--save", tmp_path / "out.mkv", "--overwrite") == 0
        with av.open(str(tmp_path / "out.mkv")) as video:
            images.append([frame.to_ndarray(format="bgr24").astype(int) for frame in video.decode(video=0)])
    plain, blurred, refined, black = images
    assert len(plain) == len(blurred) == len(refined) == len(black) == FRAMES
    assert np.median(black[10]) < 5 < np.median(plain[10])  # black without the video's grey
    assert black[10].max() > 200  # and a skeleton


def test_hiding_without_a_image_is_refused(track, capsys):
    assert track("--blur-faces") == 2
    assert "--blur-faces changes images, and no image is requested" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        *((f"out.{suffix}", ()) for suffix in ("long.csv", "coco.json", "openpose", "trc", "pkl", "dlc.csv")),
        ("out.parquet", ("pyarrow",)),
        ("out.sleap.h5", ("h5py",)),
        ("out.dlc.h5", ("h5py", "pandas", "tables")),
    ],
)
@pytest.mark.parametrize("words", [(), pytest.param(("--refine",), marks=pytest.mark.slow)])
def test_the_suffix_is_the_format(name, libraries, words, track, tmp_path, capsys):
    from posetrack.tracker.formats.files import read_recording

    for library in libraries:
        pytest.importorskip(library)
    target = tmp_path / name
    assert track("--csv", target, *words) == 0
    results = [path for path in tmp_path.iterdir() if path.name.startswith("out") and path.suffix != ".json"]
    results = results or [target]
    assert not list(tmp_path.glob("*partial*"))
    (result,) = results
    assert result.name == ("out_person1.trc" if name == "out.trc" else name)
    shown = sum(len(tracks) for _, _, tracks in read_recording(result))
    assert shown >= FRAMES - len(GAP)
    assert json.loads((tmp_path / f"{name}.json").read_text())["complete"] is True
    assert track("--csv", target, *words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert track("--csv", target, *words, "--overwrite") == 0


def test_an_unknown_suffix_is_refused_before_anything_runs(track, tmp_path, capsys):
    assert track("--csv", tmp_path / "out.xml") == 2
    assert "unknown suffix" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_the_table_of_another_format(track, tmp_path):
    assert track("--csv", tmp_path / "out.trc", stop=15) == 1
    assert [int(row["frame"]) for row in rows(tmp_path / "out.trc.partial.csv")] == list(range(15))
    assert json.loads((tmp_path / "out.trc.partial.csv.json").read_text())["complete"] is False
    assert track("--csv", tmp_path / "out.trc") == 0
    kept = ["out.trc.1.partial.csv", "out.trc.1.partial.csv.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*kept, "out.trc.json", "out_person1.trc"]


def uphill(part, *, speed):
    """Return the poses of a person in each frame, on a floor that rises to the right by 4 degrees."""
    slope = math.radians(4)
    motion = motions.perform([part], synthetic.regular(FRAMES / 25, 25), speed=speed)
    turn = np.array([[math.cos(slope), -math.sin(slope)], [math.sin(slope), math.cos(slope)]])
    poses = [seen for _, _, seen in motion.frames(noise=0.002)]
    return [Poses(seen.boxes, (seen.keypoints - [640, 400]) @ turn * 0.5 + [240, 200], seen.scores) for seen in poses]


def test_a_run_finds_the_floor_as_the_table_does(track, tmp_path):
    words = ("--person-height", "1.75", "--floor", "auto")
    out = [tmp_path / name for name in ("run.csv", "table.csv")]
    assert (
        track("--features", out[0], *words, "--smooth", "none", poses=uphill(motions.walk(9, cadence=180), speed=0.6))
        == 0
    )
    assert main(["features", str(tmp_path / "out.csv"), "--out", str(out[1]), *words]) == 0
    found, expected = (json.loads(path.with_name(f"{path.name}.json").read_text())["calibration"] for path in out)
    assert found["floor"]["angle_deg"] == pytest.approx(4, abs=0.5)
    assert found["floor"]["angle_deg"] == pytest.approx(expected["floor"]["angle_deg"], abs=0.01)
    heights, again = ([float(row["com_height_m"] or "nan") for row in rows(path)] for path in out)
    assert np.nanmedian(heights) == pytest.approx(0.97, abs=0.1)
    np.testing.assert_allclose(heights, again, atol=2e-3)


def test_a_run_without_a_floor_says_so_and_keeps_its_results(track, tmp_path, caplog):
    words = ("--person-height", "1.75", "--floor", "auto", "--features", tmp_path / "run.csv")
    assert track(*words, poses=uphill(motions.stand(3), speed=0)) == 0
    assert "The floor cannot be estimated" in caplog.text
    assert {row["com_height_m"] for row in rows(tmp_path / "run.csv")} == {""}
    assert json.loads((tmp_path / "run.csv.json").read_text())["calibration"]["floor"] is None
