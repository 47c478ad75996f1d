"""The measurements of `posetrack bench`: the speed of posetrack on this machine, alone and compared with others."""
