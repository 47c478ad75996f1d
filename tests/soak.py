"""Kills, full disks, rivals, restarted servers and long runs, each with real commands, as often as asked.

`python tasks.py soak` runs this file and prints the figures; tests/test_soak.py runs a few of each. Each function
checks what must hold after every attempt and returns what it counted and measured.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import random
import re
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
import servers

from posetrack.tracker.load import load_pipeline
from posetrack.tracker.loop import loop
from posetrack.tracker.video.open import open_source
from posetrack.tracker.video.sample import make_sample
from posetrack.tracker.video.write.video import VideoWriter

RESULTS = ("out.mp4", "out.csv", "out.csv.json", "features.csv", "features.csv.json", "report.html")
LATENCY = 2.0  # seconds after a lost stream's first frame within which frames are as fresh as before
SLOPE = 360.0  # bytes of memory a frame, a tenth of what a report once took


def start(source: str | Path, folder: Path, *more: str, **words: object) -> subprocess.Popen[str]:
    """Start a command that writes every kind of result into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    options = {"--save": "out.mp4", "--csv": "out.csv", "--features": "features.csv", "--report": "report.html"}
    targets = [word for option, name in options.items() for word in (option, str(folder / name))]
    command = [sys.executable, "-m", "posetrack", str(source), *targets, "--offline", "--device", "cpu", "--quiet"]
    environment = os.environ | {"TMPDIR": str(folder / "tmp")}
    return subprocess.Popen([*command, *more], stderr=subprocess.PIPE, text=True, env=environment, **words)


def finish(process: subprocess.Popen[str], seconds: float | None = None) -> tuple[int, str]:
    """Wait for a command, at most some seconds until it is killed; return its exit code and its messages."""
    with process:
        try:
            _, text = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, text = process.communicate()
    return process.returncode, text


def whole(source: Path, folder: Path, *more: str) -> None:
    """Run a command that nothing disturbs."""
    code, text = finish(start(source, folder, *more))
    assert code == 0, text


class Expected:
    """The results of a run that nothing disturbs.

    Attributes:
        clip: the source.
        seconds: the run took.
        size: bytes of the largest result.
    """

    def __init__(self, folder: Path, *, fps: float = 15) -> None:
        self.clip = make_sample(folder / "clip.mp4", seconds=3, fps=fps)
        self._whole = folder / "whole"
        begun = time.monotonic()
        whole(self.clip, self._whole)
        self.seconds = time.monotonic() - begun
        self.size = max((self._whole / name).stat().st_size for name in RESULTS)

    def check(self, folder: Path, *, closed: bool = False) -> str:
        """Check what a run has left in a folder, and say how far it got.

        Args:
            folder: of the results.
            closed: whether the run ended by itself: the last features then come from shorter windows, and a full disk
                may have had room for rows, but not for images.
        """
        final = [name for name in RESULTS if (folder / name).exists()]
        for name in ("out.csv", "features.csv"):
            expected, found = (self._whole / name).read_bytes(), folder / name
            if found.exists():
                assert found.read_bytes() == expected, f"{found} has its name but is not complete"
                assert json.loads((folder / f"{name}.json").read_text())["complete"], f"{found} has no sidecar"
            elif (part := folder / name.replace(".csv", ".partial.csv")).exists():
                left = part.read_bytes()
                if closed:
                    expected, left = keys(expected), keys(left)
                assert expected.startswith(left), f"{part} holds other rows than the whole table"
                sidecar = part.with_name(f"{part.name}.json")
                assert not sidecar.exists() or not json.loads(sidecar.read_text())["complete"], sidecar
        assert closed or frames(folder, "out.mp4") >= last_frame(folder), f"the video in {folder} ends before the table"
        if (folder / "out.mp4").exists():
            assert frames(folder, "out.mp4") == frames(self._whole, "out.mp4")
        assert not list((folder / "tmp").iterdir()), f"{folder}/tmp is not empty"
        return "results" if len(final) == len(RESULTS) else "some results" if final else stage(folder)


def keys(table: bytes) -> bytes:
    """Return frame, time and track of each row of a table, which must end with a whole row."""
    assert table.endswith(b"\n") or not table
    return b"".join(b",".join(row.split(b",")[:3]) + b"\n" for row in table.splitlines())


def stage(folder: Path) -> str:
    """Return how far an unfinished run got."""
    return "frames" if last_frame(folder) else "opened" if list(folder.glob("*.partial*")) else "start"


def existing(folder: Path, name: str) -> Path | None:
    """Return a result under its name or its partial name."""
    path = folder / name
    return next((each for each in (path, path.with_stem(f"{path.stem}.partial")) if each.exists()), None)


