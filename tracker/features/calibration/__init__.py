"""Pixels to metres, and the line of the floor."""
