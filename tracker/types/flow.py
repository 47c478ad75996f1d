"""Data classes of the flow: Frame -> Detections -> Poses -> Tracks. Each holds arrays of one frame.

Coordinates are pixels of the displayed frame, x before y, origin at the top left. A missing keypoint is NaN with score
0, never a zero coordinate. Frames without people use the same classes with empty arrays. Constructors check their
arguments and accept lists for arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .checks import as_seconds, set_array
from .conversions import to_dataframe, to_supervision
from .equality import Comparable
from .image import as_bgr
from .notebook import people_html
from .person import STATES, Keypoints, Person, State, keypoint_index


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame(Comparable):
    """One frame of the source.

    Attributes:
        image: (H, W, 3) BGR uint8, upright; converted by `image.as_bgr`.
        index: number in the source, from 0; lost and dropped frames, and frames before a start time, count.
        time: seconds, the source's own presentation timestamp (a camera's: seconds since its first frame).
        captured: time of capture in seconds of `time.monotonic()`; None for files.

    Raises:
        InputError: the image is invalid, the index is not an integer, or the time is not finite.
    """

    image: NDArray[np.uint8]
    index: int
    time: float
    captured: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", as_bgr(self.image))
        if not hasattr(self.index, "__index__"):
            raise InputError(f"The index of a frame is {self.index!r}; give a whole number.")
        as_seconds(self.time, of=f"frame {self.index}")

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"Frame(index={self.index}, time={self.time:g}, {width} x {height} pixels)"


@dataclass(frozen=True, slots=True, eq=False)
class Detections(Comparable):
    """People found in one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        scores: (N,) in [0, 1].
    """

    boxes: NDArray[np.floating]
    scores: NDArray[np.floating]

    def __post_init__(self) -> None:
        set_array(self, "boxes", self.boxes, (None, 4))
        set_array(self, "scores", self.scores, (len(self.boxes),))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Detections:
        """Select people by an index array, a mask or a slice."""
        return Detections(self.boxes[rows], self.scores[rows])

    @classmethod
    def empty(cls) -> Detections:
        """Return a frame without people."""
        return cls(np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Poses(Comparable):
    """People with their keypoints in one frame.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        keypoints: (N, K, 2) pixels; NaN where missing.
        scores: (N, K) in [0, 1]; 0 where missing.
        box_scores: (N,) in [0, 1], confidence of the detector; 1 if omitted.
        features: (N, P, D) appearance vectors of P parts of the body, of unit length, or zeros if a part is not
            visible; P is 0 if omitted.
    """

    boxes: NDArray[np.floating]
    keypoints: NDArray[np.floating]
    scores: NDArray[np.floating]
    box_scores: NDArray[np.floating] = None  # type: ignore[assignment]  # filled with ones below
    features: NDArray[np.floating] = None  # type: ignore[assignment]  # filled below

    def __post_init__(self) -> None:
        set_array(self, "boxes", self.boxes, (None, 4))
        set_array(self, "keypoints", self.keypoints, (len(self.boxes), None, 2))
        set_array(self, "scores", self.scores, self.keypoints.shape[:2])
        given = np.ones(len(self.boxes)) if self.box_scores is None else self.box_scores
        set_array(self, "box_scores", given, (len(self.boxes),))
        features = np.zeros((len(self.boxes), 0, 0)) if self.features is None else self.features
        set_array(self, "features", features, (len(self.boxes), None, None))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Poses:
        """Select people by an index array, a mask or a slice."""
        fields = self.boxes, self.keypoints, self.scores, self.box_scores, self.features
        return Poses(*(field[rows] for field in fields))

    @classmethod
    def empty(cls, num_keypoints: int = 17) -> Poses:
        """Return a frame without people."""
        return cls(np.zeros((0, 4)), np.zeros((0, num_keypoints, 2)), np.zeros((0, num_keypoints)))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tracks(Comparable):
    """Tracked people of one frame.

    Attributes:
        ids: (N,) positive integers, unique within one source.
        poses: of N people, smoothed as configured.
        velocities: (N, 2) of the box centres in pixels per second.
        states: N values of `State`: the pose was measured in this frame, predicted by the motion model, or
            interpolated between the frames before and after.
        others: (M, 4) boxes of detections without a track; M is 0 if omitted.
        new_scene: whether this frame begins a scene, at the start or after a hard cut.
        names: of the K keypoints; their indices if omitted.
        keypoint_states: (N, K) state of each keypoint, as indices of `STATES`: 0 measured, 1 predicted, 2 interpolated;
            those of the poses if omitted. A predicted keypoint may belong to a measured pose: it was hidden, or its
            measurement was an outlier. The state of a missing keypoint has no meaning.

    Examples:
        >>> import posetrack
        >>> poses = posetrack.Poses(boxes=[[10, 20, 110, 220]], keypoints=[[[60, 40]] * 17], scores=[[0.9] * 17])
        >>> tracks = posetrack.PoseTracker().update(poses, time=0.0)
        >>> len(tracks), tracks.ids.tolist(), tracks["left_knee"].tolist()
        (1, [1], [[60.0, 40.0]])
        >>> person = tracks[0]
        >>> person.id, str(person.state), person.keypoints["nose"].x
        (1, 'measured', 60.0)
    """

    ids: NDArray[np.integer]
    poses: Poses
    velocities: NDArray[np.floating]
    states: tuple[State, ...]
    others: NDArray[np.floating] = None  # type: ignore[assignment]  # filled below
    new_scene: bool = False
    names: tuple[str, ...] = ()
    keypoint_states: NDArray[np.uint8] = None  # type: ignore[assignment]  # filled below

    def __post_init__(self) -> None:
        n = len(self.poses)
        set_array(self, "others", np.zeros((0, 4)) if self.others is None else self.others, (None, 4))
        set_array(self, "ids", self.ids, (n,), np.int64)
        set_array(self, "velocities", self.velocities, (n, 2))
        if len(self.states) != n:
            raise InputError(f"Tracks.states has {len(self.states)} values for {n} people; give one for each.")
        k = self.poses.keypoints.shape[1]
        if not self.names:
            object.__setattr__(self, "names", _numbers(k))
        elif len(self.names) != k:
            raise InputError(f"Tracks.names has {len(self.names)} values for {k} keypoints; give one for each.")
        given = self.keypoint_states
        if given is None:
            given = np.repeat(np.array([STATES.index(state) for state in self.states], np.uint8)[:, None], k, axis=1)
        set_array(self, "keypoint_states", given, (n, k), np.uint8)

    @property
    def boxes(self) -> NDArray[np.floating]:
        """(N, 4) xyxy pixels."""
        return self.poses.boxes

    @property
    def keypoints(self) -> NDArray[np.floating]:
        """(N, K, 2) pixels; NaN where missing."""
        return self.poses.keypoints

    @property
    def scores(self) -> NDArray[np.floating]:
        """(N, K) in [0, 1], of the keypoints; 0 where missing."""
        return self.poses.scores

    @property
    def box_scores(self) -> NDArray[np.floating]:
        """(N,) in [0, 1], of the people."""
        return self.poses.box_scores

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Tracks(ids={self.ids.tolist()}, states={[str(state) for state in self.states]})"

    def __iter__(self) -> Iterator[Person]:
        return (self._person(row) for row in range(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Person: ...

    @overload
    def __getitem__(self, rows: str) -> NDArray[np.floating]: ...

    @overload
    def __getitem__(self, rows: slice | list[int] | list[bool] | NDArray[Any]) -> Tracks: ...

    def __getitem__(self, rows: Any) -> Any:
        """Select people.

        Args:
            rows: a number, which gives that `Person`; the name of a keypoint, which gives (N, 2) pixels of all people,
                NaN where missing; or an index array, a mask or a slice, which gives the `Tracks` of those people.

        Raises:
            IndexError: there is no such person.
            KeyError: there is no such keypoint.
        """
        if isinstance(rows, str):
            return self.keypoints[:, keypoint_index(self.names, rows)]
        if isinstance(rows, int | np.integer):
            if not -len(self) <= rows < len(self):
                raise IndexError(f"There is no person {rows} among {len(self)}; they count from 0, and ids from 1.")
            return self._person(int(rows) % len(self))
        chosen = np.arange(len(self))[np.asarray(rows) if isinstance(rows, list) and rows else rows]
        states = tuple(self.states[row] for row in chosen.tolist())
        poses, velocities, of_keypoints = self.poses[chosen], self.velocities[chosen], self.keypoint_states[chosen]
        return Tracks(
            self.ids[chosen], poses, velocities, states, self.others, self.new_scene, self.names, of_keypoints
        )

    def _person(self, row: int) -> Person:
        poses = self.poses
        keypoints = Keypoints(self.names, poses.keypoints[row], poses.scores[row])
        score, state = float(poses.box_scores[row]), self.states[row]
        states = {name: STATES[code] for name, code in zip(self.names, self.keypoint_states[row].tolist())}
        return Person(int(self.ids[row]), state, score, poses.boxes[row], self.velocities[row], keypoints, states)

    def to_dict(self) -> dict[str, Any]:
        """Return plain Python values, ready for JSON: `{"new_scene": ..., "people": [...]}`, see `Person.to_dict`."""
        return {"new_scene": self.new_scene, "people": [person.to_dict() for person in self]}

    def to_df(self, frame: Frame | None = None, *, keypoint_states: bool = False) -> Any:
        """Return a pandas DataFrame with one row per person and the columns of the table that `--csv` writes.

        Args:
            frame: source of the columns `frame` and `time_s`, which are omitted without it.
            keypoint_states: whether to add the columns of `--keypoint-states`.

        Raises:
            PosetrackError: pandas is not installed.
        """
        lead = {} if frame is None else {"frame": frame.index, "time_s": frame.time}
        codes = self.keypoint_states if keypoint_states else None
        return to_dataframe(
            lead=lead,
            names=self.names,
            ids=self.ids,
            states=self.states,
            scores=self.box_scores,
            boxes=self.boxes,
            keypoints=self.keypoints,
            keypoint_scores=self.scores,
            keypoint_states=codes,
        )

    def to_supervision(self) -> tuple[Any, Any]:
        """Return `supervision.Detections`, with `tracker_id`, and `supervision.KeyPoints` of the same N people.

        A missing keypoint is (0, 0) there, which supervision's annotators leave out.

        Raises:
            PosetrackError: supervision is not installed.
        """
        return to_supervision(self)

    def _repr_html_(self) -> str:
        """Return a small table and the skeletons, for notebooks."""
        return people_html(list(self), self.names)

    @classmethod
    def empty(cls, num_keypoints: int = 17) -> Tracks:
        """Return a frame without people."""
        return cls(np.zeros(0, np.int64), Poses.empty(num_keypoints), np.zeros((0, 2)), ())


@cache
def _numbers(count: int) -> tuple[str, ...]:
    return tuple(map(str, range(count)))
