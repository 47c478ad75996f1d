"""The options of the pose tracker, their defaults and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass

LATENCIES = {
    "none": 0,
    "kalman": 0,
    "one-euro": 10,
}  # lag of each filter in ms, measured at walking speed; docs/decisions/0011-smoothing.md


# Thresholds for a detector with calibrated scores: a box with score .55 is a person in 55 of 100 cases. Published
# detectors give lower scores; the defaults below are for them.
CALIBRATED: dict[str, float] = {"high_score": 0.5, "birth_score": 0.55, "inside_score": 0.68}


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Options of a `PoseTracker`. Times are in seconds, so that they do not depend on the frame rate.

    A person's size is the square root of the box's area, as in OKS. "1 / e after" marks the time constant of an
    exponential decay.

    Attributes:
        high_score: box score from which a pose is matched in the first stage, and is output in the first frame.
        birth_score: minimum box score of a pose that begins a track.
        confirmation_score: sum of a track's box scores from which the track is confirmed and output. A frame adds .6 at
            the most, so that one frame never suffices, and low scores need more than two frames. A frame that is
            no evidence of a person subtracts its score.
        person_score: mean of the box score and, counted twice, the keypoint score of the visible parts, from which a
            frame is evidence of a person. A pose without keypoints is judged by its box alone, and a box with score 1
            is accepted.
        low_score: minimum box score of any pose; between `low_score` and `birth_score`, a pose may only continue a
            track.
        duplicate: OKS of two poses in one frame from which the less confident one is a duplicate, if half of its box
            lies in the other one.
        gate: minimum similarity of a track and a pose, computed from IoU, OKS and appearance.
        low_gate: the same for poses below `high_score`.
        part: minimum similarity of a box that lies inside a track's box, as the visible part of that person.
        likeness: weight of appearance in the similarity; 0 ignores appearance.
        reach_gate: minimum likelihood, relative to the predicted place, of the place where a person reappears.
        place: standard deviation, in sizes, of the place of a person who reappears where they were last observed; it
            grows to this value within `predicted_seconds`.
        tolerance: share of a person's width or height that may be missing before the box counts as partly occluded.
        part_seconds: how long a partly occluded person keeps the full size (1 / e after).
        body_seconds: the same for a person whose keypoints are all seen inside the smaller box.
        inside_score: minimum box score of a track that begins inside another person's box, where detectors report
            body parts too.
        tentative_seconds: how long an unconfirmed track waits for its next match.
        predicted_seconds: how long unobserved people and keypoints are output as predictions.
        lost_seconds: how long an unobserved person is expected on the predicted path.
        remember_seconds: how long an unobserved person is recognised by appearance, anywhere in the image; 0 for not at
            all.
        missed_frames: minimum number of consecutive processed frames without a match before `tentative_seconds` and
            `lost_seconds` apply; in a slow video, these pass before the next frame.
        box_noise: standard deviation of the measured center and size of a box, in sizes.
        keypoint_noise: standard deviation of a measured keypoint with score 1, in sizes times its OKS sigma.
        keypoint_gate: distance from the prediction, in standard deviations, from which a measured keypoint is an
            outlier.
        side_gate: how much better the measurements of a left and a right keypoint must fit each other's prediction than
            their own, in standard deviations, to count as exchanged.
        side_seconds: how long exchanged sides are put back; after that time the exchange is accepted.
        keypoint_patience: number of consecutive outliers near each other that are accepted as a jump.
        keypoint_slack: maximum distance of a filtered keypoint from its measurement, in longer sides of the box.
        box_agility: change of a box's velocity within a second, in sizes per second (standard deviation).
        scale_agility: change of a box's width and height within a second, in sizes (standard deviation).
        keypoint_agility: change of a keypoint's velocity within a second, in sizes per second (standard deviation).
        lost_settle_seconds: how fast the velocity of an unobserved person decays (1 / e after).
        settle_seconds: how fast the velocity of an unobserved keypoint approaches the body's (1 / e after).
        smooth: which keypoints are output: `none`, the measured ones; `kalman`, the filtered ones; `one-euro`, the
            filtered ones with a One-Euro filter against jitter at rest.
        min_cutoff: Hz, cutoff of the One-Euro filter at rest.
        beta: Hz per (size per second), slope of the cutoff over speed.
        rate_cutoff: Hz, cutoff of the velocity's low-pass filter.
        rest_speed: sizes per second, apparent speed caused by noise at rest.
    """

    high_score: float = 0.4
    birth_score: float = 0.35
    confirmation_score: float = 0.85
    person_score: float = 0.43  # docs/decisions/0028-confirmation.md
    low_score: float = 0.1  # ByteTrack's
    duplicate: float = 0.7
    gate: float = 0.2
    low_gate: float = 0.4
    part: float = 0.5
    likeness: float = 0.5
    reach_gate: float = 0.1
    place: float = 0.5
    tolerance: float = 0.15
    part_seconds: float = 4.0  # longer than it takes to walk past a pole
    body_seconds: float = 0.1
    inside_score: float = 0.5
    tentative_seconds: float = 0.1
    predicted_seconds: float = 0.3
    lost_seconds: float = 2.0
    remember_seconds: float = 60.0
    missed_frames: int = 3  # equals `tentative_seconds` at 30 fps
    box_noise: float = 0.06
    keypoint_noise: float = (
        0.3  # of the spread between annotators, from which the sigmas are: networks are more consistent
    )
    keypoint_gate: float = 6.0
    keypoint_patience: int = 3
    keypoint_slack: float = 0.045
    side_gate: float = 2.5
    side_seconds: float = 0.25
    box_agility: float = 0.7
    scale_agility: float = 0.15
    keypoint_agility: float = 3.0  # a walker's ankle
    lost_settle_seconds: float = 2.0
    settle_seconds: float = 0.1
    smooth: str = "one-euro"
    min_cutoff: float = 0.4  # these four are tuned in docs/decisions/0011-smoothing.md
    beta: float = 16.0
    rate_cutoff: float = 2.0
    rest_speed: float = 0.35
