"""The page, and the source code of the running version, which the AGPL offers to all users over a network."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from ... import version

STATIC = Path(__file__).parent / "static"


def routes() -> APIRouter:
    """Return the routes of the page and of the source."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    @router.get("/source.zip")
    def source() -> Response:
        name = f'attachment; filename="posetrack-{version.__version__}-source.zip"'
        return Response(_source(), media_type="application/zip", headers={"Content-Disposition": name})

    return router


def static() -> StaticFiles:
    """Return the app that serves the scripts and the style."""
    return StaticFiles(directory=STATIC)


def _source() -> bytes:
    """Return a zip of the packages as they run here, with the licence."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, name in _files():
            archive.write(path, name)
    return buffer.getvalue()


def _files() -> Iterator[tuple[Path, str]]:
    """Yield each file and its name in the zip."""
    door = Path(version.__file__).parent
    for path in sorted(door.glob("*.*")):
        yield path, f"posetrack/{path.name}"
    for name in ("tracker", "models", "configs"):  # in a checkout they are next to the package
        folder = Path(__file__).parents[2] / name
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, f"posetrack/{name}/{path.relative_to(folder)}"
    if licence := _licence():
        yield licence, "LICENSE"


def _licence() -> Path | None:
    beside = Path(__file__).resolve().parents[2] / "LICENSE"
    if beside.is_file():
        return beside
    try:
        found = [Path(str(file.locate())) for file in files("posetrack") or [] if file.name == "LICENSE"]
    except PackageNotFoundError:
        return None
    return found[0] if found else None
