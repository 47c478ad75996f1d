"""Import the libraries of the extra `formats`, which only some formats need."""

from __future__ import annotations

from functools import partial

from ...installation import library as _library

library = partial(_library, extra="formats")
