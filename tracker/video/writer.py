"""Open the writer of annotated images that a file name asks for: a video or an image."""

from __future__ import annotations

from pathlib import Path

from ...errors import UsageError
from ..partial import Transaction
from .decode.soundtrack import Sound
from .write.image import ImageWriter
from .write.mark import MARK
from .write.video import VIDEO_OUTPUTS, VideoWriter

IMAGE_OUTPUTS = (".png", ".jpg", ".jpeg")


def open_writer(
    path: str | Path,
    *,
    size: tuple[int, int],
    fps: float | None = None,
    sound: Sound | None = None,
    overwrite: bool = False,
    results: Transaction | None = None,
) -> VideoWriter | ImageWriter:
    """Open the writer of annotated images for a suffix; the arguments are those of `VideoWriter`.

    Raises:
        UsageError: the suffix is unknown.
        OutputError: the file exists, or its folder cannot be written to.
    """
    check_suffix(path)
    if Path(path).suffix.lower() in VIDEO_OUTPUTS:
        return VideoWriter(path, size=size, fps=fps, sound=sound, overwrite=overwrite, comment=MARK, results=results)
    return ImageWriter(path, overwrite=overwrite, results=results)


def check_suffix(path: str | Path) -> None:
    """Check that the suffix can be written.

    Raises:
        UsageError: the suffix is unknown.
    """
    known = (*VIDEO_OUTPUTS, *IMAGE_OUTPUTS)
    if Path(path).suffix.lower() not in known:
        raise UsageError(
            f"Cannot write '{path}': its suffix is unknown. Give a name that ends in one of: {' '.join(known)}."
        )
