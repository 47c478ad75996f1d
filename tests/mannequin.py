"""Draw a moving person that networks recognise: clips with known repetitions."""

import cv2
import numpy as np

from posetrack.models.geometry.keypoints import COCO

SKIN, SHIRT, TROUSERS, SHOE, HAIR = (140, 170, 215), (60, 60, 170), (110, 70, 40), (40, 40, 40), (30, 40, 60)  # BGR


def limb(image, start, end, first, last, color):
    """Draw a shaded, tapered limb with half widths `first` and `last`, pixels."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    across = np.array([start[1] - end[1], end[0] - start[0]]) / (np.linalg.norm(end - start) + 1e-6)
    for share, light in ((1.0, 0.75), (0.8, 0.9), (0.5, 1.05), (0.2, 1.15)):
        shade = tuple(min(255.0, channel * light) for channel in color)
        shift = -across * first * 0.25 * (1 - share) * np.sign(across[0] or 1)
        a, b = start + shift, end + shift
        corners = np.array([a + across * first * share, b + across * last * share])
        corners = np.concatenate([corners, [b - across * last * share, a - across * first * share]])
        cv2.fillConvexPoly(image, np.round(corners * 16).astype(int), shade, cv2.LINE_AA, 4)
        for centre, radius in ((a, first), (b, last)):
            disc(image, centre, radius * share, shade)


def disc(image, centre, radius, color):
    """Draw a disc with a centre and radius in pixels."""
    centre = tuple(np.round(np.asarray(centre) * 16).astype(int).tolist())
    cv2.circle(image, centre, max(16, int(radius * 16)), color, -1, cv2.LINE_AA, 4)


def draw(image, pose, tall, *, view):
    """Draw a person into an image.

    Args:
        image: (H, W, 3) BGR, changed in place.
        pose: (17, 2) keypoints in pixels.
        tall: height of the upright person, pixels.
        view: "right", "left", "front" or "back".
    """
    at = dict(zip(COCO.keypoints, pose))
    ahead = {"right": 1.0, "left": -1.0}.get(view, 0.0)
    far, near = ("left", "right") if view == "right" else ("right", "left")
    _leg(image, at, far, tall, ahead, 0.8)
    if ahead:
        _arm(image, at, far, tall, 0.8)
    _leg(image, at, near, tall, ahead, 1.0)
    shoulders, hips = ((at[f"left_{name}"] + at[f"right_{name}"]) / 2 for name in ("shoulder", "hip"))
    corners = np.array([at[f"{side}_{name}"] for side in ("left", "right") for name in ("shoulder", "hip")])
    for corner in corners:
        disc(image, corner, 0.045 * tall, SHIRT)
    limb(image, shoulders, hips, 0.075 * tall, 0.065 * tall, SHIRT)
    wider = np.array([0.03 * tall, 0])
    wide = np.concatenate([corners + wider, corners - wider])
    cv2.fillConvexPoly(image, cv2.convexHull(np.round(wide).astype(np.int32)), SHIRT, cv2.LINE_AA)
    _head(image, at, shoulders, tall, view, near)
    _arm(image, at, near, tall, 1.0)
    if not ahead:
        _arm(image, at, far, tall, 1.0)


def _leg(image, at, side, tall, ahead, light):
    color = [channel * light for channel in TROUSERS]
    hip, knee, ankle = (at[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    limb(image, hip, knee, 0.055 * tall, 0.04 * tall, color)
    limb(image, knee, ankle, 0.038 * tall, 0.024 * tall, color)
    toe = ankle + np.array([0.07 * ahead, 0.03]) * tall
    limb(image, ankle + np.array([0, 0.01 * tall]), toe, 0.022 * tall, 0.018 * tall, SHOE)


def _arm(image, at, side, tall, light):
    shoulder, elbow, wrist = (at[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    limb(image, shoulder, elbow, 0.032 * tall, 0.026 * tall, [channel * light for channel in SHIRT])
    limb(image, elbow, wrist, 0.024 * tall, 0.018 * tall, SKIN)
    disc(image, wrist + (wrist - elbow) / (np.linalg.norm(wrist - elbow) + 1e-6) * 0.02 * tall, 0.022 * tall, SKIN)


def _head(image, at, shoulders, tall, view, near):
    ears = (at["left_ear"] + at["right_ear"]) / 2
    up = (ears - shoulders) / (np.linalg.norm(ears - shoulders) + 1e-6)
    turn = float(np.degrees(np.arctan2(up[1], up[0]))) + 90
    limb(image, shoulders, ears, 0.03 * tall, 0.03 * tall, SKIN)
    centre = ears + up * 0.012 * tall
    cv2.ellipse(image, (tuple(centre.tolist()), (0.10 * tall, 0.135 * tall), turn), SKIN, -1, cv2.LINE_AA)
    if view == "back":
        cv2.ellipse(image, (tuple(centre.tolist()), (0.102 * tall, 0.12 * tall), turn), HAIR, -1, cv2.LINE_AA)
        return
    top = tuple(np.round(centre + up * 0.02 * tall).astype(int).tolist())
    cv2.ellipse(image, top, (int(0.053 * tall), int(0.055 * tall)), turn, 180, 360, HAIR, -1, cv2.LINE_AA)
    for eye in ("left_eye", "right_eye") if view == "front" else (f"{near}_eye",):
        disc(image, at[eye], 0.007 * tall, HAIR)
    disc(image, at["nose"], 0.01 * tall, (100, 130, 190) if view == "front" else SKIN)


def clip(path, motion, *, view, fps=25, size=(960, 540), tall=330):
    """Write a video of a `motions.Motion`, the feet near the lower edge.

    Args:
        path: of the video.
        motion: times must have the frame rate `fps`.
        view: see `draw`; must fit the motion's yaw.
        fps: frames per second.
        size: (width, height) pixels.
        tall: height of the upright person, pixels.
    """
    width, height = size
    rng = np.random.default_rng(0)
    wall = np.full((height, width, 3), (190, 195, 200), np.float32)
    wall[int(height * 0.72) :] = 110, 130, 150
    wall += 2 * cv2.GaussianBlur(rng.normal(0, 40, wall.shape).astype(np.float32), (0, 0), 9)
    wall = np.clip(wall, 0, 255).astype(np.uint8)
    poses = (motion.keypoints - [640, 400]) * tall / np.ptp(motion.keypoints[0, :, 1]) + [width / 2, 0.55 * height]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, size)
    for pose in poses:
        image = wall.copy()
        draw(image, pose, tall, view=view)
        writer.write(cv2.GaussianBlur(image, (0, 0), 0.7))
    writer.release()
