"""Associate the poses of single frames into tracks."""
