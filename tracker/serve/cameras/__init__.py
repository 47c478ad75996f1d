"""Cameras of the server, and their viewers."""
