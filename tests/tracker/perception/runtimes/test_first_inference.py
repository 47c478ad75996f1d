"""Threads of inference may start at the same moment."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading
import numpy as np, openvino as ov
from openvino import opset13
from posetrack.tracker.perception.runtimes.choice import Choice
from posetrack.tracker.perception.runtimes.openvino import OpenVinoRuntime

image = opset13.parameter([-1, 3, 8, 8], np.float32)
ov.save_model(ov.Model([opset13.relu(image)], [image]), sys.argv[1])
runtime = OpenVinoRuntime(sys.argv[1], Choice("openvino", "cpu", "fp32", "test"), streams=2)
ready, answers = threading.Barrier(16), []

def infer():
    ready.wait()
    answers.append(runtime(np.ones((1, 3, 8, 8), np.float32)).sum())

sys.setswitchinterval(1e-9)  # so that the threads meet in the first inference
threads = [threading.Thread(target=infer) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(answers == [192.0] * 16)
"""


def test_the_first_inference_may_come_from_several_threads_at_once(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "network.xml")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # a deadlock never ends
    assert ended.stdout == "True\n", ended.stderr
