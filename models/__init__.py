"""Pose and person-detection networks: architecture, pre- and post-processing, weights, training and evaluation."""

import os

# Must be set before torch is imported. By default, OpenMP threads spin while they wait; if another program occupies a
# core, inference then takes tens of times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
