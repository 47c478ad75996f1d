"""Read the sizes of a network off the keys and shapes of its checkpoint."""

from __future__ import annotations

from collections.abc import Iterable


def count(keys: Iterable[str], prefix: str) -> int:
    """Return how many numbered layers are below a prefix: two below `blocks.` of `blocks.0.norm`, `blocks.1.norm`."""
    return len({key.removeprefix(prefix).split(".")[0] for key in keys if key.startswith(prefix)})


def crop_size(tokens: int, stride: int) -> tuple[int, int]:
    """Return the (height, width) in pixels of a crop with a token every `stride` pixels; every published crop is 4:3.

    Raises:
        ZeroDivisionError: there are no tokens.
    """
    rows = round((tokens * 4 / 3) ** 0.5)
    return rows * stride, tokens // rows * stride
