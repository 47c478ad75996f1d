"""DeepLabCut's tables of several animals, as CSV and HDF5: a row a frame; x, y and likelihood of everybody's parts.

Source: https://deeplabcut.github.io/DeepLabCut, "Standard data types"; the HDF5 file is pandas', under the key
`df_with_missing`.
"""

from __future__ import annotations

import csv
import pickle
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError, SourceError
from .individuals import Block, blocks, frames_of, ids_of, name_of
from .libraries import library
from .plain_pickle import load_plain
from .recording import Recording, TimedTracks
from .trajectories import skeleton_of

KEY = "df_with_missing"
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_COORDS = ("x", "y", "likelihood")
_SCORER = "posetrack"
_BLOCK = 256  # frames that are read at once


def _heads(recording: Recording, ids: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the (scorer, individual, bodypart, coord) of each column."""
    people = [name_of(person) for person in ids]
    return list(product((_SCORER,), people, recording.skeleton.keypoints, _COORDS))


def write_dlc_csv(path: Path, recording: Recording) -> None:
    """Write the CSV; cells are empty where a keypoint is missing."""
    ids, num_frames = recording.extent()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for level, names in zip(_LEVELS, zip(*_heads(recording, ids)) if ids else [()] * len(_LEVELS)):
            file.write(",".join((level, *names)) + "\n")
        row = ",%.2f,%.2f,%.4f" * len(recording.skeleton) * len(ids) + "\n"
        for block in blocks(recording, ids, num_frames):
            for index, values in enumerate(block.points.reshape(len(block.times), -1).tolist(), start=block.first):
                file.write(str(index) + (row % tuple(values)).replace("nan", ""))


def write_dlc_h5(path: Path, recording: Recording) -> None:
    """Write pandas' table, block after block.

    Raises:
        OutputError: there is nobody, or there are too many people for its header.
    """
    pd = library("pandas", "DeepLabCut's HDF5")
    library("tables", "DeepLabCut's HDF5")
    ids, num_frames = recording.extent()
    if not ids:
        raise OutputError(
            f"DeepLabCut's HDF5 has no columns where there is nobody, as in '{recording.path}'. Write .csv."
        )
    columns = pd.MultiIndex.from_tuples(_heads(recording, ids), names=_LEVELS)
    with pd.HDFStore(path, mode="w") as store:
        for block in blocks(recording, ids, num_frames):
            index = range(block.first, block.first + len(block.times))
            rows = pd.DataFrame(block.points.reshape(len(index), -1).astype(float), index=index, columns=columns)
            try:
                store.append(KEY, rows, format="table", index=False)
            except Exception as error:  # HDF5's own, of no common class
                if "header" not in str(error):
                    raise
                text = f"DeepLabCut's HDF5 has no room for the columns of {len(ids)} people"
                raise OutputError(f"{text}. Write .dlc.csv, or leave brief ones out by --min-length.") from error


def read_dlc_csv(path: Path) -> Recording:
    """Read the CSV of one animal or several, row by row; boxes are those around the parts.

    Raises:
        SourceError: it is no such file.
    """
    with path.open(newline="", encoding="utf-8") as file:
        head = list(islice(csv.reader(file), len(_LEVELS)))
    levels = {row[0]: row[1:] for row in head if row}
    depth = len(_LEVELS) if "individuals" in levels else len(_LEVELS) - 1
    levels = {name: levels[name] for name in list(levels)[:depth]}
    return _recording(
        path, list(zip(*(levels.get(name, ()) for name in _LEVELS if name in levels))), depth, _csv_blocks
    )


def _csv_blocks(path: Path, depth: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Return the numbers (F, columns) of some frames, and the number of the first one."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = islice(csv.reader(file), depth, None)
        first = 0
        while block := list(islice(rows, _BLOCK)):
            try:
                yield first, np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in block])
            except ValueError as error:
                raise SourceError(f"'{path}' is broken near row {first}: {error}. Export it again.") from error
            first += len(block)


def read_dlc_h5(path: Path) -> Recording:
    """Read pandas' table or fixed layout, some frames at a time, without running what a pickle in it could ask for.

    Raises:
        SourceError: it is no such file.
    """
    h5py = library("h5py", "DeepLabCut's HDF5")
    try:
        with h5py.File(path) as file:
            group = file[KEY]
            if "table" in group:
                (axis,) = load_plain(bytes(group.attrs["non_index_axes"]))
                heads = [tuple(map(str, head)) for head in axis[1]]
            else:
                heads = list(zip(*(_level(group, n) for n in range(int(group.attrs["axis0_nlevels"])))))
    except (KeyError, OSError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise SourceError(f"'{path}' is no DeepLabCut file: {error}. Give one that DeepLabCut wrote.") from error
    return _recording(path, heads, 0, _h5_blocks)


def _level(group: Any, n: int) -> list[str]:
    """Return the names of one level of a fixed layout's columns."""
    names = [name.decode() for name in group[f"axis0_level{n}"][:]]
    return [names[label] for label in group[f"axis0_label{n}"][:]]


def _h5_blocks(path: Path, _: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    with library("h5py", "DeepLabCut's HDF5").File(path) as file:
        group = file[KEY]
        values = group["table"] if "table" in group else group["block0_values"]
        for first in range(0, len(values), _BLOCK):
            part = values[first : first + _BLOCK]
            yield first, part["values_block_0"] if "table" in group else part


def _recording(path: Path, heads: list[tuple[str, ...]], depth: int, read: Any) -> Recording:
    """Return what columns of these heads tell: individual, part and coordinate, the first of which may be left out."""
    people = list(dict.fromkeys(head[1] for head in heads)) if len(heads and heads[0]) == len(_LEVELS) else ["1"]
    parts = list(dict.fromkeys(head[-2] for head in heads))
    whole = [(*part, coord) for part in product(people, parts) for coord in _COORDS]
    if heads and [(*head[1:],) if len(head) == len(_LEVELS) else ("1", *head[1:]) for head in heads] != whole:
        raise SourceError(f"'{path}' has not x, y and likelihood of every part of every individual. Export it again.")
    shape = len(people), len(parts), len(_COORDS)
    return Recording(skeleton_of(parts), partial(_frames, read, path, depth, ids_of(people), shape), path)


def _frames(read: Any, path: Path, depth: int, ids: list[int], shape: tuple[int, ...]) -> Iterator[TimedTracks]:
    found: Iterable[tuple[int, NDArray[np.float64]]] = read(path, depth)
    for first, values in found:
        points = values.reshape(len(values), *shape)
        unknown = np.full(len(values), np.nan)
        yield from frames_of(Block(first, unknown, points, np.ones(points.shape[:2])), ids)
