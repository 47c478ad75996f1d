"""Read images: single ones, numbered series, and files of several."""
