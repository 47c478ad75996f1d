"""The shell completes commands, options, values and files; bash is asked for the words itself."""

import shutil
import subprocess

import pytest

from posetrack.tracker.cli import build_parser, completed_parser, main
from posetrack.tracker.cli.completion import SHELLS

ASK = """
source {script}
COMP_WORDS=(posetrack {words}) COMP_CWORD={last} COMPREPLY=()
_shtab_posetrack
echo "${{COMPREPLY[*]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    from contextlib import redirect_stdout

    path = tmp_path_factory.mktemp("completion") / "posetrack.bash"
    with path.open("w") as file, redirect_stdout(file):
        assert main(["completion", "bash"]) == 0
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("be", "bench"),
        ("dance.mp4 --lab", "--label"),
        ("dance.mp4 --label ev", "events"),
        ("--colors si", "side"),
        ("bench tr", "tracker"),
        ("bench tracker --peo", "--people"),
        ("models down", "download"),
    ],
)
def test_bash_completes_words(script, words, completed):
    ask = ASK.format(script=script, words=words, last=len(words.split()))
    result = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == completed


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_the_script(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in build_parser().commands.choices)


def test_a_shell_that_is_not_known_is_refused(capsys):
    assert main(["completion", "bsh"]) == 2
    assert "Did you mean bash?" in capsys.readouterr().err


def test_the_completed_words_are_those_of_the_command_line():
    whole, completed = (set(parser.commands.choices) for parser in (build_parser(), completed_parser()))
    assert whole == completed
