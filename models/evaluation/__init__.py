"""Evaluation of poses and boxes by the protocols of the datasets and papers."""
