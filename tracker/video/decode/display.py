"""Convert a decoded frame to the displayed image: upright BGR with square pixels, in SDR and BT.709."""

from __future__ import annotations

import logging
import math
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from .colour import CODED, Mapping, describe, kind_of

log = logging.getLogger("posetrack")

side_data: Any = SideDataContainer  # of a frame; the stubs of PyAV lack this argument

# Without these flags, colours are 1 to 2 levels too dark (measured); older versions of PyAV lack them.
EXACT = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    if hasattr(Interpolation, "FULL_CHR_H_INT")
    else None
)
LARGE = 2**26  # pixels, above which memory counts more than time; 8K has half as many
SQUARE = 0.004  # deviation up to which pixels count as square: encoders round the size of an image to whole blocks
MAX_PIXEL_ASPECT = 8.0  # pixel aspect ratio above which the header is damaged; no known format reaches it


class Display:
    """Callable `(decoded frame) -> displayed image` for the frames of one stream."""

    def __init__(self, stream: Any, *, name: str) -> None:
        """Read the pixel aspect ratio of the stream.

        Args:
            stream: an open video stream.
            name: name of the source in messages.
        """
        self._stream, self._name = stream, name
        context = stream.codec_context
        # The container has precedence over the codec, whose ratio may change within the stream.
        declared = stream.sample_aspect_ratio
        self._declared = declared if declared != context.sample_aspect_ratio else None
        self._reformatter, self._coded = VideoReformatter(), VideoReformatter()  # cache their tables
        self._mapping: tuple[Any, Mapping] | None = None
        self._logged: set[object] = set()

    def __call__(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return (H, W, 3) BGR uint8."""
        width, height = self._size(frame)
        context = self._stream.codec_context
        kind = kind_of(context.color_trc, context.color_primaries)
        # frame.side_data would refer back to the frame, and keep it until the next garbage collection
        side = side_data(frame).get("DISPLAYMATRIX")
        if kind is not None:
            frame = self._mapped(frame, kind, width=width, height=height)
        image = self._bgr(frame, width=width, height=height)
        if side is None:
            return image
        matrix = np.frombuffer(bytes(side), np.int32)
        angle = math.degrees(math.atan2(matrix[1], matrix[0]))
        if abs(angle - 90 * round(angle / 90)) > 1:
            self._log_once("angle", "'%s' states a rotation by %.0f degrees; the nearest right angle is taken.", angle)
        return upright(image, matrix)

    def _bgr(self, frame: av.VideoFrame, *, width: int, height: int) -> NDArray[np.uint8]:
        large = width * height > LARGE
        # planes have the same values as bgr24, in a third of the time, but must be copied
        format = "bgr24" if large else "gbrp"
        planes: Any = self._reformatter.reformat(
            frame, width=width, height=height, format=format, interpolation=EXACT
        ).planes
        if large:
            return np.ndarray((height, width, 3), np.uint8, planes[0], strides=(planes[0].line_size, 3, 1))
        green, blue, red = (np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, :width] for plane in planes)
        merged: Any = cv2.merge([blue, green, red])
        return merged

    def _size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return (width, height) in square pixels: one side grows and none shrinks, as in HTML video."""
        ratio = self._declared or self._stream.codec_context.sample_aspect_ratio
        aspect = float(ratio) if ratio else 1.0
        if abs(aspect - 1) < SQUARE:
            return frame.width, frame.height
        if not 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT:
            self._log_once(ratio, "'%s' states a pixel aspect ratio of %s; pixels are treated as square.", ratio)
            return frame.width, frame.height
        if aspect > 1:
            return round(frame.width * aspect), frame.height
        return frame.width, round(frame.height / aspect)

    def _mapped(self, frame: av.VideoFrame, kind: tuple[int, int], *, width: int, height: int) -> av.VideoFrame:
        self._log_once(kind, "'%s' is %s: its colours are mapped to BT.709.", describe(kind), level=logging.INFO)
        coded: Any = self._coded.reformat(frame, width=width, height=height, format=CODED, interpolation=EXACT)
        if self._mapping is None or self._mapping[0] != (kind, width, height):
            self._mapping = (kind, width, height), Mapping(kind, width=width, height=height)
        coded.pts = None
        return self._mapping[1](coded)

    def _log_once(self, what: object, text: str, *words: object, level: int = logging.WARNING) -> None:
        """Log a message once per subject."""
        if what not in self._logged:
            self._logged.add(what)
            log.log(level, text, self._name, *words)


def upright(image: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Apply the display matrix: rotations and mirrorings.

    It maps stored pixels to displayed ones, x' = a x + c y, y' = b x + d y (libavutil/display.h).
    """
    turned: Any = image
    a, b, _, c, d = matrix[:5].tolist()
    if abs(b) > abs(a):
        turned, a, d = cv2.transpose(turned), c, b
    if a < 0 or d < 0:
        turned = cv2.flip(turned, -1 if a < 0 and d < 0 else 1 if a < 0 else 0)
    return turned
