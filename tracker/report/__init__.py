"""A run as a page to read and as figures to print."""
