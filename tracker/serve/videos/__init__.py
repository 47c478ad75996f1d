"""Uploaded videos: a queue of jobs, the process that runs each, and their results."""
