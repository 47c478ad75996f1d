"""Fixtures of the tests of networks and weights."""

import pytest


@pytest.fixture
def detector_cache(tmp_path, monkeypatch):
    """An empty folder for downloaded detectors, with the network allowed, in an empty current folder."""
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path / "cache"))
    for name in ("POSETRACK_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache" / "ultralytics"
