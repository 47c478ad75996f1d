"""Read webcams and streams live: only the newest frame, reconnecting after a loss."""
