"""The application: frames in, tracks and results out."""
