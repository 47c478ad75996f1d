"""Weights: the list of variants, downloads, checkpoints, and the bundled pair of networks."""
