"""Read frames from any source (`source.py`), and write annotated videos and images (`writer.py`)."""
