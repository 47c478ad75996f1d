"""Expand folders and patterns into sorted lists of sources."""

from __future__ import annotations

import glob
import itertools
import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from ...errors import SourceError
from .address import IMAGE_SUFFIXES, VIDEO_SUFFIXES, parse_source, redact, shown
from .images.sequence import find_sequences, is_sequence, unnumbered
from .place import Remote
from .write.mark import is_marked

log = logging.getLogger("posetrack")

_MAY_MOVE = frozenset({".gif", ".apng", ".webp", ".avif", ".tif", ".tiff", ".mpo"})  # images with several frames
OTHER, HIDDEN, PARTIAL, RESULT = "no video or image", "hidden", "unfinished", "a result of posetrack"


@dataclass(frozen=True, slots=True)
class Item:
    """One source of a batch.

    Attributes:
        source: what `open_source` takes; or a `Remote`, which is fetched first.
        mirror: relative path without suffix, unique in the batch, for outputs that mirror the folder: `day1/clip`.
    """

    source: Any
    mirror: Path


@dataclass(frozen=True, slots=True)
class Batch:
    """The sources of a run.

    Attributes:
        items: the sources.
        many: whether outputs are folders, because a folder, a pattern or several names were given. False for numbered
            images, which are one video.
        left_out: files that are not sources, each with the reason.
    """

    items: list[Item]
    many: bool
    left_out: dict[Path, str]

    def report(self, most: int = 5) -> str:
        """Return a sentence that lists the files left out; empty if there are none."""
        reasons: dict[str, list[str]] = {}
        for file, reason in self.left_out.items():
            reasons.setdefault(reason, []).append(str(file))
        more = {reason: f" and {len(files) - most} more" for reason, files in reasons.items() if len(files) > most}
        parts = [f"{', '.join(files[:most])}{more.get(reason, '')} ({reason})" for reason, files in reasons.items()]
        return f"Left out: {'; '.join(parts)}." if parts else ""


def expand(source: str | int | Path, *, fps: float | None = None) -> list[Item]:
    """List the sources of one name; see `gather`."""
    return gather([source], fps=fps).items


def gather(sources: Sequence[str | int | Path], *, results: Sequence[Path] = (), fps: float | None = None) -> Batch:
    """List the sources of several names, in their order, each once.

    Folders are searched recursively. Hidden files, unfinished outputs (`.partial.mp4`) and videos and
    images that posetrack wrote are left out; a result that is the only source named is tracked. A pattern (`*`, `?`,
    `[...]`, `**`) is expanded only if no file has exactly that name. Numbered images are one source,
    `frame%04d.jpg`, if a rate is given; otherwise each is a source, because photographs are numbered, too.

    Args:
        sources: as `open_source` takes them, and folders and patterns.
        results: folders of this run's outputs; files in them are results, unless the folder is itself a source.
        fps: frames per second of numbered images.

    Raises:
        SourceError: nothing is found.
    """
    parsed = [parse_source(source) for source in sources]
    if len(parsed) == 1 and not _is_many(parsed[0]):
        return Batch([_single(parsed[0])], many=False, left_out={})
    found: dict[Path, Path] = {}  # by resolved path
    left_out: dict[Path, str] = {}
    roots, streams = [], []
    for what in parsed:
        if not isinstance(what, Path):
            streams.append(_single(what))
            continue
        files, root = _files(what)
        roots.append(root)
        folders = {folder.resolve() for folder in results} - {root.resolve()}
        within = tuple(os.path.join(folder, "") for folder in folders)  # noqa: PTH118 - ends with a slash
        listed = _is_many(what)
        chosen = listed or (len(parsed) > 1 and what.exists())  # opening what is not there raises the error
        for file in files:
            place = file.resolve()
            reason = _reason(file, root, place, within) if chosen else ""
            if reason:
                left_out[file] = reason
            else:
                found.setdefault(place, file)
    if not found and not streams:
        names = ", ".join(f"'{shown(what)}'" for what in parsed)
        kinds = " ".join(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
        if RESULT in left_out.values():
            raise SourceError(
                f"{names} contains only results of posetrack. Name one of them explicitly to track it again."
            )
        raise SourceError(f"{names} contains no video or image. Supported suffixes: {kinds}.")
    visible = {file: reason for file, reason in left_out.items() if not _is_clutter(file, reason)}
    files = _joined(list(found.values()), fps)
    alone = len(parsed) == len(files) == 1 and is_sequence(files[0])
    return Batch([*_mirrored(files, _common(roots)), *streams], many=not alone, left_out=visible)


def is_still(item: Item) -> bool:
    """Return whether an item is a single image; of a file in a store, its suffix says so."""
    from .images.contents import is_image, is_moving

    file = item.source
    if isinstance(file, Remote):
        return PurePosixPath(file.path).suffix.lower() in IMAGE_SUFFIXES - _MAY_MOVE
    return isinstance(file, Path) and file.is_file() and is_image(file) and not is_moving(file)


def _is_many(what: str | int | Path) -> bool:
    if not isinstance(what, Path) or is_sequence(what):
        return False
    return what.is_dir() or (not what.exists() and glob.has_magic(str(what)))


def _joined(files: list[Path], fps: float | None) -> list[Path]:
    """Replace numbered images by their pattern if a rate is given."""
    sequences = find_sequences(files)
    if fps is None:
        for pattern in sequences:
            log.info("'%s' are numbered images, each a separate source; with --fps they are one video.", pattern)
        return files
    numbered = {file for group in sequences.values() for file in group}
    return sorted(sequences) + [file for file in files if file not in numbered]


def _single(what: str | int | Path) -> Item:
    if isinstance(what, int):
        return Item(what, Path(f"camera-{what}"))
    if isinstance(what, Path):
        return _mirrored([what], what.parent)[0] if is_sequence(what) else Item(what, Path(what.stem))
    plain = re.sub(r"[^\w.-]+", "-", re.sub(r"^.*?://(.*@)?|[?#].*$", "", redact(what))).strip("-.")
    return Item(what, Path(plain or "stream"))


def _files(what: Path) -> tuple[list[Path], Path]:
    """Return the files of a path, sorted, and the folder that outputs mirror."""
    if what.is_dir():
        return sorted(file for file in what.rglob("*") if file.is_file()), what
    if _is_many(what):
        # Path.glob does not accept absolute patterns
        files = [Path(name) for name in glob.glob(str(what), recursive=True)]  # noqa: PTH207
        fixed = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), what.parts))
        return sorted(file for file in files if file.is_file()), fixed
    return [what], what.parent


