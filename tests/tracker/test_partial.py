from pathlib import Path

import pytest

from posetrack.errors import OutputError
from posetrack.tracker.partial import PartialFile, partial_path


@pytest.mark.parametrize(
    ("final", "partial"),
    [("a/out.csv", "a/out.partial.csv"), ("out", "out.partial"), ("v1.2.mp4", "v1.2.partial.mp4")],
)
def test_partial_name_keeps_the_folder_and_the_suffix(final, partial):
    assert partial_path(Path(final)) == Path(partial)


def test_the_final_name_appears_when_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "out.csv"
    with PartialFile(path) as file:
        file.write(b"one\n")
        assert file.partial.read_bytes() == b"one\n"
        assert not path.exists()
    assert path.read_bytes() == b"one\n"
    assert not file.partial.exists()


def test_an_exception_leaves_the_partial_name(tmp_path):
    path = tmp_path / "out.csv"
    file = PartialFile(path)

    def interrupted():
        with file:
            file.write(b"one\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not path.exists()
    assert file.partial.read_bytes() == b"one\n"


def test_a_final_file_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"out\.csv' exists already.*--overwrite"):
        PartialFile(path)
    with pytest.raises(KeyboardInterrupt), PartialFile(path, overwrite=True):
        raise KeyboardInterrupt
    assert path.read_text() == "precious"
    with PartialFile(path, overwrite=True) as file:
        file.write(b"new")
    assert path.read_text() == "new"


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(OutputError, match=r"it is a folder. Give the name of a file"):
        PartialFile(tmp_path, overwrite=True)


@pytest.mark.parametrize("below", ["out.csv", "deep/out.csv"])
def test_a_place_that_cannot_be_written(tmp_path, below):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"Cannot write '.*out\.csv'.*Choose a folder"),
        PartialFile(tmp_path / "file" / below),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(tmp_path):
    path = tmp_path / "out.csv"
    partial_path(path).symlink_to("/dev/full")
    with (
        pytest.raises(OutputError, match=r"No space left on device.*Free some space.*out\.partial\.csv"),
        PartialFile(path) as file,
    ):
        file.write(b"row\n")
    assert not path.exists()


def test_a_disk_that_fills_within_a_block_keeps_only_whole_blocks(tmp_path):
    class Filling:
        """A file that takes four more bytes."""

        def __init__(self, file):
            self.file = file

        def write(self, data):
            if len(data) <= 4:
                raise OSError(28, "No space left on device")
            return self.file.write(data[:4])

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

    file = PartialFile(tmp_path / "out.csv")

    def fill():
        with file:
            file.write(b"whole\n")
            file._file = Filling(file._file)
            file.write(b"torn row\n")

    with pytest.raises(OutputError, match=r"No space left"):
        fill()
    assert file.partial.read_bytes() == b"whole\n"
