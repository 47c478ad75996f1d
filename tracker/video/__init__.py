"""Read frames from any source (`open.py`), and write annotated videos and images (`writer.py`)."""
