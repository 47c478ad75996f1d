"""Feature extraction: one row of values per person per frame, with the quality of each angle."""
