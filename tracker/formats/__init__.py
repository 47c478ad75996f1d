"""Files that hold whole videos of tracked people: read, written, and converted into one another."""
