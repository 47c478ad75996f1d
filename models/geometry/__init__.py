"""Keypoints, crops and decoding: from boxes and pixels to network inputs, and from outputs to keypoints."""
