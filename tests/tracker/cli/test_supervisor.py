import csv
import errno
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posetrack.tracker.cli import main
from posetrack.tracker.cli.limits import OPTIONS
from posetrack.tracker.cli.supervisor import MAX_TEXT, LenientStream, PlainFormatter, supervised

ROOT = Path(__file__).parents[3]
SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and descriptors of Unix")


@pytest.fixture
def handler():
    """Set a handler of a signal for a test."""
    before = {}

    def set_handler(number, handler):
        before[number] = signal.signal(number, handler)

    yield set_handler
    for number, old in before.items():
        signal.signal(number, old)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_a_command_as_ctrl_c_does(name, handler):
    number = getattr(signal, name)
    handler(number, signal.SIG_IGN if name == "SIGINT" else signal.SIG_DFL)  # a shell's background job ignores SIGINT
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), supervised():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("wait", "code", "said"), [(0, 7, b""), (1.2, 1, b"ended at once")], ids=["at once", "later"])
def test_more_signals_neither_disturb_the_end_nor_wait_for_it(wait, code, said):
    """Two signals at once count as one, also when the command has ended; a later one does not wait for the end."""
    program = f"""
import signal, sys, time
from posetrack.tracker.cli.supervisor import supervised
with supervised(last=True):
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        time.sleep({wait})
        signal.raise_signal(signal.SIGINT)
signal.raise_signal(signal.SIGTERM)
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == code
    assert said in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("when", ["with supervised(last=True): pass\nend()", "last = Last()"], ids=["after", "at last"])
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_after_the_command_leaves_its_exit_code(name, when):
    """Also while the interpreter frees its modules."""
    program = f"""
import signal, sys
from posetrack.tracker.cli.supervisor import supervised
def end(send=signal.raise_signal):
    send({int(getattr(signal, name))})
class Last:
    __del__ = lambda self, end=end: end()
with supervised(last=True):
    pass
{when}
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert (done.returncode, done.stderr) == (7, b"")


@pytest.mark.slow
def test_four_signals_at_any_moment_of_a_run_end_it_with_its_exit_code(walking_clip, tmp_path):
    """After the run has begun: 1 if it was stopped, 0 if it had ended."""
    delays, codes = random.Random(1), set()
    for run in range(10):
        table = tmp_path / f"{run}.csv"
        words = [str(walking_clip), "--csv", str(table), "--offline", "--device", "cpu"]
        with subprocess.Popen([sys.executable, "-m", "posetrack", *words], stderr=subprocess.PIPE, cwd=ROOT) as process:
            while process.poll() is None and not list(tmp_path.glob(f"*{run}*")):
                time.sleep(0.01)
            time.sleep(delays.uniform(0, 2))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
                process.send_signal(number)
                time.sleep(delays.uniform(0, 0.15))
            _, said = process.communicate(timeout=60)
        codes.add(process.returncode)
        assert process.returncode == (0 if table.exists() else 1), said
        assert b"Traceback" not in said
    assert codes <= {0, 1}


def test_nohup_is_respected(handler):
    handler(signal.SIGHUP, signal.SIG_IGN)
    with supervised():
        signal.raise_signal(signal.SIGHUP)


def shell(command, **environment):
    words = {"cwd": ROOT, "capture_output": True, "env": os.environ | environment}
    return subprocess.run(["sh", "-c", command], **words)


