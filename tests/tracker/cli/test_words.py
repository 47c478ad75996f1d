"""The words of the command line: sources without a flag, and misspelt words that get a suggestion."""

import json
from pathlib import Path

import pytest

from posetrack.models.cache import cache_folder
from posetrack.tracker.cli import build_parser, main
from posetrack.tracker.video.address import parse_source


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sorce", "dance.mp4"], "Unknown option '--sorce'. Did you mean --source?"),
        (["dance.mp4", "--cvs=out.csv"], "Unknown option '--cvs'. Did you mean --csv?"),
        (["dance.mp4", "--savve", "out.mp4"], "Unknown option '--savve'. Did you mean --save?"),
        (["dance.mp4", "--no-flp"], "Unknown option '--no-flp'. Did you mean --flip?"),
        (["dance.mp4", "--xyzzy"], "Unknown option '--xyzzy'. See posetrack --help."),
        (["bensh"], "There is neither a file nor a command 'bensh'. Did you mean bench?"),
        (["eval-traking", "--truth", "a"], "nor a command 'eval-traking'. Did you mean eval-tracking?"),
        (["help"], "There is neither a file nor a command 'help'. See posetrack --help."),
        (["run", "dance.mp4"], "There is neither a file nor a command 'run'."),
        (["demo", "--otu", "x"], "Unknown option '--otu'. Did you mean --out?"),
        (["demo", "more"], "Unexpected argument 'more'. See posetrack demo --help."),
        (["bench", "pipeline", "--frmes", "3"], "Unknown option '--frmes'. Did you mean --frames?"),
        (["models", "infos"], "Did you mean info?"),
        (
            ["models", "list"],
            "'list' is not a valid choice for ACTION. Choose one of download, info, convert; see posetrack models",
        ),
        (["dance.mp4", "--jobs"], "--jobs needs a value. See posetrack --help."),
        (["bench", "pipeline", "--rounds", "1.5"], "--rounds is '1.5'; give a whole number. See posetrack bench"),
        (["dance.mp4", "--det", "yolo"], "Unknown option '--det'. Did you mean --detect-every?"),
        (["features", "out.csv", "--out", "f.csv", "--heig", "1"], "Unknown option '--heig'."),
        (["convert", "out.csv", "--output", "out.trc"], "Unknown option '--output'. Did you mean --out?"),
        (["convert", "out.csv"], "This is missing: --out. See posetrack convert --help."),
        (["dance.mp4", "--conf", "much"], "--conf is 'much'; give a number. See posetrack --help."),
        (["dance.mp4", "--conf"], "--conf needs a value. See posetrack --help."),
    ],
)
def test_a_word_that_is_not_known_is_one_line_with_the_nearest(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    message = capsys.readouterr().err
    assert message.startswith("posetrack: ")
    assert sentence in message
    assert message.count("\n") == 1


def test_sources_need_no_flag_and_may_stand_anywhere():
    parse = build_parser().parse_args
    assert parse(["dance.mp4", "--csv", "out.csv"]).sources == ["dance.mp4"]
    assert parse(["--csv", "out.csv", "dance.mp4"]).sources == ["dance.mp4"]
    assert parse(["a.mp4", "b.mp4", "rtsp://camera/1", "--quiet"]).sources == ["a.mp4", "b.mp4", "rtsp://camera/1"]
    assert parse(["0"]).sources == ["0"]
    assert parse(["./demo"]).sources == ["./demo"]


def test_a_file_that_is_named_almost_as_a_command_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bensh").touch()
    assert build_parser().parse_args(["bensh"]).sources == ["bensh"]


def test_the_first_word_that_is_a_command_is_one():
    assert build_parser().parse_args(["demo", "--out", "here"]).out == "here"


def test_a_missing_file_is_reported_before_a_missing_display(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["none.mp4"]) == 1
    assert "There is no file 'none.mp4'." in capsys.readouterr().err


def test_shared_options_have_the_same_words_in_every_command():
    commands = build_parser().commands.choices
    words = {}
    for name, parser in commands.items():
        lines = " ".join(parser.format_help().split())
        for option in ("--overwrite", "--offline"):
            if option in lines and name != "serve":
                words.setdefault(option, set()).add(lines.split(f"{option} ")[-1].split(" (default: ")[0])
    assert words == {"--overwrite": {"replace existing results"}, "--offline": {"never access the internet"}}


def test_json_replaces_a_file_only_if_asked(capsys, tmp_path):
    path = tmp_path / "facts.json"
    words = ["models", "info", "bundled", "--json", str(path)]
    assert main(words) == 0
    assert [network["network"] for network in json.loads(path.read_text())] == ["pose network", "person detector"]
    assert main(words) == 1
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


@pytest.mark.parametrize("columns", ["0", "1", "x"])
def test_help_for_a_terminal_of_any_width(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["--help-all"]) == 0
    assert "--csv" in capsys.readouterr().out


def test_the_home_of_an_unknown_user_is_no_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POSETRACK_CACHE", "~no-such-user/cache")
    assert cache_folder() == Path("~no-such-user/cache")
    assert parse_source("~no-such-user/a.mp4") == Path("~no-such-user/a.mp4")
