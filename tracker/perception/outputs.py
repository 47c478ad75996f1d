"""Outputs of a network that do not fit its family, as of a damaged or mislabelled file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import ModelError, PosetrackError


@contextmanager
def reading_outputs() -> Iterator[None]:
    """Read the outputs of a network in a block; a file may state other shapes than a run returns.

    Raises:
        ModelError: the outputs cannot be read.
    """
    try:
        yield
    except PosetrackError:
        raise
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The network returns other outputs than its file states ({error}). Export or download it again."
        ) from error
