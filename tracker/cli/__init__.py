"""The command line: parse and wire, no algorithms."""
