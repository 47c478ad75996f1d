"""How fast posetrack is on this machine, and beside others: what `posetrack bench` measures."""
