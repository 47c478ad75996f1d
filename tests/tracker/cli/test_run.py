"""The command line does its whole job, with the bundled networks, on real people."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import servers
from commands import posetrack, rows
from PIL import Image

from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.cli import main
from posetrack.tracker.video.open import open_source

ROOT = Path(__file__).parents[3]
HEADER = ["frame", "time_s", "track_id", "state", "score", "x1", "y1", "x2", "y2"]
HEADER += [f"{name}_{part}" for name in COCO.keypoints for part in ("x", "y", "score")]


@pytest.fixture(scope="module")
def results(walking_clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    code = posetrack("--source", walking_clip, "--save", folder / "out.mp4", "--csv", folder / "out.csv", "--quiet")
    assert code == 0
    return folder


def test_the_table_has_the_promised_columns_and_people(results):
    table = rows(results / "out.csv")
    assert list(table[0]) == HEADER
    assert {row["frame"] for row in table} == {str(i) for i in range(10)}
    assert {row["state"] for row in table} <= {"measured", "predicted"}
    assert all(float(row["x1"]) < float(row["x2"]) for row in table)
    assert sum(bool(row["left_shoulder_x"]) for row in table) > len(table) / 2


def test_ids_hold_through_a_shot_and_end_at_the_cut(results):
    per_id = {}
    for row in rows(results / "out.csv"):
        per_id.setdefault(row["track_id"], []).append(int(row["frame"]))
    assert max(len(frames) for frames in per_id.values()) == 5
    assert all(max(frames) < 5 or min(frames) >= 5 for frames in per_id.values())


def test_the_video_plays_anywhere_and_keeps_the_timing(results, walking_clip):
    with av.open(str(results / "out.mp4")) as video, av.open(str(walking_clip)) as source:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        times = [frame.time for frame in video.decode(video=0)]
        np.testing.assert_allclose(times, [frame.time for frame in source.decode(video=0)], atol=1e-3)
    data = (results / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_sidecar_states_how_the_table_was_made(results):
    facts = json.loads((results / "out.csv.json").read_text())
    assert facts["complete"] is True
    assert facts["frames"] == {"read": 10, "dropped": 0, "failed": 0, "last": 9}
    assert len(facts["model"]["sha256"]) == len(facts["detector"]["sha256"]) == 64
    assert facts["skeleton"]["keypoints"] == list(COCO.keypoints)
    assert facts["config"]["device"] == "cpu"
    assert not list(results.glob("*.partial*"))


def test_the_summary_names_stages_device_and_files(walking_clip, tmp_path, capsys):
    assert posetrack("--source", walking_clip, "--csv", tmp_path / "a.csv", "--end", 0.3) == 0
    message = capsys.readouterr().err
    for word in ("read", "detect", "pose", "track", "write", "median", "p95", "cpu", "a.csv"):
        assert word in message


def test_results_are_not_replaced_unless_asked(walking_clip, tmp_path, capsys):
    target = tmp_path / "out.csv"
    target.write_text("precious")
    assert posetrack("--source", walking_clip, "--csv", target, "--quiet") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert target.read_text() == "precious"
    assert posetrack("--source", walking_clip, "--csv", target, "--quiet", "--overwrite", "--end", 0.3) == 0
    assert rows(target)


def test_the_source_is_never_written_over(walking_clip, tmp_path, capsys):
    clip = shutil.copy(walking_clip, tmp_path / "clip.mp4")
    before = clip.read_bytes()
    assert posetrack("--source", clip, "--save", clip, "--overwrite", "--quiet") == 2
    assert "is read by this command" in capsys.readouterr().err
    assert clip.read_bytes() == before


def test_a_folder_is_mirrored_and_a_broken_file_does_not_stop_the_rest(walking_clip, tmp_path, capsys):
    clips = tmp_path / "clips"
    (clips / "day1").mkdir(parents=True)
    shutil.copy(walking_clip, clips / "day1" / "a.mp4")
    (clips / "broken.mp4").write_text("I am no video")
    with av.open(str(walking_clip)) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    cv2.imwrite(str(clips / "photo.jpg"), image)
    assert posetrack("--source", clips, "--save", tmp_path / "v", "--csv", tmp_path / "t", "--quiet") == 1
    message = capsys.readouterr().err
    assert "broken.mp4" in message
    assert "1 of 3 sources failed" in message
    assert rows(tmp_path / "t" / "day1" / "a.csv")
    assert rows(tmp_path / "t" / "photo.csv")
    assert (tmp_path / "v" / "day1" / "a.mp4").is_file()
    assert cv2.imread(str(tmp_path / "v" / "photo.png")).shape == image.shape


def images_of(clip, folder, step=1):
    """Write the frames of a video as numbered images, and return them."""
    folder.mkdir(parents=True)
    with av.open(str(clip)) as video:
        images = [frame.to_ndarray(format="bgr24") for _, frame in zip(range(5), video.decode(video=0))]
    for number, image in enumerate(images, 1):
        cv2.imwrite(str(folder / f"frame{number * step:04d}.png"), image)
    return images


def test_a_folder_of_numbered_images_with_a_rate_is_one_video_with_gaps_in_time(walking_clip, tmp_path):
    images = images_of(walking_clip, tmp_path / "in", step=2)
    save, csv = tmp_path / "out.mp4", tmp_path / "out.csv"
    assert posetrack("--source", tmp_path / "in", "--fps", 20, "--save", save, "--csv", csv, "--quiet") == 0
    times = sorted({float(row["time_s"]) for row in rows(csv)})
    np.testing.assert_allclose(np.diff(times), 0.1, atol=1e-6)
    with av.open(str(save)) as video:
        shown = [frame.time for frame in video.decode(video=0)]
    np.testing.assert_allclose(np.diff(shown), 0.1, atol=1e-3)
    assert len(shown) == len(images)


def test_a_folder_of_photographs_and_animations_stays_a_batch(walking_clip, tmp_path):
    images = images_of(walking_clip, tmp_path / "in" / "photos")
    frames = [Image.fromarray(image[..., ::-1]) for image in images[:3]]
    frames[0].save(tmp_path / "in" / "clip.webp", save_all=True, append_images=frames[1:], duration=200)
    assert posetrack("--source", tmp_path / "in", "--save", tmp_path / "v", "--csv", tmp_path / "t", "--quiet") == 0
    assert len(list((tmp_path / "v" / "photos").glob("*.png"))) == len(images)
    assert len({row["time_s"] for row in rows(tmp_path / "t" / "clip.csv")}) > 1
    with av.open(str(tmp_path / "v" / "clip.mp4")) as video:
        times = [frame.time for frame in video.decode(video=0)]
    np.testing.assert_allclose(np.diff(times), [0.2, 0.2], atol=1e-3)


def test_start_and_end_choose_a_stretch(walking_clip, tmp_path):
    target = tmp_path / "out.csv"
    assert posetrack("--source", walking_clip, "--csv", target, "--start", 0.3, "--end", 0.6, "--quiet") == 0
    times = sorted({float(row["time_s"]) for row in rows(target)})
    np.testing.assert_allclose(times, [0.3, 0.4, 0.5], atol=1e-3)


def test_own_boxes_replace_the_detector(walking_clip, tmp_path):
    boxes = [{"image_id": i, "category_id": 1, "bbox": [100, 50, 150, 300], "score": 0.9} for i in range(10)]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    target = tmp_path / "out.csv"
    words = ("--source", walking_clip, "--detector", tmp_path / "boxes.json", "--csv", target, "--quiet")
    assert posetrack(*words, "--camera", "static") == 0  # the boxes do not follow it
    assert {row["track_id"] for row in rows(target)} == {"1", "2"}  # a cut is in the middle
    assert len(rows(target)) == 10


def test_a_recipe_is_overridden_by_flags(walking_clip, tmp_path):
    (tmp_path / "mine.toml").write_text("conf = 0.9\nmax_people = 1\n")
    words = ("--source", walking_clip, "--csv", tmp_path / "out.csv", "--config", tmp_path / "mine.toml")
    assert posetrack(*words, "--conf", "0.2", "--end", 0.3, "--quiet") == 0
    config = json.loads((tmp_path / "out.csv.json").read_text())["config"]
    assert config["conf"] == 0.2
    assert config["max_people"] == 1


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--source", "nowhere.mp4"), 1, "no file 'nowhere.mp4'"),
        (("--source", "a.mp4", "--config", "realtim"), 2, "Did you mean realtime"),
        (("--source", "a.mp4", "--conf", "2"), 2, "between 0 and 1"),
        ((), 2, "nothing to track"),
    ],
)
def test_a_wrong_request_is_one_sentence(words, code, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--csv", "out.csv"]) == code
    message = capsys.readouterr().err
    assert sentence in message
    assert message.startswith("posetrack: ")
    assert message.count("\n") == 1


def test_cuda_that_is_not_there_is_an_error_and_no_fallback(walking_clip, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    words = ["--source", str(walking_clip), "--csv", str(tmp_path / "out.csv"), "--device", "cuda"]
    assert main(words) == 1
    assert "finds no CUDA device" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_weights_whose_keypoints_several_datasets_have_are_refused(walking_clip, tmp_path, capsys):
    from safetensors.torch import save_file

    from posetrack.models.networks.convvit import ConvViT

    network = ConvViT(input_size=(32, 32), backbone_width=0.0625, width=32, depth=1, decoder=(8, 8), num_keypoints=14)
    save_file(network.state_dict(), tmp_path / "other.safetensors")
    words = ("--source", walking_clip, "--csv", tmp_path / "out.csv", "--model", tmp_path / "other.safetensors")
    assert posetrack(*words) == 1
    assert "estimates 14 keypoints. Add --dataset aic or crowdpose." in capsys.readouterr().err


def test_every_output_follows_the_skeleton_of_the_dataset(walking_clip, tmp_path):
    from safetensors.torch import save_file

    from posetrack.models.geometry.skeletons import COCO_WHOLEBODY
    from posetrack.models.networks.convvit import ConvViT

    network = ConvViT(input_size=(32, 32), backbone_width=0.0625, width=32, depth=1, decoder=(8, 8), num_keypoints=133)
    save_file(network.state_dict(), tmp_path / "whole.safetensors")
    table, video = tmp_path / "out.csv", tmp_path / "out.mp4"
    words = ("--source", walking_clip, "--csv", table, "--save", video, "--model", tmp_path / "whole.safetensors")
    assert posetrack(*words, "--dataset", "wholebody", "--end", "0.3") == 0
    header, first = table.read_text().splitlines()[:2]
    names = [f"{name}_{part}" for name in COCO_WHOLEBODY.keypoints for part in ("x", "y", "score")]
    assert header.split(",")[9:] == names
    assert first.count(",") == header.count(",")
    sidecar = json.loads((tmp_path / "out.csv.json").read_text())
    assert sidecar["skeleton"]["name"] == "wholebody"
    assert sidecar["config"]["dataset"] == "wholebody"
    assert video.stat().st_size > 0


def repeated(clip, path, *, times):
    """Write the images of a clip many times over, without encoding them again."""
    with av.open(str(path), "w") as target:
        stream = None
        for lap in range(times):
            with av.open(str(clip)) as source:
                video = source.streams.video[0]
                stream = stream or target.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is not None:
                        packet.pts += lap * video.duration
                        packet.dts += lap * video.duration
                        packet.stream = stream
                        target.mux(packet)
    return path


@pytest.mark.slow
def test_ctrl_c_leaves_a_video_that_plays_and_a_valid_table(walking_clip, tmp_path):
    clip = repeated(walking_clip, tmp_path / "long.mkv", times=100)  # the run would take half a minute
    words = ["--source", clip, "--save", tmp_path / "out.mp4", "--csv", tmp_path / "out.csv", "--offline", "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "posetrack", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE)
    table = tmp_path / "out.partial.csv"
    while not (table.exists() and len(table.read_text().splitlines()) > 40):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate()
    assert process.returncode == 1
    assert b"Traceback" not in message
    assert not (tmp_path / "out.mp4").exists()
    assert not (tmp_path / "out.csv").exists()
    frames = int(rows(table)[-1]["frame"])
    with av.open(str(tmp_path / "out.partial.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) >= frames
    assert json.loads((tmp_path / "out.partial.csv.json").read_text())["complete"] is False


@pytest.mark.slow
def test_a_live_run_states_its_latency_and_when_the_stream_was_lost(walking_clip, tmp_path, capsys):
    with av.open(str(walking_clip)) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    first, second = (cv2.imencode(".jpg", cv2.resize(image, size))[1].tobytes() for size in ((640, 480), (320, 240)))
    connections = itertools.count()

    def body():  # the first connection ends after some images
        return servers.multipart([first] * 20 if next(connections) < 1 else itertools.repeat(second))

    kind = "multipart/x-mixed-replace; boundary=image"
    with servers.LiveServer(body, kind=kind, pace=0.02) as server:
        address = f"http://me:secret@127.0.0.1:{server.port}/live"
        words = ("--source", address, "--csv", tmp_path / "out.csv", "--save", tmp_path / "out.mp4", "--end", 3)
        assert posetrack(*words) == 0
    message = capsys.readouterr().err
    facts = json.loads((tmp_path / "out.csv.json").read_text())
    assert facts["latency_ms"]["median"] > 0
    assert facts["latency_ms"]["p95"] >= facts["latency_ms"]["median"]
    assert 1 <= len(facts["gaps"]) < next(connections)  # one between two connections
    for gap in facts["gaps"]:
        assert gap["seconds"] == pytest.approx(gap["to_s"] - gap["from_s"], abs=1e-5)
        assert gap["seconds"] >= 0.25
    assert "from capture to output" in message
    assert "lost" in message
    assert "secret" not in message + json.dumps(facts)
    for change in facts["size_changes"]:
        assert (change["width"], change["height"]) == (320, 240)
        later = [row for row in rows(tmp_path / "out.csv") if int(row["frame"]) >= change["frame"]]
        assert all(float(row["x2"]) <= 330 for row in later if row["state"] == "measured")
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert {(frame.width, frame.height) for frame in video.decode(video=0)} == {(640, 480)}


def test_a_window_without_a_display_is_a_sentence(walking_clip, capsys, monkeypatch):
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert posetrack("--source", walking_clip) == 1
    assert "--save" in capsys.readouterr().err


def test_the_way_of_drawing_changes_the_video_and_no_table(results, walking_clip, tmp_path):
    words = ["--colors", "side", "--no-boxes", "--trails", "1"]
    files = ["--save", tmp_path / "out.mp4", "--csv", tmp_path / "out.csv"]
    assert posetrack("--source", walking_clip, *files, *words) == 0
    assert (results / "out.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    pairs = list(zip(open_source(results / "out.mp4"), open_source(tmp_path / "out.mp4")))
    assert len(pairs) == 10
    assert all((a.image.astype(int) - b.image > 60).any() for a, b in pairs[5:])
    config = json.loads((tmp_path / "out.csv.json").read_text())["config"]
    assert (config["colors"], config["boxes"], config["trails"]) == ("side", False, 1.0)


@pytest.mark.parametrize(("word", "options"), [("--help", 12), ("--help-all", None)])
def test_help_is_quick_complete_and_light(word, options):
    code = (
        "import sys\n"
        "from posetrack.tracker.cli import main\n"
        f"try: main(['{word}'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'ultralytics', 'numpy', 'rich', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = os.environ | {"COLUMNS": "300"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )
    text = re.sub(r"\n {3,}", " ", result.stdout)  # the help of a long option begins on the next line
    listed = [line for line in text.splitlines() if line.startswith("  --")]
    listed = [line for line in listed if not line.startswith(("  --version", "  --help-all"))]
    assert all("(default: " in line for line in listed)
    assert options is None or len(listed) == options
    for command in ("demo", "eval", "bench", "models"):
        assert f"\n    {command}" in result.stdout


def test_the_common_options_come_first():
    def options(page):
        return [line.split()[0] for line in page.splitlines() if line.startswith("  --")]

    short, whole = (
        subprocess.run(
            [sys.executable, "-m", "posetrack", word], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout
        for word in ("--help", "--help-all")
    )
    assert options(whole)[: len(options(short))] == options(short)
    assert len(options(whole)) > 30
    for title in ("common options:", "input:", "networks:", "tracking:", "output:", "live sources:"):
        assert f"\n{title}\n" in whole


@pytest.mark.parametrize("word", ["--help", "--help-all"])
def test_help_fits_80_columns(word, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([word]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_list_of_models_names_the_bundled_one(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "convvit" in listed
    assert "vitpose-b" in listed


@pytest.mark.slow
def test_bench_measures_the_stages(walking_clip, tmp_path, capsys):
    target = tmp_path / "bench.json"
    words = ["bench", "pipeline", "--source", str(walking_clip), "--frames", "5", "--warmup", "2", "--device", "cpu"]
    assert main([*words, "--json", str(target)]) == 0
    figures = json.loads(target.read_text())["clips"][walking_clip.name]
    assert figures["frames"] == 5
    assert set(figures["stages"]) == {"detect", "pose", "camera", "track"}
    assert all(0 < stage["median"] <= stage["p95"] for stage in figures["stages"].values())


def test_demo_writes_video_table_and_sidecar(tmp_path, monkeypatch):
    from posetrack.tracker.video import sample

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sample, "make_sample", partial(sample.make_sample, fps=5))  # a sixth of the frames
    (tmp_path / "posetrack-demo").mkdir()
    (tmp_path / "posetrack-demo" / "sample.mp4").write_text("of an earlier demo")
    assert main(["demo", "--device", "cpu"]) == 0
    written = {path.name for path in (tmp_path / "posetrack-demo").iterdir()}
    assert written == {"sample.mp4", "tracked.mp4", "tracked.csv", "tracked.csv.json"}
    people = {row["track_id"] for row in rows(tmp_path / "posetrack-demo" / "tracked.csv")}
    assert 2 <= len(people) <= 12


def test_frames_may_be_spared_the_detector(walking_clip, tmp_path, capfd):
    out = tmp_path / "out.csv"
    assert posetrack("--source", walking_clip, "--csv", out, "--detect-every", 5, "--camera", "static") == 0
    message = capfd.readouterr().err
    assert "people are detected every 5 frames; keypoints are estimated every frame" in message
    facts = json.loads((tmp_path / "out.csv.json").read_text())
    assert sum(facts["modes"].values()) == 10
    assert facts["modes"]["follow"] > 0
    assert facts["config"]["detect_every"] == 5
    assert f"{facts['modes']['follow']} follow" in message


@pytest.mark.parametrize("every", ["0", "-2", "sometimes", "1.5"])
def test_a_rhythm_without_a_sense_is_refused(every, walking_clip, tmp_path, capsys):
    assert posetrack("--source", walking_clip, "--csv", tmp_path / "out.csv", f"--detect-every={every}") == 2
    assert "give a number of frames, 1 or more, or auto" in capsys.readouterr().err


def test_the_recipe_for_live_sources_decides_by_what_moves_and_the_accurate_one_never_skips():
    from posetrack.tracker.config.recipe import read_recipe
    from posetrack.tracker.config.run import RunConfig

    live, accurate = (RunConfig.of(**read_recipe(name)) for name in ("realtime", "accurate"))
    assert (live.tracking.detect_every, live.tracking.pose_every) == ("auto", "auto")
    assert (
        live.networks.flip == accurate.networks.flip
    )  # or their tables would differ by what the mirrored crop changes
    assert (accurate.tracking.detect_every, accurate.tracking.pose_every) == (1, 1)


def test_a_flag_turns_off_what_a_recipe_turns_on():
    from posetrack.tracker.cli import build_parser

    words = vars(build_parser().parse_args(["--source", "a.mp4", "--config", "realtime", "--no-flip"]))
    assert words["flip"] is False
