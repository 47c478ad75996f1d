"""Makes `python -m posetrack` the same as the command `posetrack`."""

from .tracker.cli import main

if __name__ == "__main__":  # a worker process imports this module under another name
    raise SystemExit(main())
