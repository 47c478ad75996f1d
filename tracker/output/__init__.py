"""What a run leaves behind: overlay, video, CSV, sidecar, window, summary."""
