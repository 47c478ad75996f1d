"""The whole of posetrack in one loop: `python demo.py 0`, `python demo.py video.mp4`, `python demo.py rtsp://...`."""

import sys

import cv2

from posetrack import load_pipeline, open_source
from posetrack.models.geometry.keypoints import COCO
from posetrack.tracker.output.overlay import draw


def main(source: str) -> None:
    """Show the tracked people of a source in a window until it ends or q is pressed."""
    pipeline = load_pipeline()
    with open_source(source) as frames:
        for frame in frames:
            tracks = pipeline(frame)
            cv2.imshow("posetrack", draw(frame.image, tracks, skeleton=COCO))
            if cv2.waitKey(1) == ord("q"):
                break


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "0")
