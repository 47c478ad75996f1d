"""Decode the frames and sound of video files and streams."""