def frames(folder: Path, name: str) -> int:
    """Return how many frames of a video, complete or partial, can be decoded."""
    path = existing(folder, name)
    if path is None or not path.stat().st_size:
        return 0
    count = 0
    with suppress(av.FFmpegError), av.open(str(path)) as container:  # the last frame may be cut off
        for _ in container.decode(video=0):
            count += 1
    return count


def last_frame(folder: Path) -> int:
    """Return the number of the last frame in the table, complete or partial."""
    path = existing(folder, "out.csv")
    rows = list(csv.DictReader(path.read_text().splitlines())) if path else []
    return int(rows[-1]["frame"]) if rows else 0


def kills(expected: Expected, folder: Path, rng: random.Random, count: int) -> Counter[str]:
    """Kill runs at random moments; start every tenth anew under the same names."""
    reached: Counter[str] = Counter()
    for number in range(count):
        place = folder / f"kill-{number}"
        finish(start(expected.clip, place), rng.uniform(0, 1.1 * expected.seconds))
        reached[expected.check(place)] += 1
        if number % 10 == 0:
            whole(expected.clip, place, "--overwrite")
            assert expected.check(place) == "results"
    return reached


def disks(expected: Expected, folder: Path, rng: random.Random, count: int) -> Counter[str]:
    """Run with files that may have no more than a random number of bytes, as on a full disk."""
    reached: Counter[str] = Counter()
    for number in range(count):
        place, size = folder / f"disk-{number}", round(expected.size ** rng.uniform(0.2, 1.0))
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        code, text = finish(start(expected.clip, place, preexec_fn=limit))
        kind = expected.check(place, closed=True)
        reached[kind] += 1
        assert (code == 0) == (kind == "results"), (code, kind, size, text)
        if code:
            assert kind != "some results", size
            assert "Traceback" not in text, (size, text)
            assert text.count("posetrack: Cannot") == 1, (size, text)
            for stated in re.findall(r"(\d+) frames", text):
                assert int(stated) <= frames(place, "out.mp4"), (size, text)
    return reached


def rivals(expected: Expected, folder: Path, count: int) -> Counter[str]:
    """Start two runs with the same results at once: one writes them, the other is refused."""
    refused: Counter[str] = Counter()
    for number in range(count):
        place = folder / f"rivals-{number}"
        both = [finish(process) for process in [start(expected.clip, place), start(expected.clip, place)]]
        (code, _), (refusal, text) = sorted(both)
        assert (code, refusal) == (0, 1), both
        reasons = [reason for reason in ("another run is writing", "exists already") if reason in text]
        assert reasons, text
        refused[reasons[0]] += 1
        assert expected.check(place) == "results"
    return refused


BITS = 40  # of a time stamp in ms
CELL = 16  # pixels


