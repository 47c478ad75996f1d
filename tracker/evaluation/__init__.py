"""Evaluation of tracks, poses and boxes against ground truth."""
