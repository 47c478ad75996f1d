"""Networks, the geometry around them, and their weights; nothing of video."""
