"""Track with a person detector of your own: `python examples/own_detector.py video.mp4 out.mp4`.

The detector here takes anything that moves in front of a static camera for a person. Any function of a frame works.
"""

import sys

import cv2
import numpy as np

import posetrack

LEAST = 0.01  # of the image's area, the smallest person


class MovingThings:
    """Callable `(frame) -> Detections` that finds what differs from the background."""

    def __init__(self) -> None:
        self._background = cv2.createBackgroundSubtractorMOG2(detectShadows=False)

    def __call__(self, frame: posetrack.Frame) -> posetrack.Detections:
        """Return the boxes (N, 4), `x1, y1, x2, y2` in pixels, and the scores (N,) of the people in a frame."""
        foreground = cv2.dilate(self._background.apply(frame.image), np.ones((15, 15), np.uint8))
        contours, _ = cv2.findContours(foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = np.array([cv2.boundingRect(contour) for contour in contours], float).reshape(-1, 4)
        found = found[found[:, 2] * found[:, 3] >= LEAST * foreground.size]  # x, y, width, height
        boxes = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)
        return posetrack.Detections(boxes, np.full(len(boxes), 0.9))


def main(source: str, target: str) -> int:
    """Write an annotated video and return its number of frames."""
    pipeline = posetrack.load_pipeline(detector=MovingThings())
    with (
        posetrack.open_source(source) as frames,
        posetrack.VideoWriter(target, size=frames.size, fps=frames.fps, overwrite=True) as video,
    ):
        for frame, tracks in posetrack.track(frames, pipeline=pipeline):
            video.write(posetrack.draw(frame.image, tracks, colors="side"), frame.time)
        return video.frames_written


if __name__ == "__main__":
    main(*sys.argv[1:3])
