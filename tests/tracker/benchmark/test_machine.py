"""A measurement states its conditions in any installation."""

import sys

from posetrack.tracker.benchmark.machine import machine


def test_an_installation_without_torch_is_described(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    facts = machine()
    assert facts.keys() >= {"processor", "cores", "posetrack", "openvino"}
    assert "gpu" not in facts
