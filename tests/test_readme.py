"""The README and the pages of docs/ are correct: Python runs, commands parse, options exist, links work."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from posetrack.tracker.video.sample import make_sample

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPTIONS = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
CARD = ROOT / "models" / "weights" / "bundled" / "MODEL_CARD.md"
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), CARD]


def blocks(language, text=README):
    return re.findall(rf"```{language}\n(.*?)\n```", text, flags=re.DOTALL)


def relative(path):
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else ""


def test_the_quick_start_is_two_commands_of_one_line():
    section = README.split("## Quick start")[1].split("\n## ")[0]
    shell = blocks("sh", section)
    assert len(shell) == 2
    assert all("\n" not in block for block in shell)
    assert "posetrack demo" in shell[0]
    assert "pytest" in shell[1]


@pytest.mark.parametrize(("page", "number"), [("README.md", 1), ("docs/python.md", 6)])
def test_python_blocks_run(page, number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("video.mp4", "clips/a.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        make_sample(tmp_path / name, seconds=0.4, fps=10)
    code = blocks("python", (ROOT / page).read_text(encoding="utf-8"))
    assert len(code) == number
    for block in code:
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_imports_of_python_blocks_exist(page):
    for block in blocks("python", page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith(("from ", "import ")):
                exec(line, {})


def test_lines_of_text_have_at_most_120_characters():
    """Tables, images and shell commands need one line each."""
    long = {
        f"{relative(page)}: {line}"
        for page in PAGES
        for line in re.sub(r"```sh\n.*?\n```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
        if len(line) > 120 and not line.startswith(("|", "!["))
    }
    assert not long


def commands():
    for page in PAGES:
        for block in blocks("console", page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words[0] == "posetrack":
                    yield words[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_commands_parse(words):
    from posetrack.tracker.cli import build_parser

    build_parser().parse_args(words)


def test_the_option_tables_are_complete():
    """Defaults and texts: tests/tracker/test_config.py."""
    from posetrack.tracker.cli import build_parser

    names = set(re.findall(r"--[a-z][a-z-]*", build_parser().format_help())) - {"--help", "--help-all", "--version"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", OPTIONS, flags=re.MULTILINE)) == names


def test_every_public_name_is_on_the_page():
    import posetrack

    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert [name for name in posetrack.__all__ if not re.search(rf"\b{name}\b", page)] == ["__version__"]


def test_every_public_name_is_on_the_api_page():
    import posetrack

    page = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: posetrack\.(\w+)$", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(set(posetrack.__all__) - {"__version__"})


def test_every_page_is_in_the_navigation_of_the_site():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f": {page.name}\n" in navigation, page.name


def test_every_command_is_listed():
    from posetrack.tracker.cli import build_parser

    for name in build_parser().commands.choices:
        assert f"posetrack {name}" in OPTIONS, f"the command {name} is not in docs/options.md"


def test_the_readme_links_every_page():
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in README, page.name


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_paths_exist(page):
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:tracker|models|posetrack|configs|tests|docs)/[\w./-]+\.(?:py|toml|md|txt))`", text):
        assert (ROOT / path).exists(), path


def test_decisions_have_one_number_each():
    numbers = [page.name[:4] for page in (ROOT / "docs" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))


def test_python_version_agrees_with_the_metadata():
    expected = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert f"Python {expected} or newer" in README