def stamped(image: np.ndarray) -> bytes:
    """Return a JPEG of an image with the monotonic clock's milliseconds as black and white cells."""
    now, image = int(1000 * time.monotonic()), image.copy()
    for bit in range(BITS):
        image[:CELL, bit * CELL : (bit + 1) * CELL] = 255 * (now >> bit & 1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def stamp(image: np.ndarray) -> float:
    """Return the time in an image, seconds."""
    cells = image[CELL // 2, CELL // 2 : BITS * CELL : CELL, 0] > 127
    return sum(1 << bit for bit, cell in enumerate(cells) if cell) / 1000


class Recorder:
    """Output that records when each frame was sent and when it was done, seconds."""

    def __init__(self) -> None:
        self.closed, self.sent, self.done, self.times = False, [], [], []

    def write(self, frame, tracks) -> None:
        self.sent.append(stamp(frame.image))
        self.done.append(time.monotonic())
        self.times.append(frame.time)


def restarts(folder: Path, rng: random.Random, count: int, *, seconds: float) -> dict[str, float]:
    """Kill the server of a live run and start it again, again and again.

    Args:
        folder: for the sample.
        rng: draws the times.
        count: of restarts.
        seconds: between two restarts, on average.

    Returns:
        Seconds: the median `latency`; from a server's start to the first frame of it, `back`, the longest; from this
        first frame until frames are as fresh as before, `fresh`, the longest.
    """
    with open_source(make_sample(folder / "sample.mp4")) as source:
        images = [frame.image for frame in source]

    def body():
        return servers.multipart(stamped(image) for image in itertools.cycle(images))

    serve = partial(servers.LiveServer, body, kind="multipart/x-mixed-replace; boundary=image", pace=1 / 30)
    pipeline = load_pipeline(device="cpu", offline=True, detect_every="auto", pose_every="auto")
    recorder, starts = Recorder(), []
    server = serve()
    frames = open_source(f"http://127.0.0.1:{server.port}/live", timeout=30, reconnect=60)

    def disturb() -> None:
        nonlocal server
        servers.until(lambda: recorder.done)
        for _ in range(count):
            time.sleep(rng.uniform(0.5, 1.0) * seconds)
            server.kill()
            time.sleep(rng.uniform(0.05, 0.4) * seconds)
            begun = time.monotonic()
            server = serve(port=server.port)
            servers.until(lambda begun=begun: recorder.sent[-1] >= begun)
            starts.append(begun)
        time.sleep(min(seconds, LATENCY))
        recorder.closed = True

    thread = threading.Thread(target=disturb)
    thread.start()
    with frames:
        loop(frames, pipeline, recorder, lambda people: None)
    thread.join()
    server.kill()
    sent, done = np.array(recorder.sent), np.array(recorder.done)
    assert len(starts) == count, f"the run ended after {len(starts)} of {count} restarts"
    assert len(frames.gaps) == count, f"{len(frames.gaps)} of {count} gaps are recorded"
    assert (np.diff(recorder.times) > 0).all()
    assert (np.diff(sent) >= 0).all()
    latency = done - sent
    usual = float(np.median(latency[sent < starts[0]]))
    back, fresh = [0.0], [0.0]
    for begun in starts:
        after = sent >= begun
        back.append(float(done[after][0] - begun))
        fresh.append(float((done[after] - done[after][0])[latency[after] <= 2 * usual][0]))
    return {"latency": float(np.median(latency)), "back": max(back), "fresh": max(fresh)}


def memory(folder: Path, count: int) -> dict[str, float]:
    """Track a long video with every output, and watch the memory of the process.

    Args:
        folder: for video and results.
        count: of frames.

    Returns:
        `MB` of memory after a tenth and at the end, and the slope in `bytes a frame` after the first tenth.
    """
    video = folder / "long.mp4"
    with open_source(make_sample(folder / "lap.mp4")) as source:
        lap = [cv2.resize(frame.image, (320, 240)) for frame in source]
    with VideoWriter(video, size=(320, 240), fps=30) as writer:
        for index in range(count):
            writer.write(lap[index % len(lap)], index / 30)
    process, table = start(video, folder / "long", "--config", "realtime"), folder / "long" / "out.partial.csv"
    at, held = [], []
    while process.poll() is None:
        time.sleep(1)
        if table.exists() and (frame := newest_frame(table)) and (private := private_bytes(process.pid)):
            at.append(frame)
            held.append(private)
    code, text = finish(process)
    assert code == 0, text
    after = [index for index, frame in enumerate(at) if count / 10 <= frame < 0.995 * count]  # then the page is made
    slope = np.polyfit([at[index] for index in after], [held[index] for index in after], 1)[0]
    return {"MB after a tenth": held[after[0]] / 1e6, "MB at the end": held[after[-1]] / 1e6, "bytes a frame": slope}


def newest_frame(table: Path) -> int:
    """Return the number of the last frame in a table that grows."""
    with table.open("rb") as file:
        file.seek(max(0, table.stat().st_size - 20_000))
        lines = file.read().splitlines()
    return int(lines[-1].split(b",")[0]) if len(lines) > 2 else 0


def private_bytes(pid: int) -> int:
    """Return the private memory of a process; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def main() -> None:
    """Run the long forms and print what was found."""
    seed = int(os.environ.get("POSETRACK_SOAK_SEED") or random.SystemRandom().randrange(2**32))
    print(f"POSETRACK_SOAK_SEED={seed}", flush=True)
    rng = random.Random(seed)
    parts = sys.argv[1:] or ["restarts", "memory", "kills", "disks", "rivals"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        if "restarts" in parts:
            figures = restarts(folder, rng, 50, seconds=9.0)
            print("50 restarts of a server, seconds:", figures, flush=True)
            assert figures["fresh"] <= LATENCY, figures
        if "memory" in parts:
            figures = memory(folder, 20_000)
            print("20,000 frames with a report:", figures, flush=True)
            assert figures["bytes a frame"] < SLOPE, figures
        if {"kills", "disks", "rivals"} & set(parts):
            (folder / "cold").mkdir()
            Expected(folder / "cold")  # converts the networks
            expected = Expected(folder)
        if "kills" in parts:
            print("100 kills:", dict(kills(expected, folder, rng, 100)), flush=True)
        if "disks" in parts:
            print("50 full disks:", dict(disks(expected, folder, rng, 50)), flush=True)
        if "rivals" in parts:
            print("10 pairs of runs:", dict(rivals(expected, folder, 10)), flush=True)


if __name__ == "__main__":
    main()
