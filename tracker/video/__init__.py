"""Where frames come from and where videos go: files, streams, cameras, encoders."""
