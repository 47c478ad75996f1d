"""The logo of a report."""

from __future__ import annotations

from pathlib import Path

from ...errors import UsageError
from ...image import decode
from .clip import data_uri

MAX_BYTES = 1_000_000
_KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".svg": "image/svg+xml"}


def logo_uri(path: Path) -> str:
    """Return an image file as a data URI; a page shows an SVG as an image, so no script in it runs.

    Raises:
        UsageError: it cannot be read, is too large or is no image.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(f"The logo '{path}' is not an image that a page can show. Give a {', '.join(_KINDS)} file.")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"Cannot read the logo '{path}': {error.strerror}. Give another file.") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"The logo '{path}' has too many bytes. Give one below {MAX_BYTES:,}.")
    try:
        if kind != "image/svg+xml":
            decode(data)
        elif b"<svg" not in data:
            raise ValueError("contains no SVG image")
    except ValueError as error:
        raise UsageError(f"The logo '{path}' {error}. Give another file.") from None
    return data_uri(kind, data)
