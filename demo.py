"""posetrack in one loop: `python demo.py 0`, `python demo.py video.mp4`, `python demo.py rtsp://...`."""

import sys

import posetrack


def main(source: str) -> None:
    """Show the tracked people of a source in a window until it ends or q is pressed."""
    with posetrack.Window("posetrack") as window:
        for frame, tracks in posetrack.track(source):
            window.write(posetrack.draw(frame.image, tracks), frame.time)
            if window.closed:
                break


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "0")
