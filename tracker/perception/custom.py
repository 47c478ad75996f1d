"""A user's function as a detector; its result is validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import InputError, UsageError
from ..types import Detections, Frame


class CustomDetector:
    """Callable `(frame) -> Detections` around a function.

    Args:
        function: takes a `Frame` and returns `Detections`, boxes (N, 4) xyxy in pixels, or boxes and scores (N,);
            without scores, each box has score 1.
        conf: minimum score.
        max_people: maximum number of people per frame, the most confident first; None for no limit.

    Raises:
        UsageError: the function is a class, which a frame would make an instance of.
    """

    def __init__(self, function: Callable[[Frame], Any], *, conf: float = 0.0, max_people: int | None = None) -> None:
        if isinstance(function, type):
            raise UsageError(f"The detector is the class {function.__name__}. Give an instance of it.")
        self._function, self._conf, self._max_people = function, conf, max_people
        self.name = getattr(function, "__name__", type(function).__name__)
        self.sha256, self.network = "", None

    def __call__(self, frame: Frame) -> Detections:
        """Return the function's detections, the most confident first.

        Raises:
            InputError: the result has another type or shape, or invalid values.
        """
        found = self._detections(self._function(frame))
        usable = np.isfinite(found.boxes).all(-1) & (found.scores >= 0) & (found.scores <= 1)
        if not usable.all():
            first = int(np.argmin(usable))
            raise InputError(
                f"The detector {self.name} returned the box {found.boxes[first].tolist()} with score "
                f"{found.scores[first]:g}. Give finite pixels, and scores from 0 to 1."
            )
        order = np.argsort(-found.scores, kind="stable")
        return found[order[found.scores[order] >= self._conf][: self._max_people]]

    def _detections(self, answer: Any) -> Detections:
        if isinstance(answer, Detections):
            return answer
        try:
            if isinstance(answer, tuple) and len(answer) == 2:
                return Detections(*answer)
            return Detections(answer, np.ones(len(answer)))
        except (InputError, TypeError) as error:
            why = f": {error}" if isinstance(error, InputError) else "."  # a TypeError: without a length
            raise InputError(
                f"The detector {self.name} returned {type(answer).__name__}{why} "
                "Return posetrack.Detections(boxes, scores), boxes (N, 4), or boxes and scores (N,)."
            ) from error
