"""A secret of an address is in no message and in no file."""

import itertools

import pytest
import servers

from posetrack.errors import PosetrackError
from posetrack.tracker.cli import main
from posetrack.tracker.video.address import redact_error
from posetrack.tracker.video.open import open_source

SECRET = "hunter2"
KEYS = ("password", "access_token", "session", "jwt", "sid", "code", "pin", "p", "sig", "%70assword", "x")
ADDRESSES = [
    "http://me:{secret}@127.0.0.1:{port}/live",
    "http://{secret}@127.0.0.1:{port}/live",
    "http://me:a/b?c#{secret}@127.0.0.1:{port}/live",
    *(f"http://127.0.0.1:{{port}}/live?n=1&{key}={{secret}}" for key in KEYS),
    "http://127.0.0.1:{port}/live?n=1;{secret}",
    "http://127.0.0.1:{port}/live?channel={secret}",
    "http://127.0.0.1:{port}/live#access_token={secret}",
    "http://127.0.0.1:{port}/{secret}/live",
    "http://127.0.0.1:{port}/live/{secret}.m3u8",
    "http://127.0.0.1:{port}/user=me_password={secret}_channel=1.sdp",
    "concat:http://me:{secret}@127.0.0.1:{port}/a|http://me:{secret}@127.0.0.1:{port}/b",
    "http://me:a b'c|{secret}@127.0.0.1:{port}/live",
    "me:{secret}@127.0.0.1/live",
    "rtsp://me:{secret}@127.0.0.1:{port}/live",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_error_names_a_secret(address, caplog):
    with pytest.raises(PosetrackError) as caught:
        open_source(address.format(secret=SECRET, port=1), timeout=1, reconnect=0)  # nothing listens there
    assert SECRET not in str(caught.value) + caplog.text
    assert "***" in str(caught.value)


@pytest.mark.parametrize("words", [["ADDRESS"], ["--start", "ADDRESS"], ["models", "ADDRESS"], ["bench", "ADDRESS"]])
def test_no_usage_error_names_a_secret(words, capsys):
    address = ADDRESSES[0].format(secret=SECRET, port=1)
    assert main([address if word == "ADDRESS" else word for word in words] + ["--no-such-option"]) == 2
    assert SECRET not in capsys.readouterr().err


OPTIONS = (
    "--model",
    "--detector",
    "--config",
    "--save",
    "--csv",
    "--features",
    "--report",
    "--roi",
    "--label",
    "--jobs",
)
COMMANDS = (
    ["convert", "ADDRESS", "--out", "x.csv"],
    ["features", "ADDRESS", "--out", "x.csv"],
    ["summary", "ADDRESS", "--out", "x.csv"],
    ["report", "ADDRESS", "--out", "x.html"],
    ["plot", "ADDRESS", "--out", "x.png"],
    ["eval-tracking", "--truth", "ADDRESS", "--result", "ADDRESS"],
    ["models", "info", "ADDRESS"],
    *(["clip.mp4", f"{option}=ADDRESS", "--offline"] for option in OPTIONS),
)


@pytest.mark.parametrize("address", [ADDRESSES[0], ADDRESSES[-3], f"https://127.0.0.1:1/{SECRET}.pt?x={SECRET}"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_error_of_a_command_names_a_secret(words, address, walking_clip, tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").symlink_to(walking_clip)
    address = address.format(secret=SECRET, port=1)
    assert main([word.replace("ADDRESS", address) for word in words]) in (1, 2)
    assert SECRET not in "".join(capsys.readouterr()) + caplog.text
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4"}


def test_no_error_names_a_secret_of_a_recipe(walking_clip, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f'model = "{ADDRESSES[0].format(secret=SECRET, port=1)}"\n')
    assert main([str(walking_clip), "--config", str(recipe), "--csv", str(tmp_path / "out.csv"), "--offline"]) in (1, 2)
    assert SECRET not in capsys.readouterr().err


def test_addresses_without_a_secret_are_shown():
    address = "https://github.com/ultralytics/assets/releases/download/v8.3.0/yolo11n.pt"
    assert redact_error(f"Cannot download {address}: no answer.", ["yolo11n.pt"]).split()[2] == f"{address}:"
    assert redact_error("Cannot read 'C:/data/a.csv'.", ["C:/data/a.csv"]) == "Cannot read 'C:/data/a.csv'."


def test_no_output_of_a_run_holds_a_secret(tmp_path, capfd, caplog):
    def body():
        return servers.multipart(itertools.repeat(servers.jpeg(90)))

    with servers.LiveServer(body, kind="multipart/x-mixed-replace; boundary=image", pace=0.02) as server:
        address = f"http://me:{SECRET}@127.0.0.1:{server.port}/{SECRET}/live?token={SECRET}&n=1"
        outputs = {"save": "out.mp4", "csv": "out.csv", "features": "f.csv", "events": "e.csv", "report": "out.html"}
        words = [part for name, file in outputs.items() for part in (f"--{name}", str(tmp_path / file))]
        assert main([address, *words, "--end", "1", "--offline", "--device", "cpu"]) == 0
    printed = "".join(capfd.readouterr()) + caplog.text
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert {*outputs.values(), "out.csv.json"} <= files.keys()
    assert SECRET not in printed
    assert [name for name, data in files.items() if SECRET.encode() in data] == []
    assert f"http://***@127.0.0.1:{server.port}/***/live?***&n=1".encode() in files["out.csv.json"]
