"""The HTML page of a run, and figures for print."""
