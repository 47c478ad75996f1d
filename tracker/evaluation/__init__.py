"""Tracks, poses and boxes against ground truth."""
