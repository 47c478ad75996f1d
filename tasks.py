"""The project's tasks: `python tasks.py TASK ...`.

All but the first two need an environment with `pip install -e '.[dev]'`.

quickstart  the README's two quick-start commands, verbatim
pythons     the same in a fresh clone, on every Python from the oldest that is supported to the newest
docs        write the rows of docs/options.md from the options' declarations
networks    convert the bundled networks to OpenVINO's form, which the package ships
site        build the documentation, with the API page from the docstrings, into site/; a warning is an error
lint        ruff: style and format
types       mypy, on the wheel as it is installed
test        the test suite, slow tests too
slow        the slow tests alone
fuzz        random input with a new seed each time, for --minutes N (1)
soak        killed runs, full disks, restarted servers and 20,000 frames, about an hour; PART ... for some of them
programs    the tests of other programs, in an environment that has them
wheel       build wheel and sdist, check them for a package index, and run the wheel outside the checkout
links       make the README's links absolute, for its page on a package index; in a GitHub workflow only
"""

from __future__ import annotations

import atexit
import os
import random
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

ROOT = Path(__file__).resolve().parent
PYTHON = sys.executable
PARALLEL = ("-n", "2", "--dist", "worksteal")  # files that end last take as long as half a minute
SKIPS = ("--allowed-skips", ROOT / "tests" / "allowed-skips.txt")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")  # pyproject.toml claims those that passed
PROGRAMS = ("movement", "sleap-io", "opensim", "rtmlib")  # which read what is written, and write what is read
STORES = ("s3fs", "moto[s3]", "flask", "flask-cors")  # a client of S3, and a server that imitates it
PROGRAM_TESTS = ("tests/tracker/formats/test_other_programs.py", "tests/interop")


def sh(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command; a failure ends the task."""
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def quickstart(folder: Path = ROOT, python: Path = Path(PYTHON)) -> None:
    """Type the README's quick-start commands in a checkout, with `python3` standing for a certain Python."""
    section = (folder / "README.md").read_text(encoding="utf-8").split("## Quick start")[1].split("\n## ")[0]
    commands = re.findall(r"```sh\n(.*?)\n```", section, flags=re.DOTALL)
    assert len(commands) == 2, f"the quick start has {len(commands)} shell blocks instead of 2"
    with TemporaryDirectory() as name:
        wrapper = Path(name) / "python3"
        wrapper.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')  # a link would be what the new .venv links to
        wrapper.chmod(0o755)
        environment = os.environ | {"PATH": os.pathsep.join([name, os.environ["PATH"]])}
        for command in commands:
            print("$", command, flush=True)
            subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, check=True)
    for result in ("tracked.mp4", "tracked.csv", "tracked.csv.json"):
        assert (folder / "posetrack-demo" / result).stat().st_size, result


def pythons() -> None:
    """Clone the last commit and run the quick start on every Python; name those that are not to be had."""
    results = {}
    for version in PYTHONS:
        print(f"\n== Python {version}", flush=True)
        python = next(interpreters(version), None)
        if python is None:
            results[version] = "not found: install it, or uv, which fetches it"
            continue
        with TemporaryDirectory() as name:
            sh("git", "clone", "-q", ROOT, name)
            try:
                quickstart(Path(name), python)
                results[version] = f"passed ({python})"
            except (subprocess.CalledProcessError, AssertionError) as error:
                results[version] = f"FAILED ({python}): {error}"
    print(*(f"Python {version}: {result}" for version, result in results.items()), sep="\n")
    if any(result.startswith("FAILED") for result in results.values()):
        sys.exit(1)


def interpreters(version: str) -> Iterator[Path]:
    """Yield Pythons of a version: this one, pyenv's, those on the path, and uv's, which is fetched."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    yield from sorted(
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python3")
    )
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    if shutil.which("uv"):
        subprocess.run(["uv", "python", "install", version], check=False)
        answer = subprocess.run(["uv", "python", "find", version], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def docs() -> None:
    """Write the row of each option in docs/options.md from its declaration in tracker/config/."""
    from posetrack.tracker.config.option import table_rows
    from posetrack.tracker.config.run import GROUPS

    rows, page = table_rows(*GROUPS.values()), ROOT / "docs" / "options.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"\| `(--[a-z-]+)", line):
            lines[number] = rows.pop(match[1], line)
    if rows:
        sys.exit(f"{page} has no row for {', '.join(rows)}. Add one that begins with | `{next(iter(rows))}")
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def networks() -> None:
    """Convert the bundled networks, after a change of their weights."""
    from posetrack.tracker.perception.runtimes.bundled import strip_weights

    folder = ROOT / "models" / "weights" / "bundled"
    for name, words in (("pose", ("bundled",)), ("detector", ("--detector", "bundled"))):
        out = folder / f"{name}.xml"
        sh(PYTHON, "-m", "posetrack", "export", *words, "--to", "openvino", "--half", "--out", out, "--overwrite")
        strip_weights(out, out.with_suffix(".safetensors"))


def site() -> None:
    """Build the documentation as a site."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement of the theme
    sh(PYTHON, "-m", "mkdocs", "build", "--strict")  # --quiet hides warnings from --strict


