"""Live tracking: the networks, shared by all sessions, and the images and frames that clients send."""
