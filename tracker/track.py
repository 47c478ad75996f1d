"""Track a source, or every file of a folder, in one call: `posetrack.track` and `posetrack.track_folder`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PosetrackError, SourceError, UsageError
from ..installation import explained, library
from .load import load_pipeline
from .loop import track_frames
from .output.summary import progress
from .perception.automatic import LIVE_FPS
from .pipeline import Pipeline
from .stages import parallel, streams
from .types import Frame, Tracks
from .types.conversions import to_dataframe
from .video.address import parse_source
from .video.batch import gather
from .video.open import open_source
from .video.source import Source

log = logging.getLogger("posetrack")


@explained()
def track(
    source: str | int | Path | Source,
    *,
    start: float | None = None,
    end: float | None = None,
    pipeline: Pipeline | None = None,
    **options: Any,
) -> Iterator[tuple[Frame, Tracks]]:
    """Track the people of a source, as fast as the command line does.

    Reading, detection, pose estimation and tracking run in parallel threads, a few frames ahead of the caller. A live
    source gives its newest frame: frames that the caller is too slow for are dropped. The source is closed at its end,
    and when the loop is left.

    Args:
        source: a video, image, webcam index or stream address, see `open_source`; or an opened source, for its
            other options.
        start: seconds of the source's own time; earlier frames are omitted. Not for live sources.
        end: seconds; frames from it on are omitted.
        pipeline: of `load_pipeline`; only its networks are used, its tracks do not change.
        options: of `load_pipeline`, if no pipeline is given.

    Returns:
        An iterator of `Frame` and `Tracks`, in the order of the frames.

    Raises:
        SourceError: the source cannot be read, or is closed.
        ModelError: weights cannot be found, downloaded or loaded.
        UsageError: both a pipeline and options are given, or an option is not allowed.

    Examples:
        >>> import posetrack
        >>> for frame, tracks in posetrack.track("video.mp4"):
        ...     for person in tracks:
        ...         line = frame.time, person.id, person.keypoints["left_knee"], person.score, person.state
    """
    if isinstance(source, Source) and (start, end) != (None, None):
        raise UsageError(f"'{source.name}' is open already. Give start and end to open_source.")
    if isinstance(source, Source) and source.closed:
        raise SourceError(f"'{source.name}' is closed: it was read, or its `with` block was left. Open it again.")
    live = source.live if isinstance(source, Source) else not isinstance(parse_source(source), Path)
    pipeline = _session(pipeline, options, live=live)
    return _tracked(source if isinstance(source, Source) else open_source(source, start=start, end=end), pipeline)


@explained()
def track_folder(folder: str | Path, *, pipeline: Pipeline | None = None, quiet: bool = False, **options: Any) -> Any:
    """Track every video and image of a folder, and return one table.

    Args:
        folder: searched through all its sub-folders; or a pattern such as `clips/*.mp4`, or a single file. Videos and
            images that posetrack wrote are left out.
        pipeline: of `load_pipeline`.
        quiet: show no progress bar. None is shown either if stderr is neither a terminal nor a notebook.
        options: of `load_pipeline`, if no pipeline is given.

    Returns:
        A pandas DataFrame with one row per person per frame: the column `file`, then those of `--csv`: frame, time_s
        (seconds), track_id, state, score, box and keypoints (pixels; NaN where missing). IDs start at 1 in each file.
        A file that cannot be read is reported in the log and has no rows.

    Raises:
        SourceError: there is no video and no image, or none can be read.
        PosetrackError: pandas is not installed.

    Examples:
        >>> import posetrack
        >>> table = posetrack.track_folder("clips/")
        >>> lowest_knee = table.groupby(["file", "track_id"])["left_knee_y"].max()
    """
    pandas = library("pandas", "track_folder", extra="formats")
    items = gather([folder]).items
    pipeline = _session(pipeline, options, live=False)
    tables, errors = [], []
    for number, item in enumerate(items, 1):
        try:
            label = f"{number}/{len(items)} {Path(str(item.source)).name}"
            tables.append(_table(item.source, pipeline.session(), label=label, quiet=quiet))
        except PosetrackError as error:
            if len(items) == 1:
                raise
            log.warning("%s", error)
            errors.append(error)
    if not tables:
        raise errors[-1]
    return pandas.concat(tables, ignore_index=True)


def _session(pipeline: Pipeline | None, options: dict[str, Any], *, live: bool) -> Pipeline:
    if pipeline is None:
        return load_pipeline(**({"streams": streams(live=live), "target_fps": LIVE_FPS if live else 0.0} | options))
    if options:
        raise UsageError(f"The pipeline is loaded already, without {', '.join(options)}. Give it to load_pipeline.")
    return pipeline.session()


def _tracked(frames: Source, pipeline: Pipeline) -> Iterator[tuple[Frame, Tracks]]:
    with frames, track_frames(frames, pipeline, threads=parallel(pipeline.estimator.network)) as people:
        yield from people


def _table(source: str | int | Path, pipeline: Pipeline, *, label: str, quiet: bool) -> Any:
    """Return the rows of one file as a DataFrame."""
    indices, times, people = [], [], []
    frames = open_source(source)
    with progress(total=frames.frame_count, label=label, quiet=quiet) as step:
        for frame, tracks in _tracked(frames, pipeline):
            indices.append(frame.index)
            times.append(frame.time)
            people.append(tracks)
            step(len(tracks))
    counts = [len(tracks) for tracks in people]
    return to_dataframe(
        lead={"file": str(source), "frame": np.repeat(indices, counts), "time_s": np.repeat(times, counts)},
        names=people[0].names,
        ids=np.concatenate([tracks.ids for tracks in people]),
        states=[state for tracks in people for state in tracks.states],
        scores=np.concatenate([tracks.box_scores for tracks in people]),
        boxes=np.concatenate([tracks.boxes for tracks in people]),
        keypoints=np.concatenate([tracks.keypoints for tracks in people]),
        keypoint_scores=np.concatenate([tracks.scores for tracks in people]),
    )