def lint() -> None:
    """Check style and format."""
    sh(PYTHON, "-m", "ruff", "check", ".")
    sh(PYTHON, "-m", "ruff", "format", "--check", ".")


def test() -> None:
    """Run the tests."""
    sh(PYTHON, "-m", "pytest", *PARALLEL, *SKIPS)


def slow() -> None:
    """Run the slow tests."""
    sh(PYTHON, "-m", "pytest", *PARALLEL, "-m", "slow", "--durations=30", *SKIPS)


def fuzz(minutes: float = 1.0) -> None:
    """Run the tests of random input again and again; a failure ends the task and names its seed."""
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        seed = str(random.SystemRandom().randrange(2**32))
        print(f"POSETRACK_FUZZ_SEED={seed}", flush=True)
        environment = os.environ | {"POSETRACK_FUZZ_SEED": seed, "POSETRACK_FUZZ_CASES": "100"}
        subprocess.run([PYTHON, "-m", "pytest", "-q", ROOT / "tests" / "test_fuzz.py"], env=environment, check=True)


def soak(*parts: str) -> None:
    """Kill runs, fill disks, restart servers and run for long; print what was counted and measured."""
    sh(PYTHON, ROOT / "tests" / "soak.py", *parts)


def programs() -> None:
    """Install other programs beside this environment's libraries, and run their tests; none may skip."""
    with TemporaryDirectory() as name:
        python = borrowing(Path(name))
        sh(python, "-m", "pip", "install", "-q", *PROGRAMS, *STORES)
        sh(python, "-m", "pytest", "--allowed-skips", os.devnull, *PROGRAM_TESTS)


def borrowing(folder: Path) -> Path:
    """Make an environment and return its Python; it finds in this one's libraries what it lacks.

    Nothing large is installed a second time. This environment's own editable install of posetrack is not found.
    """
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")  # a plain line: its .pth are not read
    return python


@cache
def installed_wheel() -> tuple[Path, Path]:
    """Build the wheel and install it into a fresh environment, once; return their folder and that Python."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # setuptools would pack files that are deleted since
    sh(PYTHON, "-m", "build", "--wheel", "--outdir", folder)
    python = borrowing(folder)
    sh(python, "-m", "pip", "install", "-q", "--no-deps", *folder.glob("*.whl"))
    return folder, python


def types() -> None:
    """Check types on the installed wheel, where every package has its real name."""
    folder, python = installed_wheel()
    options = ("--config-file", ROOT / "pyproject.toml", "--python-executable", python)
    sh(PYTHON, "-m", "mypy", *options, "-p", "posetrack", cwd=folder)


def wheel() -> None:
    """Build wheel and sdist, check their metadata, and do the main job with the wheel outside of the checkout."""
    folder, python = installed_wheel()
    sh(PYTHON, "-m", "build", "--sdist", "--outdir", folder)
    sh(PYTHON, "-m", "twine", "check", "--strict", *folder.glob("posetrack-*.[wt]*"))
    sh(python.with_name("posetrack"), "demo", "--out", "demo", cwd=folder)


def links() -> None:
    """Make the README's links absolute: GitHub's variables say where the repository is, and at which tag."""
    server, repository, tag = (os.environ[f"GITHUB_{name}"] for name in ("SERVER_URL", "REPOSITORY", "REF_NAME"))
    page = ROOT / "README.md"
    page.write_text(absolute(page.read_text(encoding="utf-8"), f"{server}/{repository}", tag), encoding="utf-8")


def absolute(text: str, repository: str, tag: str) -> str:
    """Return Markdown with absolute links to files, and to the contents of images, of a repository on GitHub."""

    def replaced(match: re.Match[str]) -> str:
        image, label, target = match.groups()
        return f"{image}[{label}]({repository}/{'raw' if image else 'blob'}/{tag}/{target})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)", replaced, text)


_ALL = (quickstart, pythons, docs, networks, site, lint, types, test, slow, fuzz, soak, programs, wheel, links)
TASKS = {task.__name__: task for task in _ALL}

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fuzz", "--minutes", minutes]:
            fuzz(float(minutes))
        case ["soak", *parts]:
            soak(*parts)
        case names if names and all(name in TASKS for name in names):
            for name in names:
                TASKS[name]()
        case _:
            sys.exit(__doc__)
