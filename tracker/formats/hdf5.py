"""Arrays of HDF5 files that others wrote."""

from __future__ import annotations

import math
from typing import Any

from .libraries import library

MAX_CHUNK = 64_000_000  # bytes that must be unpacked to read one value; writers choose about 1 MB


def local_member(group: Any, name: str) -> Any:
    """Return a member of a group that is stored in its own file, and can be read in parts.

    HDF5 can link to other files and show any bytes of them as numbers.

    Raises:
        KeyError: there is no such member.
        ValueError: it is elsewhere, or packed in one large part.
    """
    h5py = library("h5py", "HDF5")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"'{name}' is a link") if name in group else KeyError(name)
    member = group[name]
    if isinstance(member, h5py.Dataset):
        if member.is_virtual or member.external:
            raise ValueError(f"'{name}' is stored in another file")
        if math.prod(member.chunks or ()) * member.dtype.itemsize > MAX_CHUNK:
            raise ValueError(f"'{name}' is packed in parts of more than {MAX_CHUNK} bytes")
    return member
