"""DeepLabCut's multi-animal tables as CSV and HDF5: one row per frame; x, y and likelihood of each body part.

Source: https://deeplabcut.github.io/DeepLabCut, "Standard data types"; the HDF5 file is written by pandas, under the
key `df_with_missing`.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError, SourceError
from .csv_rows import column_names, number, read_rows, whole
from .hdf5 import local_member
from .individuals import MAX_FRAMES, MAX_POINTS, blocks, frames_of, ids_of, name_of
from .libraries import library
from .plain_pickle import load_plain
from .recording import Recording, TimedTracks
from .trajectories import skeleton_of

KEY = "df_with_missing"
_LEVELS = ("scorer", "individuals", "bodyparts", "coords")
_COORDS = ("x", "y", "likelihood")
_SCORER = "posetrack"
_BLOCK = 256  # frames per read


def _heads(recording: Recording, ids: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the (scorer, individual, bodypart, coord) of each column."""
    people = [name_of(person) for person in ids]
    return list(product((_SCORER,), people, recording.skeleton.keypoints, _COORDS))


def write_dlc_csv(path: Path, recording: Recording) -> None:
    """Write the CSV; cells are empty where a keypoint is missing."""
    ids, num_frames = recording.extent()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for level, row_of_names in zip(_LEVELS, zip(*_heads(recording, ids)) if ids else [()] * len(_LEVELS)):
            file.write(",".join((level, *row_of_names)) + "\n")
        row = ",%.2f,%.2f,%.4f" * len(recording.skeleton) * len(ids) + "\n"
        for block in blocks(recording, ids, num_frames):
            for index, values in enumerate(block.points.reshape(len(block.times), -1).tolist(), start=block.first):
                file.write(str(index) + (row % tuple(values)).replace("nan", ""))


def write_dlc_h5(path: Path, recording: Recording) -> None:
    """Write the pandas table in blocks.

    Raises:
        OutputError: there are no people, or too many for its header.
    """
    pd = library("pandas", "DeepLabCut's HDF5")
    library("tables", "DeepLabCut's HDF5")
    ids, num_frames = recording.extent()
    if not ids:
        raise OutputError(
            f"'{recording.path}' has no people, and DeepLabCut's HDF5 needs at least one column. Write .csv."
        )
    columns = pd.MultiIndex.from_tuples(_heads(recording, ids), names=_LEVELS)
    # In memory: HDF5 crashes the process where the disk is full.
    with pd.HDFStore(path, mode="w", driver="H5FD_CORE", driver_core_backing_store=0) as store:
        for block in blocks(recording, ids, num_frames):
            index = range(block.first, block.first + len(block.times))
            rows = pd.DataFrame(block.points.reshape(len(index), -1).astype(float), index=index, columns=columns)
            try:
                store.append(KEY, rows, format="table", index=False)
            except Exception as error:  # HDF5's exceptions have no common class
                if "header" not in str(error):
                    raise
                text = f"DeepLabCut's HDF5 cannot hold the columns of {len(ids)} people"
                raise OutputError(f"{text}. Write .dlc.csv, or omit short tracks by --min-length.") from error
        store.flush()
        path.write_bytes(store.root._v_file.get_file_image())


def read_dlc_csv(path: Path) -> Recording:
    """Read the CSV of one or several animals, row by row; boxes enclose the parts.

    Raises:
        SourceError: the file is invalid.
    """
    levels = {cells[0].strip(): column_names(cells[1:]) for _, cells in islice(read_rows(path), len(_LEVELS))}
    depth = sum(name in _LEVELS for name in levels)
    return _recording(path, list(zip(*(levels[name] for name in _LEVELS if name in levels))), partial(_csv, depth))


def _csv(depth: int, path: Path) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    """Yield the numbers of F frames and their values (F, C)."""
    rows = islice(read_rows(path), depth, None)
    position, counted = 0, True
    while block := list(islice(rows, _BLOCK)):
        numbers, values = [], []
        for line, cells in block:
            try:
                values.append([number(cell, "a value") for cell in cells[1:]])
                counted = counted and not (position == 0 and _is_name(cells[0]))
                numbers.append(whole(cells[0], "frame", least=0) if counted else position)
            except ValueError as error:
                raise SourceError(
                    f"'{path}' is invalid in line {line}: {error}. Correct or remove the line."
                ) from error
            position += 1
        yield numbers, np.array(values)


