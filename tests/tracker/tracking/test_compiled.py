"""Machine code is compiled once, told about, and found again without the compiler's rules."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from posetrack.tracker.tracking.compiled import kernel

@kernel
def shifted(values, by):
    out = np.empty_like(values)
    for i in range(len(values)):
        out[i] = values[i] + by
    return out

print(shifted(np.arange(3.0), 2.0).tolist(), "scipy.linalg" in sys.modules, sum(shifted.stats.cache_hits.values()))
"""


def start(tmp_path):
    (tmp_path / "code.py").write_text(CODE)
    place = os.environ | {"POSETRACK_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "code.py"], cwd=tmp_path, env=place, capture_output=True, text=True, check=True
    )


def test_a_later_start_finds_the_machine_code_without_loading_the_compilers_rules(tmp_path):
    first, later = start(tmp_path), start(tmp_path)
    assert first.stdout.split("]")[0] == later.stdout.split("]")[0] == "[2.0, 3.0, 4.0"
    assert first.stdout.split()[-1] == "0"
    assert later.stdout.split()[-2:] == ["False", "1"]
    assert first.stderr == "Compiling the tracker for this machine, once: up to 20 seconds ...\n"
    assert later.stderr == ""
