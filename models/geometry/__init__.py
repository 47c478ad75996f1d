"""Skeletons, crops and decoding: boxes and pixels to network inputs, network outputs to keypoints."""
