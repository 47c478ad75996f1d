"""Explain in one sentence which library is missing."""

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
_HEADLESS = "pip uninstall -y opencv-python && pip install opencv-python-headless"


@contextmanager
def explained() -> Iterator[None]:
    """Raise an import that fails for want of a library as a sentence; a block, or a function that this decorates.

    Raises:
        InstallationError: with the remedy.
    """
    try:
        yield
    except (ImportError, OSError) as error:
        why = explain(error)
        if why is None:
            raise
        raise why from error


def explain(error: ImportError | OSError) -> InstallationError | None:
    """Turn the loader's message about a shared library or a module that is missing into a sentence with the remedy.

    Args:
        error: of an import.

    Returns:
        None if the error is of another kind.
    """
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("posetrack"):
        package = error.name.partition(".")[0]
        return InstallationError(
            f"The package '{package}' is not installed. Install it: pip install '{_home(package)}'."
        )
    if re.search("failed to map segment|[Cc]annot allocate memory", str(error)):
        return InstallationError("There is not enough memory to load the libraries. Close other programs.")
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
