"""Outputs of a run: overlay, window, labels, privacy, tables of features and events, sidecar, summary."""
