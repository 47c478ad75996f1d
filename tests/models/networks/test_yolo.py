import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from posetrack.models.networks import yolo

ROOT = Path(__file__).parents[3]


pytestmark = pytest.mark.usefixtures("detector_cache")


def test_calibration_is_linear_in_the_logits():
    model = yolo.build().eval()
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = model(images)[0]
        yolo.calibrate(model, slope=1.5, offset=0.8)
        after = model(images)[0]
    torch.testing.assert_close(after[:, :4], before[:, :4])
    torch.testing.assert_close(after[:, 4], torch.sigmoid(1.5 * torch.logit(before[:, 4]) + 0.8), rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_importing_ultralytics_leaves_no_traces(tmp_path):
    script = """
import json, os, sys
import cv2, numpy as np, torch
from PIL import Image
def state():
    printing = vars(torch._tensor_str.PRINT_OPTS)
    return [dict(os.environ), cv2.getNumThreads(), torch.get_num_threads(), repr(printing), np.get_printoptions(),
            torch.save.__module__, Image.open.__module__, repr(sys.excepthook)]
before = state()
from posetrack.models.networks import yolo
assert "ultralytics" not in sys.modules
yolo.build()
assert state() == before, (before, state())
from ultralytics.utils import AUTOINSTALL, LOGGER, ONLINE, SETTINGS
LOGGER.error("hidden")
print(json.dumps([AUTOINSTALL, ONLINE, SETTINGS["sync"]]))
"""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = os.environ | {
        "HOME": str(home),
        "POSETRACK_CACHE": str(tmp_path / "own"),
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(home),
    }
    environment.pop("YOLO_CONFIG_DIR", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], env=environment, cwd=work, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout), done.stderr) == ([False, False, False], "")
    assert list(home.rglob("*")) == list(work.rglob("*")) == []
    assert [p.name for p in (tmp_path / "own").rglob("*") if p.is_file()] == ["settings.json"]


def test_only_one_module_imports_ultralytics():
    sources = [p for room in ("posetrack", "models", "tracker") for p in (ROOT / room).rglob("*.py")]
    importing = [
        p.name for p in sources if "import ultralytics" in p.read_text() or "from ultralytics" in p.read_text()
    ]
    assert importing == ["ultralytics_import.py"]
