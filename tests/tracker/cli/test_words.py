"""The words of the command line: sources without a flag, and misspelt words that get a suggestion."""

import pytest

from posetrack.tracker.cli import build_parser, main


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
        (["dance.mp4", "--conf", "much"], "--conf: invalid float value: 'much'. See posetrack --help."),
        (["dance.mp4", "--conf"], "--conf: expected one argument. See posetrack --help."),
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
