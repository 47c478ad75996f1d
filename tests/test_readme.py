"""The README is true: its Python runs, its commands parse, its options exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)\n```", text, flags=re.DOTALL)


def test_the_quick_start_is_two_commands_of_one_line():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    shell = blocks("sh", section)
    assert len(shell) == 2
    assert all("\n" not in block for block in shell)
    assert "posetrack demo" in shell[0]
    assert "pytest" in shell[1]


def test_python_blocks_run(tmp_path, monkeypatch, walking_clip):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "video.mp4").write_bytes(walking_clip.read_bytes())
    code = blocks("python")
    assert len(code) == 3
    for block in code:
        exec(compile(block, "README.md", "exec"), {})


def commands():
    for block in blocks("console"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[0] == "posetrack":
                yield words[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_commands_parse(words):
    from posetrack.tracker.cli import build_parser

    build_parser().parse_args(words)


def test_every_command_and_option_is_told():
    from posetrack.tracker.cli import build_parser

    parser = build_parser()
    names = set(re.findall(r"--[a-z][a-z-]*", parser.format_help()))
    told = {
        "--source",
        "--save",
        "--csv",
        "--features",
        "--events",
        "--label",
        "--show",
        "--model",
        "--detector",
        "--device",
        "--config",
        "--conf",
    }
    told |= {
        "--max-people",
        "--smooth",
        "--camera",
        "--refine",
        "--person",
        "--roi",
        "--min-length",
        "--blur-faces",
        "--skeleton-only",
        "--start",
        "--end",
        "--overwrite",
        "--skip-existing",
        "--quiet",
        "--offline",
    }
    assert told <= names
    for name in told:
        assert name in README, f"{name} is not in the README"
    for name in parser.commands.choices:
        assert f"posetrack {name}" in README, f"the command {name} is not in the README"


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_python_version_agrees_with_the_metadata():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert f"Python {wanted} or newer" in README
