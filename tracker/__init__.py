"""The running app: video in, people through time, results out."""
