"""Skeletons of datasets other than COCO; names, limbs and sigmas follow mmpose."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from ...errors import ModelError, UsageError
from .keypoints import COCO, Skeleton


def _skeleton(
    name: str,
    keypoints: str,
    *,
    limbs: tuple[str, ...],
    sigmas: tuple[float, ...],
    further_pairs: tuple[tuple[int, int], ...] = (),
) -> Skeleton:
    """Build a skeleton from names; limbs are chains of keypoints, and left_x is the mirror image of right_x."""
    names = tuple(keypoints.split())
    row = {keypoint: i for i, keypoint in enumerate(names)}
    chains = [[row[keypoint] for keypoint in chain.split()] for chain in limbs]
    sides = [(row[x], row[x.replace("left_", "right_", 1)]) for x in names if x.startswith("left_")]
    return Skeleton(
        name=name,
        keypoints=names,
        limbs=tuple(limb for chain in chains for limb in pairwise(chain)),
        flip_pairs=(*sides, *further_pairs),
        sigmas=sigmas,
    )


AIC = _skeleton(
    "aic",
    "right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist"
    " right_hip right_knee right_ankle left_hip left_knee left_ankle head_top neck",
    limbs=(
        "right_wrist right_elbow right_shoulder neck left_shoulder left_elbow left_wrist",
        "right_ankle right_knee right_hip left_hip left_knee left_ankle",
        "head_top neck",
        "right_shoulder right_hip",
        "left_shoulder left_hip",
    ),
    # Half of the delta in AI Challenger's own evaluation.
    sigmas=(
        *(0.01388152, 0.01515228, 0.01057665, 0.01417709, 0.01497891, 0.01402144),
        *(0.03909642, 0.03686941, 0.01981803, 0.03843971, 0.03412318, 0.02415081),
        *(0.01291456, 0.01236173),
    ),
)

MPII = _skeleton(
    "mpii",
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top"
    " right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist",
    limbs=(
        "right_ankle right_knee right_hip pelvis left_hip left_knee left_ankle",
        "pelvis thorax upper_neck head_top",
        "upper_neck right_shoulder right_elbow right_wrist",
        "upper_neck left_shoulder left_elbow left_wrist",
    ),
    # MPII measures PCKh and defines no sigmas; mmpose adapted these from COCO's.
    sigmas=(
        *(0.089, 0.083, 0.107, 0.107, 0.083, 0.089, 0.026, 0.026, 0.026, 0.026),
        *(0.062, 0.072, 0.179, 0.179, 0.072, 0.062),
    ),
)

AP10K = _skeleton(
    "ap10k",
    "left_eye right_eye nose neck root_of_tail left_shoulder left_elbow left_front_paw"
    " right_shoulder right_elbow right_front_paw left_hip left_knee left_back_paw right_hip right_knee right_back_paw",
    limbs=(
        "nose left_eye right_eye nose neck root_of_tail",
        "neck left_shoulder left_elbow left_front_paw",
        "neck right_shoulder right_elbow right_front_paw",
        "root_of_tail left_hip left_knee left_back_paw",
        "root_of_tail right_hip right_knee right_back_paw",
    ),
    # Uncertain: the paper gives none. mmpose uses these: COCO's values in COCO's order (except the nose), which is why
    # the left and right of a joint differ.
    sigmas=(
        *(0.025, 0.025, 0.026, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
        *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ),
)

APT36K = replace(AP10K, name="apt36k")  # the same 17 keypoints; its sigmas are as uncertain

POSETRACK18 = _skeleton(
    "posetrack18",
    "nose head_bottom head_top " + " ".join(COCO.keypoints[3:]),  # its ears are never labelled
    limbs=(
        "head_top nose head_bottom",
        "left_shoulder head_bottom right_shoulder left_shoulder left_elbow left_wrist",
        "right_shoulder right_elbow right_wrist",
        "left_shoulder left_hip left_knee left_ankle",
        "right_shoulder right_hip right_knee right_ankle",
        "left_hip right_hip",
    ),
    sigmas=COCO.sigmas,  # mmpose's; the dataset's own metric is relative to the head size
)

BODY_25 = _skeleton(  # OpenPose's, in its order
    "body_25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip"
    " right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear"
    " left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    limbs=(
        "right_ear right_eye nose left_eye left_ear",
        "nose neck mid_hip",
        "right_wrist right_elbow right_shoulder neck left_shoulder left_elbow left_wrist",
        "right_ankle right_knee right_hip mid_hip left_hip left_knee left_ankle",
        *(f"{side}_small_toe {side}_big_toe {side}_ankle {side}_heel" for side in ("left", "right")),
    ),
    # COCO's and COCO-WholeBody's; neck and mid_hip, which neither defines, use those of a shoulder and a hip.
    sigmas=(
        *(0.026, 0.079, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062, 0.107),
        *(0.107, 0.087, 0.089, 0.107, 0.087, 0.089, 0.025, 0.025, 0.035, 0.035),
        *(0.068, 0.066, 0.066, 0.092, 0.094, 0.094),
    ),
)

_FACE_MIRRORS = (  # (first, last, sum): points of the right side; a point's number plus its mirror image's
    (0, 7, 16),  # jaw
    (17, 21, 43),  # brow
    (31, 32, 66),  # nostrils
    (36, 39, 81),  # eye, upper lid and corners
    (40, 41, 87),  # eye, lower lid
    (48, 50, 102),  # lips, outer upper edge
    (55, 56, 114),  # lips, outer lower edge
    (60, 61, 124),  # lips, inner upper edge
    (65, 65, 132),  # lips, inner lower edge
)
_FACE = 23  # row of the face's first point
_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")


def _hand(side: str) -> str:
    return f" {side}_hand_root " + " ".join(f"{side}_{finger}{i}" for finger in _FINGERS for i in range(1, 5))


_FOOT_LIMBS = tuple(
    f"{side}_ankle {side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)

_HAND_SIGMAS = (
    *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
    *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031),
)

COCO_WHOLEBODY = _skeleton(
    "wholebody",
    " ".join(COCO.keypoints)
    + " left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel "
    + " ".join(f"face_{i}" for i in range(68))
    + _hand("left")
    + _hand("right"),
    limbs=(
        *(f"{COCO.keypoints[a]} {COCO.keypoints[b]}" for a, b in COCO.limbs),
        *_FOOT_LIMBS,
        *(
            f"{side}_wrist " + " ".join(f"{side}_{finger}{i}" for i in range(1, 5))
            for side in ("left", "right")
            for finger in _FINGERS
        ),
    ),
    further_pairs=tuple(
        (_FACE + total - i, _FACE + i) for first, last, total in _FACE_MIRRORS for i in range(first, last + 1)
    ),
    # COCO-WholeBody's own evaluation.
    sigmas=(
        *COCO.sigmas,
        *(0.068, 0.066, 0.066, 0.092, 0.094, 0.094),
        *(0.042, 0.043, 0.044, 0.043, 0.040, 0.035, 0.031, 0.025, 0.020, 0.023, 0.029, 0.032, 0.037, 0.038, 0.043),
        *(0.041, 0.045, 0.013, 0.012, 0.011, 0.011, 0.012, 0.012, 0.011, 0.011, 0.013, 0.015, 0.009, 0.007, 0.007),
        *(0.007, 0.012, 0.009, 0.008, 0.016, 0.010, 0.017, 0.011, 0.009, 0.011, 0.009, 0.007, 0.013, 0.008, 0.011),
        *(0.012, 0.010, 0.034, 0.008, 0.008, 0.009, 0.008, 0.008, 0.007, 0.010, 0.008, 0.009, 0.009, 0.009, 0.007),
        *(0.007, 0.008, 0.011, 0.008, 0.008, 0.008, 0.01, 0.008),
        *_HAND_SIGMAS,
        *_HAND_SIGMAS,
    ),
)

CROWDPOSE = _skeleton(
    "crowdpose",
    "left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_hip right_hip"
    " left_knee right_knee left_ankle right_ankle top_head neck",
    limbs=(
        "left_ankle left_knee left_hip right_hip right_knee right_ankle",
        "left_hip left_shoulder right_shoulder right_hip",
        "left_shoulder left_elbow left_wrist",
        "right_shoulder right_elbow right_wrist",
        "left_shoulder neck right_shoulder",
        "top_head neck",
    ),
    # CrowdPose's own evaluation.
    sigmas=(
        *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107),
        *(0.087, 0.087, 0.089, 0.089, 0.079, 0.079),
    ),
)

HALPE26 = _skeleton(
    "halpe26",
    " ".join(COCO.keypoints) + " head neck hip left_big_toe right_big_toe left_small_toe right_small_toe"
    " left_heel right_heel",
    limbs=(
        "left_ear left_eye nose right_eye right_ear",
        "head neck hip",
        "left_wrist left_elbow left_shoulder neck right_shoulder right_elbow right_wrist",
        "left_ankle left_knee left_hip hip right_hip right_knee right_ankle",
        *_FOOT_LIMBS,
    ),
    sigmas=(*COCO.sigmas, 0.026, 0.026, 0.066, *(0.079,) * 6),  # Halpe-FullBody's own evaluation
)

COCO_25 = _skeleton(  # easy_ViTPose's: COCO with neck, hip and feet
    "coco_25",
    "nose left_eye right_eye left_ear right_ear neck left_shoulder right_shoulder left_elbow right_elbow"
    " left_wrist right_wrist left_hip right_hip hip left_knee right_knee left_ankle right_ankle"
    " left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    limbs=(
        "left_ear left_eye nose right_eye right_ear",
        "nose neck hip",
        "left_wrist left_elbow left_shoulder neck right_shoulder right_elbow right_wrist",
        "left_ankle left_knee left_hip hip right_hip right_knee right_ankle",
        *_FOOT_LIMBS,
    ),
    # As of BODY_25, which has the same keypoints in another order.
    sigmas=(
        *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.079, 0.072, 0.072),
        *(0.062, 0.062, 0.107, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
        *(0.068, 0.066, 0.066, 0.092, 0.094, 0.094),
    ),
)

AUTO = "auto"  # in place of a dataset: the one whose keypoints the network estimates
# In the order of ViTPose+'s experts and heads.
DATASETS: dict[str, Skeleton] = {s.name: s for s in (COCO, AIC, MPII, AP10K, APT36K, COCO_WHOLEBODY)}
SKELETONS = DATASETS | {s.name: s for s in (CROWDPOSE, HALPE26, COCO_25)}


def skeleton(dataset: str) -> Skeleton:
    """Return the skeleton of a dataset.

    Raises:
        UsageError: the name is unknown; the message lists the known ones.
    """
    if dataset not in SKELETONS:
        raise UsageError(f"There is no dataset '{dataset}'. Choose one of {', '.join(SKELETONS)}.")
    return SKELETONS[dataset]


def fitting(num_keypoints: int, dataset: str, label: str) -> Skeleton:
    """Return the skeleton of a network's keypoints.

    Args:
        num_keypoints: of the network.
        dataset: a name of `SKELETONS`; or `AUTO`: COCO for 17 keypoints, otherwise the only one with as many.
        label: name of the network, for messages.

    Raises:
        ModelError: the dataset has another number of keypoints, or none or several have this one.
        UsageError: the name is unknown.
    """
    named = None if dataset == AUTO else skeleton(dataset)
    fits = [known for known in SKELETONS.values() if len(known) == num_keypoints]
    if named in fits:
        return named
    if named is None and (COCO in fits or len(fits) == 1):
        return fits[0]
    but = f", but the skeleton of {named.name} has {len(named)}" if named else ""
    remedy = f"Add --dataset {' or '.join(known.name for known in fits)}." if fits else "Give another network."
    raise ModelError(f"{label} estimates {num_keypoints} keypoints{but}. {remedy}")
