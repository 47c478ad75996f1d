"""How a pose tracker decides: its options, their defaults and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass

LATENCIES = {"none": 0, "kalman": 0, "one-euro": 10}  # ms in an ordinary walk; docs/decisions/0011-smoothing.md


# Thresholds for a detector whose scores are calibrated: a box with score .68 is a person in 68 of 100 cases. Published
# detectors give lower scores; the defaults below are for them. A skeleton under a cloth reached .66.
CALIBRATED: dict[str, float] = {"high_score": 0.5, "birth_score": 0.68, "inside_score": 0.68}


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """How a `PoseTracker` decides. Times are in seconds, so that the frame rate does not matter.

    A person's size is the square root of the box's area, as in OKS.

    Attributes:
        high_score: box score from which a pose is matched first, and somebody is shown in the first frame.
        birth_score: box score from which a pose may begin a track.
        credit: sum of the box scores of those frames that saw a person, from which the track is shown; a frame counts
            .6 at the most, so that one is not enough, and the less sure need more than two.
        low_score: box score below which a pose is ignored; between the two it may only continue a track.
        duplicate: OKS of two poses in one frame, one box half in the other, from which the less sure one is a copy.
        gate: similarity of a track with a pose, of IoU, OKS and looks, from which they can be one person.
        low_gate: the same for poses below `high_score`.
        part: similarity that a box which lies in a track's has at the least, as the visible part of somebody.
        likeness: how much looks add to the similarity or take from it; 0 ignores them.
        reach_gate: how likely, next to the expected place, the place must be where somebody comes back.
        place: standard deviation of the place of somebody who comes back where they were last seen, in sizes; it grows
            to that in `predicted_seconds`.
        tolerance: share of a person's width or height that may be missing before the box is taken for a part of them.
        part_seconds: how soon a person of whom only a part is seen is believed to be that small (to 1 / e).
        inside_score: box score from which somebody may begin a track in the box of another, where parts appear too.
        tentative_seconds: how long a track that was never shown waits for its next frame.
        predicted_seconds: how long people and keypoints that nobody sees are shown where they should be.
        lost_seconds: how long somebody who is not seen can come back with the same id.
        missed_looks: how many looks in a row may miss somebody before `tentative_seconds` and `lost_seconds` count: in
            a slow video, these are over before the next look.
        box_noise: standard deviation of a measured box's centre and size, in sizes.
        keypoint_noise: standard deviation of a measured keypoint with score 1, in sizes times its sigma.
        keypoint_gate: standard deviations from where it is expected, from which a measured keypoint is left out.
        keypoint_patience: how many such measurements in a row, each near the last, are believed.
        box_agility: how far the box's speed strays in a second, in sizes per second.
        scale_agility: how far the box's width and height stray in a second, in sizes per root of a second.
        keypoint_agility: the same of the keypoints.
        lost_settle_seconds: how soon somebody whom nobody sees comes to rest (to 1 / e).
        settle_seconds: how soon a keypoint that is not seen moves as the body does.
        smooth: what is shown of a keypoint: `none`, where it was measured; `kalman`, where its filter believes it to
            be; `one-euro`, that with what trembles at rest taken out.
        min_cutoff: Hz, of the One-Euro filter at rest.
        beta: Hz per (size per second), how fast its cutoff rises with the speed.
        rate_cutoff: Hz, its cutoff of the speed.
        rest_speed: sizes per second, what noise feigns.
    """

    high_score: float = 0.4
    birth_score: float = 0.35
    credit: float = 0.85
    low_score: float = 0.1  # ByteTrack's
    duplicate: float = 0.7
    gate: float = 0.2
    low_gate: float = 0.4
    part: float = 0.5
    likeness: float = 0.5
    reach_gate: float = 0.1
    place: float = 0.5
    tolerance: float = 0.15
    part_seconds: float = 4.0  # longer than a walk past a pole takes
    inside_score: float = 0.5
    tentative_seconds: float = 0.1
    predicted_seconds: float = 0.3
    lost_seconds: float = 2.0
    missed_looks: int = 3  # `tentative_seconds` at 30 fps
    box_noise: float = 0.06
    keypoint_noise: float = 0.3  # of an annotator's spread: a network repeats itself better than people agree
    keypoint_gate: float = 6.0
    keypoint_patience: int = 3
    box_agility: float = 0.7
    scale_agility: float = 0.15
    keypoint_agility: float = 3.0  # a walker's ankle
    lost_settle_seconds: float = 2.0
    settle_seconds: float = 0.1
    smooth: str = "one-euro"
    min_cutoff: float = 0.4  # these four: docs/decisions/0011-smoothing.md
    beta: float = 16.0
    rate_cutoff: float = 2.0
    rest_speed: float = 0.35
