"""Makes `python -m posetrack` the same as the command `posetrack`."""

from .tracker.cli import main

raise SystemExit(main())
