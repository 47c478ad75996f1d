"""Draw a moving person that networks recognise: clips with known repetitions."""

from dataclasses import dataclass

import cv2
import numpy as np

from posetrack.models.geometry.keypoints import COCO


@dataclass(frozen=True)
class Look:
    """Colours (BGR) of a person and their clothes, and the widths of the limbs as a factor."""

    skin: tuple = (140, 170, 215)
    shirt: tuple = (60, 60, 170)
    trousers: tuple = (110, 70, 40)
    shoe: tuple = (40, 40, 40)
    hair: tuple = (30, 40, 60)
    stout: float = 1.0


RED = Look()


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


def draw(image, pose, tall, *, view, look=RED):
    """Draw a person into an image.

    Args:
        image: (H, W, 3) BGR, changed in place.
        pose: (17, 2) keypoints in pixels.
        tall: height of the upright person, pixels.
        view: "right", "left", "front" or "back".
        look: colours and widths.
    """
    at = dict(zip(COCO.keypoints, pose))
    ahead = {"right": 1.0, "left": -1.0}.get(view, 0.0)
    far, near = ("left", "right") if view == "right" else ("right", "left")
    _leg(image, at, far, tall, ahead, 0.8, look)
    if ahead:
        _arm(image, at, far, tall, 0.8, look)
    _leg(image, at, near, tall, ahead, 1.0, look)
    shoulders, hips = ((at[f"left_{name}"] + at[f"right_{name}"]) / 2 for name in ("shoulder", "hip"))
    corners = np.array([at[f"{side}_{name}"] for side in ("left", "right") for name in ("shoulder", "hip")])
    for corner in corners:
        disc(image, corner, 0.045 * look.stout * tall, look.shirt)
    limb(image, shoulders, hips, 0.075 * look.stout * tall, 0.065 * look.stout * tall, look.shirt)
    wider = np.array([0.03 * tall, 0])
    wide = np.concatenate([corners + wider, corners - wider])
    cv2.fillConvexPoly(image, cv2.convexHull(np.round(wide).astype(np.int32)), look.shirt, cv2.LINE_AA)
    _head(image, at, shoulders, tall, view, near, look)
    _arm(image, at, near, tall, 1.0, look)
    if not ahead:
        _arm(image, at, far, tall, 1.0, look)


def _leg(image, at, side, tall, ahead, light, look):
    color, wide = [channel * light for channel in look.trousers], look.stout * tall
    hip, knee, ankle = (at[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    limb(image, hip, knee, 0.055 * wide, 0.04 * wide, color)
    limb(image, knee, ankle, 0.038 * wide, 0.024 * wide, color)
    toe = ankle + np.array([0.07 * ahead, 0.03]) * tall
    limb(image, ankle + np.array([0, 0.01 * tall]), toe, 0.022 * tall, 0.018 * tall, look.shoe)


def _arm(image, at, side, tall, light, look):
    wide = look.stout * tall
    shoulder, elbow, wrist = (at[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    limb(image, shoulder, elbow, 0.032 * wide, 0.026 * wide, [channel * light for channel in look.shirt])
    limb(image, elbow, wrist, 0.024 * wide, 0.018 * wide, look.skin)
    disc(image, wrist + (wrist - elbow) / (np.linalg.norm(wrist - elbow) + 1e-6) * 0.02 * tall, 0.022 * tall, look.skin)


def _head(image, at, shoulders, tall, view, near, look):
    ears = (at["left_ear"] + at["right_ear"]) / 2
    up = (ears - shoulders) / (np.linalg.norm(ears - shoulders) + 1e-6)
    turn = float(np.degrees(np.arctan2(up[1], up[0]))) + 90
    limb(image, shoulders, ears, 0.03 * tall, 0.03 * tall, look.skin)
    centre = ears + up * 0.012 * tall
    cv2.ellipse(image, (tuple(centre.tolist()), (0.10 * tall, 0.135 * tall), turn), look.skin, -1, cv2.LINE_AA)
    if view == "back":
        cv2.ellipse(image, (tuple(centre.tolist()), (0.102 * tall, 0.12 * tall), turn), look.hair, -1, cv2.LINE_AA)
        return
    top = tuple(np.round(centre + up * 0.02 * tall).astype(int).tolist())
    cv2.ellipse(image, top, (int(0.053 * tall), int(0.055 * tall)), turn, 180, 360, look.hair, -1, cv2.LINE_AA)
    for eye in ("left_eye", "right_eye") if view == "front" else (f"{near}_eye",):
        disc(image, at[eye], 0.007 * tall, look.hair)
    disc(image, at["nose"], 0.01 * tall, (100, 130, 190) if view == "front" else look.skin)


SIZE = (960, 540)  # of a video, width and height


def placed(motion, tall=330):
    """Return the keypoints (T, 17, 2) of a `motions.Motion` in a video of `SIZE`, the feet near the lower edge."""
    middle = [SIZE[0] / 2, 0.55 * SIZE[1]]
    return (motion.keypoints - [640, 400]) * tall / np.ptp(motion.keypoints[0, :, 1]) + middle


def images(poses, *, view, tall=330, look=RED):
    """Yield an image (H, W, 3) of each pose, BGR.

    Args:
        poses: (T, 17, 2) keypoints, as `placed` returns them.
        view: see `draw`; must fit the person's yaw.
        tall: height of the upright person, pixels.
        look: colours and widths.
    """
    width, height = SIZE
    rng = np.random.default_rng(0)
    wall = np.full((height, width, 3), (190, 195, 200), np.float32)
    wall[int(height * 0.72) :] = 110, 130, 150
    wall += 2 * cv2.GaussianBlur(rng.normal(0, 40, wall.shape).astype(np.float32), (0, 0), 9)
    wall = np.clip(wall, 0, 255).astype(np.uint8)
    for pose in poses:
        image = wall.copy()
        draw(image, pose, tall, view=view, look=look)
        yield cv2.GaussianBlur(image, (0, 0), 0.7)


def clip(path, poses, *, fps=25, **words):
    """Write a video of one person at a frame rate; for the other arguments see `images`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, SIZE)
    for image in images(poses, **words):
        writer.write(image)
    writer.release()
