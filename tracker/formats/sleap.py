"""SLEAP's analysis HDF5, as `sleap-convert --format analysis` writes it: arrays of all nodes in all frames.

Source: https://sleap.ai, "Analysis HDF5", axes in MATLAB's order.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import SourceError
from .hdf5 import local_member
from .individuals import MAX_FRAMES, MAX_POINTS, blocks, frames_of, ids_of, name_of
from .libraries import library
from .recording import Recording, TimedTracks
from .trajectories import skeleton_of

_BLOCK = 256  # frames per chunk and per read


def write_sleap(path: Path, recording: Recording) -> None:
    """Write the arrays in chunks; NaN if missing."""
    h5py = library("h5py", "SLEAP's format")
    skeleton = recording.skeleton
    ids, num_frames = recording.extent()
    people, nodes = len(ids), len(skeleton)
    image = BytesIO()  # not the file itself: HDF5 crashes the process where the disk is full
    with h5py.File(image, "w") as file:

        def array(
            name: str, shape: tuple[int, ...], *, time_axis: int = -1, kind: str = "f4", fill: float = np.nan
        ) -> Any:
            chunks = [max(n, 1) for n in shape]
            chunks[0] = 1 if time_axis else _BLOCK
            chunks[time_axis] = _BLOCK
            return file.create_dataset(
                name, shape, kind, chunks=tuple(chunks), maxshape=(None,) * len(shape), fillvalue=fill, compression=1
            )

        tracks = array("tracks", (people, 2, nodes, num_frames))
        point_scores = array("point_scores", (people, nodes, num_frames))
        instance_scores = array("instance_scores", (people, num_frames))
        tracking_scores = array("tracking_scores", (people, num_frames))
        occupancy = array("track_occupancy", (num_frames, people), time_axis=0, kind="u1", fill=0)
        for block in blocks(recording, ids, num_frames):
            part = slice(block.first, block.first + len(block.times))
            tracks[..., part] = block.points[..., :2].transpose(1, 3, 2, 0)
            point_scores[..., part] = block.points[..., 2].transpose(1, 2, 0)
            instance_scores[:, part] = tracking_scores[:, part] = block.box_scores.T
            occupancy[part] = np.isfinite(block.box_scores)
        names = skeleton.keypoints
        edges = [[names[a], names[b]] for a, b in skeleton.limbs]
        file["track_names"] = np.array([name_of(person) for person in ids], dtype="S")
        file["node_names"] = np.array(names, dtype="S")
        file["edge_names"] = np.array(edges, dtype="S").reshape(-1, 2)
        file["edge_inds"] = np.array(skeleton.limbs, dtype=np.int64).reshape(-1, 2)
        file["labels_path"], file["video_path"], file["video_ind"] = "", recording.path.stem, 0
        file["provenance"] = "{}"
    path.write_bytes(image.getvalue())


def read_sleap(path: Path) -> Recording:
    """Read the arrays in blocks of frames; boxes enclose the nodes.

    Raises:
        SourceError: the file is invalid.
    """
    h5py = library("h5py", "SLEAP's format")
    try:
        with h5py.File(path) as file:
            people, axes, nodes, num_frames = shape = local_member(file, "tracks").shape
            named, parts = local_member(file, "track_names").shape, local_member(file, "node_names").shape
            fits = people * nodes <= MAX_POINTS and num_frames <= MAX_FRAMES
            if axes != 2 or parts != (nodes,) or named not in ((people,), (0,)) or not fits:
                raise ValueError(f"the tracks have the shape {shape}")
            names = [name.decode() for name in file["track_names"][:]]
            skeleton = skeleton_of([name.decode() for name in file["node_names"][:]])
    except (AttributeError, KeyError, OSError, ValueError) as error:
        raise SourceError(f"'{path}' is not an analysis file of SLEAP: {error}. Give one of SLEAP.") from error
    ids = ids_of(names or [str(person) for person in range(1, people + 1)])
    return Recording(skeleton, partial(_frames, path, ids), path, num_frames=num_frames)


def _frames(path: Path, ids: list[int]) -> Iterator[TimedTracks]:
    with library("h5py", "SLEAP's format").File(path) as file:
        optional = ("instance_scores", "point_scores")
        scores, confidences = (local_member(file, name) if name in file else None for name in optional)
        tracks = local_member(file, "tracks")
        for first in range(0, tracks.shape[-1], _BLOCK):
            part = slice(first, first + _BLOCK)
            places = tracks[..., part].transpose(3, 0, 2, 1)  # (F, P, K, 2)
            point_scores = np.full(places.shape[:3], np.nan)
            if confidences is not None:
                point_scores[:] = confidences[..., part].transpose(2, 0, 1)
            points = np.concatenate([places, point_scores[..., None]], axis=-1)
            box_scores = None if scores is None else scores[:, part].T
            yield from frames_of(range(first, first + len(points)), points, ids, box_scores)
