"""Joint angles, motion, postures and events, computed from keypoints."""
