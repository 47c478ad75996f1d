"""The project's tasks: `python tasks.py TASK`, in an environment with `pip install -e '.[dev]'`.

lint    ruff: style and format
types   mypy, on the wheel as it is installed
test    the test suite, slow tests too
wheel   build the wheel and run it outside of the checkout
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent
PYTHON = sys.executable


def sh(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command; a failure ends the task."""
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], cwd=cwd, check=True)


def lint() -> None:
    """Check style and format."""
    sh(PYTHON, "-m", "ruff", "check", ".")
    sh(PYTHON, "-m", "ruff", "format", "--check", ".")


def test() -> None:
    """Run the tests."""
    sh(PYTHON, "-m", "pytest")


def installed_wheel(folder: Path) -> Path:
    """Build the wheel, install it into a fresh environment and return that environment's Python.

    The environment borrows this one's libraries, so that nothing large is installed a second time.
    """
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # setuptools would pack files that are deleted since
    sh(PYTHON, "-m", "build", "--wheel", "--outdir", folder)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    sh(python, "-m", "pip", "install", "-q", "--no-deps", *folder.glob("*.whl"))
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # A plain path line adds the libraries but not this environment's own editable install of posetrack.
    (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def types() -> None:
    """Check types on the installed wheel, where every package stands under its real name."""
    with TemporaryDirectory() as name:
        python = installed_wheel(Path(name))
        config = ROOT / "pyproject.toml"
        sh(
            PYTHON,
            "-m",
            "mypy",
            "--config-file",
            config,
            "--python-executable",
            python,
            "-p",
            "posetrack",
            cwd=Path(name),
        )


def wheel() -> None:
    """Build the wheel and do the main job with it outside of the checkout."""
    with TemporaryDirectory() as name:
        python = installed_wheel(Path(name))
        sh(python, "-m", "posetrack", "demo", "--output", "demo", cwd=Path(name))


TASKS = {task.__name__: task for task in (lint, types, test, wheel)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or any(name not in TASKS for name in sys.argv[1:]):
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        TASKS[name]()