@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full", "2>&- >&- <&-"])
@pytest.mark.slow
def test_a_run_needs_no_terminal(stderr, tmp_path):
    done = shell(f"{sys.executable} -m posetrack {tmp_path}/missing.mp4 --csv {tmp_path}/out.csv {stderr}")
    assert done.returncode == 1
    assert b"Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_a_list_that_cannot_be_written_is_an_error():
    done = shell(f"{sys.executable} -m posetrack --help > /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith(b"posetrack: Cannot write to the standard output: [Errno 28]")
    assert b"Traceback" not in done.stderr


def test_a_pipe_whose_reader_has_gone_is_silent():
    assert shell(f"{sys.executable} -m posetrack --help | head -n 0").stderr == b""


def test_a_terminal_that_fails_during_a_run_loses_text_only(walking_clip, tmp_path, monkeypatch):
    class Full:
        encoding = "utf-8"

        def write(self, text):
            raise OSError(28, "No space left on device")

        flush = isatty = close = lambda self: False

    monkeypatch.setattr(sys, "stderr", Full())
    assert main([str(walking_clip), "--csv", str(tmp_path / "out.csv"), "--offline", "--device", "cpu"]) == 0
    assert (tmp_path / "out.csv").stat().st_size > 1000


@pytest.mark.parametrize("name", ["", "out.bin"])
def test_a_full_disk_is_a_sentence_wherever_it_is_met(name, monkeypatch, capsys):
    def full(args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([name] if name else []))

    monkeypatch.setattr("posetrack.tracker.cli.completion.run", full)
    assert main(["completion", "bash"]) == 1
    place = f" '{name}'" if name else ""
    sentence = f"Cannot write{place}: No space left on device. Free some space or choose another disk."
    assert capsys.readouterr().err == f"posetrack: {sentence}\n"


@pytest.mark.parametrize("limit", OPTIONS)
def test_a_limit_of_memory_under_which_libraries_crash_is_a_sentence(limit, tmp_path):
    """`--help` and mistakes in the request come first, because they need little, as do commands without networks."""
    program = f"""
import resource, sys
from posetrack.tracker.cli import main
resource.setrlimit(resource.{limit}, (900_000_000, -1))
sys.exit(main())
"""
    track = ["a.mp4", "--csv", str(tmp_path / "out.csv")]
    words = [[sys.executable, "-c", program, *each] for each in (track, [*track, "-h"], ["completion", "bash"])]
    refused, *light = (subprocess.run(each, cwd=ROOT, capture_output=True, text=True, check=False) for each in words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("posetrack: Memory is limited to 0.9 GB (ulimit -")
    assert [(done.returncode, done.stderr) for done in light] == [(0, "")] * 2


def test_a_stream_that_failed_is_not_tried_again():
    calls = []

    class Full:
        def write(self, text):
            calls.append(text)
            raise OSError(28, "No space left on device")

    stream = LenientStream(Full())
    assert [stream.write("ab"), stream.write("c")] == [2, 1]
    assert calls == ["ab"]
    assert stream.error is not None


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_names_that_are_not_utf_8(walking_clip, tmp_path):
    folder = tmp_path / os.fsdecode(b"f\xff")
    folder.mkdir()
    clip = shutil.copy(walking_clip, folder / os.fsdecode(b"clip\xff.mp4"))
    table, video = (folder / os.fsdecode(b"out\xff." + end) for end in (b"csv", b"mp4"))
    words = ["--csv", str(table), "--save", str(video), "--features", str(folder / os.fsdecode(b"f\xff.csv"))]
    assert main([str(clip), *words, "--offline", "--device", "cpu"]) == 0
    with table.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
    assert json.loads(table.with_name(f"{table.name}.json").read_bytes())["source"] == str(clip)
    assert video.stat().st_size > 1000


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("latin-1", "utf-8"))]
)
@pytest.mark.slow
def test_any_encoding_of_the_terminal(encoding, tmp_path):
    name = str(tmp_path / "größe-人.mp4")
    words = f"{sys.executable} -m posetrack '{name}' --csv {tmp_path}/out.csv"
    done = shell(words, LC_ALL="C", PYTHONIOENCODING=encoding, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1
    assert b"posetrack: There is no file" in done.stderr
    assert b"Traceback" not in done.stderr


def test_no_text_of_a_file_controls_the_terminal(tmp_path, capfd):
    rows = tmp_path / "a\x1b[2J.csv"
    rows.write_text(
        f"frame,time_s,track_id,state,score,x1,y1,x2,y2,\x9bnose_x\n0,0,1,measured,1,{'9' * 10**5}\x1b]0;,1,1,1\n"
    )
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'"\\u001b[2J{"k" * 10**5}" = 1')
    assert main(["convert", str(rows), "--out", str(tmp_path / "b.txt")]) == 1
    assert main(["a.mp4", "--config", str(recipe)]) == 2
    told = capfd.readouterr().err
    assert told.isprintable() or set(filter(lambda letter: not letter.isprintable(), told)) == {"\n"}
    assert r"\x1b[2J" in told
    assert all(len(line) <= MAX_TEXT for line in told.splitlines())


def test_the_log_of_a_command_is_for_a_terminal():
    record = logging.makeLogRecord({"msg": "'%s' is odd", "args": ("\x1b[31m" + "é人\udcff" + 10**4 * "a",)})
    assert PlainFormatter().format(record).startswith("'\\x1b[31mé人\udcffaaa")
    assert len(PlainFormatter().format(record)) < MAX_TEXT