def _reason(file: Path, root: Path, place: Path, results: tuple[str, ...]) -> str:
    """Return why a file, whose resolved path is `place`, is not a source; empty if it is one.

    Args:
        file: as it was found.
        root: folder of the batch.
        place: resolved path of the file.
        results: folders of results, each with a slash at its end.
    """
    if reason := reason_of(file.relative_to(root)):
        return reason
    return RESULT if str(place).startswith(results) or is_marked(file) else ""


def reason_of(name: PurePath) -> str:
    """Return why a file is not a source by its name below the folder of the batch; empty if it is one."""
    if any(part.startswith(".") for part in name.parts):
        return HIDDEN
    if name.suffix.lower() not in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
        return OTHER
    return PARTIAL if name.stem.endswith(".partial") else ""


def _is_clutter(file: Path, reason: str) -> bool:
    return reason == HIDDEN and file.suffix.lower() not in VIDEO_SUFFIXES | IMAGE_SUFFIXES


def _common(roots: Sequence[Path]) -> Path:
    """Return the deepest folder that contains all of these."""
    if len(roots) <= 1:
        return roots[0] if roots else Path()
    parts = [root.absolute().parts for root in roots]
    return Path(*[level[0] for level in itertools.takewhile(lambda level: len(set(level)) == 1, zip(*parts))])


def _mirrored(files: list[Path], root: Path) -> list[Item]:
    """Name the outputs like the files."""
    names = [unnumbered(file, root) if is_sequence(file) else _below(file, root) for file in files]
    twice = Counter(names)
    names = [name if twice[name] == 1 else _below(file, root) for name, file in zip(names, files)]
    return [Item(file, mirror) for file, mirror in zip(files, mirrors(names))]


def mirrors(names: Sequence[Path]) -> list[Path]:
    """Return the names of the outputs of files; a file keeps its suffix if another could get the same name.

    `clip.mov` and `clip.mp4` differ only in the suffix, and `clip.mov.mp4` without it is the first one.
    """
    bare = [name.with_suffix("") for name in names]
    taken = Counter(bare + list(names))
    return [name if taken[short] > 1 else short for name, short in zip(names, bare)]


def _below(file: Path, root: Path) -> Path:
    with suppress(ValueError):
        return file.relative_to(root)
    place = file.absolute()
    return place.relative_to(root) if place.is_relative_to(root) else Path(*place.parts[1:])  # of another drive
