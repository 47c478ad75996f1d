"""Write annotated videos, which stay playable after a crash."""

from __future__ import annotations

import errno
import logging
import math
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ....errors import OutputError, UsageError
from ...partial import Transaction, check_target, claim, partial_path, sync
from ...types import as_seconds
from ...types.image import as_bgr
from ..decode.display import EXACT
from ..decode.soundtrack import Sound
from .remux import remux

log = logging.getLogger("posetrack")

VIDEO_OUTPUTS = (".mp4", ".mov", ".mkv")
TICKS = 90000  # a second, the clock of MPEG: exact for 24, 25, 30 and 60 fps, and finer than any camera's timestamps
KEYFRAME_EVERY = 1.0  # seconds; a player jumps to these
BT709 = 1  # the same number in AVColorPrimaries, AVColorTransferCharacteristic and AVColorSpace


class VideoWriter:
    """Write an H.264 video that keeps the timing of its source.

    Frames are appended to a fragmented `<stem>.partial.mp4`, playable even if the process is killed. A clean close
    copies its packets and the source's sound to the final file. After an error the partial file remains.

    The first frame written becomes time 0. Odd sizes are padded by repeating the last row or column, because 4:2:0
    chroma needs even sizes.

    Examples:
        >>> import numpy as np
        >>> import posetrack
        >>> with posetrack.VideoWriter("out.mp4", size=(64, 48), fps=25, overwrite=True) as video:
        ...     for grey in range(25):
        ...         video.write(np.full((48, 64, 3), 10 * grey, np.uint8))
        >>> sum(1 for frame in posetrack.open_source("out.mp4"))
        25

    Attributes:
        path: of the final file.
        partial: of the file while it is written.
        frames_written: frames so far.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: tuple[int, int],
        fps: float | None = None,
        sound: Sound | None = None,
        overwrite: bool = False,
        crf: int = 23,
        comment: str = "",
        results: Transaction | None = None,
    ) -> None:
        """Check the target and open the partial file.

        Args:
            path: ends in .mp4, .mov or .mkv.
            size: (width, height) pixels; a frame of another size is scaled to fit, with black bars.
            fps: average rate, a hint for the encoder and the length of the last frame; 30 if unknown.
            sound: copied for the time that is written.
            overwrite: replace an existing file.
            crf: x264's constant rate factor; higher values give a smaller file and lower quality.
            comment: for the file's metadata.
            results: gives the file its name; None gives it at the close.

        Raises:
            OutputError: the file exists, its folder cannot be written to, or another run is writing it.
            UsageError: the suffix is another one, or the size is no pair of whole numbers above 0.
        """
        self.path = Path(path)
        if self.path.suffix.lower() not in VIDEO_OUTPUTS:
            raise UsageError(f"'{path}' is not a video name. Give one that ends in {', '.join(VIDEO_OUTPUTS)}.")
        self.partial = partial_path(self.path.with_suffix(".mp4"))
        if not all(isinstance(side, int | np.integer) and side > 0 for side in size):
            raise UsageError(f"The size of a video is {size}; give (width, height) in whole pixels above 0.")
        self._results = results
        self.frames_written = 0
        self._size, self._fps, self._crf = size, fps if fps and fps > 0 else 30.0, crf
        self._sound, self._comment = sound, comment
        self._origin = 0.0
        self._last = self._last_key = -math.inf  # ticks
        self._reformatter = VideoReformatter()  # caches its tables
        self._broken = self._closed = False
        check_target(self.path, overwrite=overwrite)
        if sound and sound.path.exists() and self.path.exists() and self.path.samefile(sound.path):
            raise OutputError(f"'{self.path}' is the source itself. Choose another name for the result.")
        try:
            self._claimed = claim(self.path.with_suffix(".mp4"))  # FFmpeg then writes to this file
            if results:
                results.hold(self._claimed)  # also where this writer is never entered
            self._container, self._stream = self._begin()
        except (av.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def _begin(self) -> tuple[Any, Any]:
        # skip_trailer: without the index at the end of the partial file, FFmpeg need not keep each frame's place
        movflags = "frag_every_frame+empty_moov+default_base_moof+skip_trailer"
        flags = {"movflags": movflags, "flush_packets": "1"}
        container = av.open(f"file:{self.partial}", "w", format="mp4", container_options=flags)
        rate = Fraction(self._fps).limit_denominator(1001)
        # Zero latency: no frame waits in the encoder, where it would be lost if the process is killed, and none is
        # reordered, which players without edit lists would show late. At equal quality the file is 1.4 times as large.
        options = {"preset": "veryfast", "tune": "zerolatency", "crf": str(self._crf)}
        stream: Any = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height = self._size[0] + self._size[0] % 2, self._size[1] + self._size[1] % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        context = stream.codec_context
        context.gop_size = max(1, round(self._fps * KEYFRAME_EVERY))
        # Tagged, so that all players convert alike; without tags they guess from the size.
        context.colorspace = context.color_primaries = context.color_trc = BT709
        return container, stream

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append one frame.

        Args:
            image: (H, W, 3) BGR uint8, or another kind that `Frame` takes.
            time: seconds; a time that is not after the last one is moved just behind it. If omitted, frames are
                1 / fps seconds apart.

        Raises:
            InputError: the image is invalid, or the time is not finite.
            OutputError: the disk is full or gone.
        """
        image = as_bgr(image)
        time = self.frames_written / self._fps if time is None else as_seconds(time, of=f"frame {self.frames_written}")
        if self._closed or self._broken:
            raise OutputError(f"'{self.path}' is closed already. Open a new writer for further frames.")
        if not self.frames_written:
            self._origin = time
        ticks = max(round((time - self._origin) * TICKS), self._last + 1 if self.frames_written else 0)
        frame = av.VideoFrame.from_numpy_buffer(self._fit(image), format="bgr24")  # not a copy
        frame = self._reformatter.reformat(frame, format="yuv420p", dst_colorspace=BT709, interpolation=EXACT)
        frame.pts, frame.time_base = int(ticks), Fraction(1, TICKS)
        if ticks - self._last_key >= KEYFRAME_EVERY * TICKS:  # by time too: slow sources fill groups late
            frame.pict_type = av.video.frame.PictureType.I
            self._last_key = ticks
        self._mux(frame)
        self._last = ticks
        self.frames_written += 1

    def _fit(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale to the size of the file, keeping the aspect ratio, and pad to even sides."""
        width, height = self._size
        h, w = image.shape[:2]
        if (w, h) != (width, height):
            scale = min(width / w, height / h)
            w, h = max(1, min(width, round(w * scale))), max(1, min(height, round(h * scale)))
            image = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
            left, top = (width - w) // 2, (height - h) // 2
            image = cv2.copyMakeBorder(image, top, height - h - top, left, width - w - left, cv2.BORDER_CONSTANT)
        if width % 2 or height % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(image)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            self._broken = True
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> OutputError:
        why = getattr(error, "strerror", None) or str(error)
        frames = _count(self.partial) if self.frames_written else 0
        kept = f" {frames} frames can be played from '{self.partial}'." if frames else ""
        return OutputError(f"Cannot write '{self.path}': {why}.{kept} Free some space or choose another folder.")

    def close(self) -> None:
        """Finish the file under its final name; may be called twice. Without a frame no file is written.

        Raises:
            OutputError: the disk is full or gone; the partial file remains.
        """
        if self._closed:
            return
        with ExitStack() as own:
            results = self._results or own.enter_context(Transaction())
            results.hold(self._claimed)
            self._finish_partial()
            results.remove(self.partial)
            if not self.frames_written:
                return
            whole = self.path.with_name(f".{self.path.stem}.tmp{self.path.suffix}")  # of this run: it holds the claim
            results.scratch(whole)
            try:
                whole.unlink(missing_ok=True)
                whole.touch(exist_ok=False)
                remux(
                    self.partial,
                    whole,
                    sound=self._sound,
                    start=self._origin,
                    length=float(self._last) / TICKS + 1 / self._fps,
                    comment=self._comment,
                )
                sync(whole)
                if (count := _count(whole)) != self.frames_written:
                    raise OSError(errno.EIO, f"{count} instead of {self.frames_written} frames are on the disk")
            except (av.FFmpegError, OSError) as error:
                raise self._failure(error) from error
            results.rename(whole, self.path)

    def discard(self) -> None:
        """End without a file."""
        with self._claimed:
            self._finish_partial()
            self.partial.unlink(missing_ok=True)

    def _finish_partial(self) -> None:
        """Flush the encoder and close the partial file."""
        self._closed = True
        try:
            if self.frames_written and not self._broken:
                self._mux(None)
        finally:
            try:
                self._container.close()
            except (av.FFmpegError, OSError) as error:
                if not self._broken:
                    self._broken = True
                    raise self._failure(error) from error

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif not self._closed:
            with self._claimed:
                try:
                    self._finish_partial()
                except OutputError as second:  # the first error is the one to report
                    log.warning("%s", second)
                if self.frames_written:
                    log.warning("Stopped early: the %d frames so far are in '%s'.", _count(self.partial), self.partial)
                else:
                    self.partial.unlink(missing_ok=True)


def _count(video: Path) -> int:
    """Return how many frames of a written video are whole on the disk."""
    frames = 0
    with suppress(av.FFmpegError, OSError), av.open(f"file:{video}") as container:
        for packet in container.demux(video=0):
            frames += bool(packet.size) and not packet.is_corrupt
    return frames
