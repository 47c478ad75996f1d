"""Live tracking: the networks, shared by all sessions, and the pictures and frames that clients send."""
