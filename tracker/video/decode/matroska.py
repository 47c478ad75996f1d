"""Elements of Matroska and WebM files. Source: RFC 8794, 4 to 6."""

from __future__ import annotations

from pathlib import Path

_SEGMENT, _CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_HEADER = 12  # bytes of the longest ID and size
_ID, _SIZE = 4, 8  # most bytes of each


def is_chain(path: Path) -> bool:
    """Return whether the elements of a file follow each other up to its end: none is cut or overwritten."""
    size = end = path.stat().st_size
    at = 0
    with path.open("rb", buffering=0) as file:  # of a large file little is read
        while at < end <= size:
            file.seek(at)
            header = file.read(_HEADER)
            width = _width(header[0])
            kind, rest = header[:width], header[width:]
            length = _width(rest[0]) if width <= _ID and rest else _SIZE + 1
            if length > _SIZE:
                return False
            unknown = (1 << 7 * length) - 1
            contents = int.from_bytes(rest[:length], "big") & unknown
            at += width + length
            if kind == _SEGMENT and contents != unknown:
                end = at + contents
            elif kind not in (_SEGMENT, _CLUSTER):  # whose contents are elements, too
                at += contents
    return at == end


def _width(first: int) -> int:
    """Return the bytes of a number by the leading zeros of its first byte."""
    return 9 - first.bit_length()
