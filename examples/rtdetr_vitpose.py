"""Print the keypoints of the people in a photograph: RT-DETR finds the people, ViTPose their keypoints.

python examples/rtdetr_vitpose.py photo.jpg PekingU/rtdetr_r50vd_coco_o365 vitpose-b-simple
"""

import sys

import posetrack

photo, detector, model = sys.argv[1:]
pipeline = posetrack.load_pipeline(model, detector, conf=0.3)
frame = next(iter(posetrack.open_source(photo)))
poses = pipeline.estimate(frame, pipeline.detect(frame))
for number, (keypoints, scores) in enumerate(zip(poses.keypoints, poses.scores)):
    print(f"Person #{number}")
    for name, (x, y), score in zip(pipeline.estimator.skeleton.keypoints, keypoints, scores):
        print(f" - {name}: x={x:.2f}, y={y:.2f}, score={score:.2f}")
