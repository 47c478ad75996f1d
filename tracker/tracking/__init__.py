"""From poses in single frames to people through time."""
