"""What pyproject.toml cannot say: an editable install that editors and type checkers see through.

setuptools maps `posetrack.tracker` to `tracker/` by an import hook, which no static tool follows. An editable install
therefore gets a folder of links in which every package lies under its own name, and a plain path to that folder.
"""

import os
from pathlib import Path

from setuptools import setup
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parent
LINKS = ROOT / ".editable"  # holds posetrack/ and nothing else, so that no `models` of a user is hidden


class LinkedEditable(editable_wheel):
    """An editable install by links; by setuptools' hook where the file system has none."""

    def run(self) -> None:
        """Make the links and install the path to them."""
        try:
            link(LINKS / "posetrack", ROOT / "posetrack")
            for package, folder in self.distribution.package_dir.items():
                link(ROOT.joinpath(*package.split(".")), ROOT / folder)
        except OSError as error:
            self.warn(f"Editors and type checkers will not see posetrack: its folders cannot be linked ({error}).")
        else:
            self.package_dir = self.distribution.package_dir = {"": LINKS.name}
        super().run()


def link(place: Path, folder: Path) -> None:
    """Let a folder appear in a second place: by a symbolic link, or by a junction on Windows, which needs no rights."""
    if place.exists() and place.samefile(folder):
        return
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)  # a link that leads nowhere
    if os.name == "nt":
        import _winapi

        _winapi.CreateJunction(str(folder), str(place))
    else:
        place.symlink_to(os.path.relpath(folder, place.parent), target_is_directory=True)


setup(cmdclass={"editable_wheel": LinkedEditable})
