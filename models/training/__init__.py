"""Training of pose networks and detectors."""
