"""The run of one source: its plan, its outputs, its facts for the sidecar."""