def _is_name(cell: str) -> bool:
    """Return whether a row is named by its image file, as in labelled data, not by its number."""
    return not cell.strip() or any(letter.isalpha() for letter in cell)


def read_dlc_h5(path: Path) -> Recording:
    """Read the pandas table or fixed layout in blocks, without running code from its pickles.

    Raises:
        SourceError: the file is invalid.
    """
    h5py = library("h5py", "DeepLabCut's HDF5")
    try:
        with h5py.File(path) as file:
            group = local_member(file, KEY)
            if "table" in group:
                (axis,) = load_plain(bytes(group.attrs["non_index_axes"]))
                heads = [tuple(map(str, head)) for head in axis[1]]
            else:
                count = min(int(group.attrs["axis0_nlevels"]), len(_LEVELS))
                heads = list(zip(*(_level(group, n) for n in range(count))))
    except (KeyError, OSError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise SourceError(f"'{path}' is not a DeepLabCut file: {error}. Give one that DeepLabCut wrote.") from error
    return _recording(path, heads, _h5)


def _level(group: Any, n: int) -> list[str]:
    """Return the names of one column level of a fixed layout."""
    words, labels = local_member(group, f"axis0_level{n}"), local_member(group, f"axis0_label{n}")
    if max(words.size, labels.size) > MAX_POINTS * len(_COORDS):
        raise ValueError(f"it has {labels.size} columns")
    found = [name.decode() for name in words[:]]
    return [found[label] for label in labels[:]]


def _h5(path: Path) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    with library("h5py", "DeepLabCut's HDF5").File(path) as file:
        group = local_member(file, KEY)
        table = "table" in group
        values = local_member(group, "table" if table else "block0_values")
        index = local_member(group, "axis1") if not table and "axis1" in group else None
        if len(values) > MAX_FRAMES or values.size > MAX_FRAMES * MAX_POINTS:
            raise ValueError(f"it has {len(values)} rows")
        for first in range(0, len(values), _BLOCK):
            part = values[first : first + _BLOCK]
            called = part["index"] if table else index[first : first + _BLOCK] if index is not None else np.array([""])
            numbers = called.tolist() if called.dtype.kind in "iu" else list(range(first, first + len(part)))
            yield numbers, part["values_block_0"] if table else part


def _recording(path: Path, heads: list[tuple[str, ...]], read: Any) -> Recording:
    """Return the recording of columns with these headers, in any order; the level of individuals may be missing.

    Raises:
        SourceError: a coordinate is missing or occurs twice.
    """
    found: dict[tuple[str, str, str], int] = {}
    for column, head in enumerate(heads):
        if len(head) < len(_LEVELS) - 1 or head[-1] not in _COORDS:
            continue
        key = (head[1] if len(head) == len(_LEVELS) else "1", head[-2], head[-1])
        if key in found:
            raise SourceError(f"'{path}' has the column {' '.join(key)} twice. Remove one of them.")
        found[key] = column
    people, parts = (list(dict.fromkeys(key[n] for key in found)) for n in (0, 1))
    whole_table = list(product(people, parts, _COORDS))
    if missing := [key for key in whole_table if key not in found]:
        raise SourceError(
            f"'{path}' lacks {' '.join(missing[0])}; each part of each individual needs x, y and likelihood. "
            "Export it again."
        )
    if heads and not found:
        raise SourceError(f"'{path}' has no columns of x, y and likelihood. Give a file that DeepLabCut wrote.")
    columns = [found[key] for key in whole_table]
    shape = len(people), len(parts), len(_COORDS)
    return Recording(skeleton_of(parts), partial(_frames, read, path, columns, ids_of(people), shape), path)


def _frames(read: Any, path: Path, columns: list[int], ids: list[int], shape: tuple[int, ...]) -> Iterator[TimedTracks]:
    found: Iterable[tuple[list[int], NDArray[np.float64]]] = read(path)
    for numbers, values in found:
        yield from frames_of(numbers, values[:, columns].reshape(len(values), *shape), ids)
