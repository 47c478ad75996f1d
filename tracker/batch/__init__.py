"""Many files, or the parts of a long video: in worker processes of this machine, or of a cluster."""
