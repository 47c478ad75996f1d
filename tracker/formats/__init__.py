"""File formats of tracks; each module reads and writes one of them. Ours is `table.py`."""
