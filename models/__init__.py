"""Networks, the geometry around them, and their weights; nothing of video."""

import os

# Before torch is imported: its threads would spin while they wait for each other, and where another program has one of
# the cores, a network then takes tens of times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
