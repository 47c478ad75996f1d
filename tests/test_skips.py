"""A skip for a reason that was not foreseen fails the run, and every reason is listed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """\
import pytest
def test_runs(): pass
@pytest.mark.skip(reason="needs a GPU")
def test_device(): pass
@pytest.mark.xfail(reason="known")
def test_fault(): assert False
"""


@pytest.mark.parametrize(
    ("workers", "allowed", "library", "code", "message"),
    [
        ("1", "# a comment\nneeds a .*\n", "os", 0, "expected      1 x needs a GPU"),
        ("0", "needs\n", "os", 1, "UNEXPECTED    1 x needs a GPU"),
        ("0", "needs a GPU\n", "nonsense_", 1, "UNEXPECTED    1 x needs nonsense_"),
    ],
)
def test_only_reasons_of_the_file_may_skip(tmp_path, workers, allowed, library, code, message):
    (tmp_path / "allowed.txt").write_text(allowed)
    (tmp_path / "test_one.py").write_text(TESTS)
    module = f"import pytest\npytest.importorskip({library!r}, reason='needs {library}')\ndef test_two(): pass\n"
    (tmp_path / "test_two.py").write_text(module)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ["-p", "skips", "-p", "xdist.plugin", "-n", workers]
    command = [sys.executable, "-m", "pytest", *plugins, "--allowed-skips", "allowed.txt"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert message in result.stdout
    assert result.returncode == code
