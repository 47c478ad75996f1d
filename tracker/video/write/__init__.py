"""Finish written files: images, the copy of packets beside the sound, and the mark of posetrack."""
