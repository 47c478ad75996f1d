"""What users have set about cameras, in a file of the history folder, so that it outlives the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ....errors import OutputError, UsageError
from ...partial import PartialFile
from ...video.address import parse_source, shown
from ..web.scene import EMPTY, Scene, as_sentence


class Setup(BaseModel):
    """A camera as its users have set it up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(description="as the command line takes it")
    name: str = Field(description="shown to people")
    blur_faces: bool = Field(default=False, description="whether faces are blurred in the images that are sent")
    scene: Scene = Field(default=EMPTY, description="what is marked in the image")
    added: bool = Field(default=False, description="in the page, so that every start opens it")


class _File(BaseModel):
    cameras: list[Setup]


def read_setups(file: Path) -> list[Setup]:
    """Return the cameras of a file; none if there is no file.

    Raises:
        UsageError: it is damaged.
        OutputError: it cannot be read.
    """
    try:
        setups = _File.model_validate_json(file.read_bytes()).cameras
        for setup in setups:
            setup.scene.check()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"Cannot read '{file}': {error.strerror}. Give another --history.") from error
    except (ValidationError, UsageError) as error:
        why = as_sentence(error) if isinstance(error, ValidationError) else str(error)
        raise UsageError(f"'{file}' is damaged: {why}. Correct or delete it.") from error
    return setups


def cameras_to_open(kept: Iterable[Setup], sources: Sequence[str]) -> list[Setup]:
    """Return the cameras that a start opens: the given sources, and those that were added in the page.

    Args:
        kept: from the file.
        sources: of the command line.
    """
    known = {setup.source: setup for setup in kept}
    given = [known.get(source) or Setup(source=source, name=default_name(source)) for source in sources]
    return given + [setup for setup in known.values() if setup.added and setup.source not in sources]


def default_name(source: str) -> str:
    """Return what a source is called before its users name it; secrets in an address are hidden."""
    what = parse_source(source)
    return what.name if isinstance(what, Path) else shown(what)


def write_setups(file: Path, setups: Iterable[Setup]) -> None:
    """Write the cameras into a file, which is replaced as a whole.

    Raises:
        OutputError: it cannot be written.
    """
    text = json.dumps({"cameras": [setup.model_dump() for setup in setups]}, indent=1)
    with PartialFile(file, overwrite=True) as target:
        target.write(text.encode())
