"""From pixels to people: the detector and the pose estimator."""
