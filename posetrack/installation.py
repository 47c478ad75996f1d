"""Explain in one sentence which library is missing, or that memory is, for which each library has its own words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

from .errors import InstallationError, PosetrackError

_PACKAGES = {  # of Debian and Ubuntu, where a server's image leaves them out
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLX.so.0": "libglx0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
}
_WINDOWS = {"libGL.so.1", "libEGL.so.1", "libGLX.so.0"}  # which OpenCV's windows alone need
_SHORTAGE = re.compile(  # of memory: of the loader, C++, OpenCV, OpenVINO, torch, threads, and numba's loader
    "failed to map segment|cannot allocate memory|bad_alloc|can't alloc|failed to allocate|insufficient memory|"
    "not enough memory|out of memory|can't start new thread|resource temporarily unavailable|object file 'libllvmlite",
    re.IGNORECASE,
)
_HEADLESS = "pip uninstall -y opencv-python && pip install opencv-python-headless"


@contextmanager
def explained() -> Iterator[None]:
    """Raise a library or memory that is missing as a sentence; a block, or a function that this decorates.

    Raises:
        PosetrackError: with the remedy.
    """
    try:
        yield
    except PosetrackError:
        raise
    except Exception as error:
        why = explain(error)
        if why is None:
            raise
        raise why from error


def explain(error: Exception) -> PosetrackError | None:
    """Turn an error about a shared library, a module or memory that is missing into a sentence with the remedy.

    Args:
        error: of a library or an import.

    Returns:
        None if the error is of another kind.
    """
    said = getattr(error, "strerror", None) or str(error)  # without the name of a file
    if isinstance(error, MemoryError) or _SHORTAGE.search(said):
        return PosetrackError("There is not enough memory. Close other programs, or give a smaller file.")
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("posetrack"):
        package = error.name.partition(".")[0]
        return InstallationError(
            f"The package '{package}' is not installed. Install it: pip install '{_home(package)}'."
        )
    if not isinstance(error, ImportError | OSError):
        return None
    match = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file", str(error))
    if match is None:
        return None
    library = match[1]
    source = _PACKAGES.get(library)
    install = f"Install it (Debian, Ubuntu: apt-get install {source})" if source else "Install it"
    if library not in _WINDOWS:
        return InstallationError(f"This machine has no {library}, which a library of posetrack's needs. {install}.")
    return InstallationError(
        f"OpenCV cannot be loaded: this machine has no {library}. {install}. Only windows need it: where none is to be "
        f"shown, OpenCV without them does as well: {_HEADLESS}"
    )


def _home(package: str) -> str:
    """Return what brings a package: posetrack with the smallest extra that has it, or posetrack alone."""
    with suppress(PackageNotFoundError):
        extras = [re.fullmatch(r"([\w.-]+).*extra == .([\w-]+).", each) for each in requires("posetrack") or ()]
        brings = [(found[1].replace("-", "_"), found[2]) for found in extras if found]
        sizes = Counter(extra for _, extra in brings)
        if homes := [extra for name, extra in brings if name == package]:
            return f"posetrack[{min(homes, key=sizes.__getitem__)}]"
    return "posetrack"


def library(name: str, what: str, *, extra: str) -> Any:
    """Import a library of an extra.

    Args:
        name: module to import.
        what: feature that needs it, for the error.
        extra: extra of posetrack that installs it.

    Raises:
        PosetrackError: the library is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise PosetrackError(f"{what} needs {package}. Install it: pip install 'posetrack[{extra}]'.") from error
