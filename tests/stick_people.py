"""Drawn people in COCO's layout: data that needs no download, whose labels are exact."""

import json

import cv2
import numpy as np

from posetrack.models.geometry.keypoints import COCO

STANDING = np.array(  # a person of 1 x 2 units, in the order of COCO's keypoints
    [
        *([0.5, 0.2], [0.55, 0.15], [0.45, 0.15], [0.6, 0.17], [0.4, 0.17]),
        *([0.7, 0.45], [0.3, 0.45], [0.85, 0.7], [0.15, 0.7], [0.9, 0.95], [0.1, 0.95]),
        *([0.62, 1.0], [0.38, 1.0], [0.65, 1.4], [0.35, 1.4], [0.66, 1.85], [0.34, 1.85]),
    ]
)


def draw(root, *, count=8, name="annotations.json", folder="images", seed=0):
    """Write `count` images of one person each and their annotations; return what the file holds."""
    rng = np.random.default_rng(seed)
    (root / folder).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for i in range(1, count + 1):
        image = rng.integers(40, 90, (120, 100, 3)).astype(np.uint8)
        points = (STANDING + rng.normal(0, 0.05, STANDING.shape)) * rng.uniform(40, 50) + rng.uniform([15, 8], [35, 18])
        for k, (a, b) in enumerate(COCO.limbs):
            ends = [tuple(np.round(points[j]).astype(int).tolist()) for j in (a, b)]
            cv2.line(image, ends[0], ends[1], (13 * k, 255 - 13 * k, 128 + 6 * k), 2)
        for k, (x, y) in enumerate(points):
            cv2.circle(image, (round(x), round(y)), 3, (15 * k, 255 - 15 * k, 255 * (k % 2)), -1)
        cv2.imwrite(str(root / folder / f"{i}.png"), image)
        low, high = points.min(0) - 6, points.max(0) + 6
        images.append({"id": i, "file_name": f"{i}.png", "width": 100, "height": 120})
        annotations.append(
            {
                "id": i,
                "image_id": i,
                "category_id": 1,
                "iscrowd": 0,
                "bbox": [*low.tolist(), *(high - low).tolist()],
                "area": float(np.prod(high - low)),
                "keypoints": np.concatenate([points, np.full((17, 1), 2)], axis=1).ravel().tolist(),
                "num_keypoints": 17,
            }
        )
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(truth))
    return truth
