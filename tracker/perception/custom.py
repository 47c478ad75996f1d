"""A user's function as a detector; its result is validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import InputError
from ..types import Detections, Frame


class CustomDetector:
    """Callable `(frame) -> Detections` around a function.

    Args:
        function: takes a `Frame` and returns `Detections`, boxes (N, 4) xyxy in pixels, or boxes and scores (N,);
            without scores, each box has score 1.
        conf: minimum score.
        max_people: maximum number of people per frame, the most confident first; None for no limit.
    """

    def __init__(self, function: Callable[[Frame], Any], *, conf: float = 0.0, max_people: int | None = None) -> None:
        self._function, self._conf, self._max_people = function, conf, max_people
        self.name = getattr(function, "__name__", type(function).__name__)
        self.sha256, self.network = "", None

    def __call__(self, frame: Frame) -> Detections:
        """Return the function's detections, the most confident first.

        Raises:
            InputError: the result has another type or shape, or invalid values.
        """
        found = self._detections(self._function(frame))
        if not (np.isfinite(found.boxes).all() and ((found.scores >= 0) & (found.scores <= 1)).all()):
            raise InputError(f"The detector {self.name} returned a box that is not finite, or a score not in [0, 1].")
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
            raise InputError(
                f"The detector {self.name} returned {type(answer).__name__}: {error} "
                "Return posetrack.Detections(boxes, scores), boxes (N, 4), or boxes and scores (N,)."
            ) from error
