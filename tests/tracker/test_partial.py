import os
import subprocess
import sys
from pathlib import Path

import pytest

from posetrack.errors import OutputError
from posetrack.tracker.partial import (
    PartialFile,
    Transaction,
    check_target,
    partial_path,
    scratch_folder,
    sidecar_path,
)
from posetrack.tracker.partial.claim import KEPT

ROOT = Path(__file__).parents[2]


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


def test_a_full_disk(tmp_path, full_disk):
    path = tmp_path / "out.csv"
    with full_disk(10), PartialFile(path) as file:
        file.write(b"whole\n")
        with pytest.raises(OutputError, match=r"File too large.*Free some space.*out\.partial\.csv"):
            file.write(b"torn row\n")
        assert file.partial.read_bytes() == b"whole\n"


def test_an_empty_partial_file_is_removed(tmp_path, full_disk):
    with pytest.raises(OutputError) as error, full_disk(0), PartialFile(tmp_path / "out.csv") as file:
        file.write(b"row\n")
    assert str(error.value).endswith("Free some space or choose another disk.")
    assert not list(tmp_path.iterdir())


def test_blocks_that_the_disk_lost_are_an_error(tmp_path):
    path = tmp_path / "out.csv"
    with PartialFile(path) as file:
        file.write(b"row\n")
        file._file.truncate(2)
        with pytest.raises(OutputError, match=r"the file has 2 instead of 4 bytes"):
            file.finish()
    assert not path.exists()


def test_a_second_run_is_refused_while_the_first_lives(tmp_path):
    path = tmp_path / "out.csv"
    code = """
import sys
from posetrack.errors import OutputError
from posetrack.tracker.partial import PartialFile
try:
    with PartialFile(sys.argv[1]) as file:
        file.write(b"second")
except OutputError as error:
    print(error)
"""
    with PartialFile(path) as file:
        file.write(b"first")
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, cwd=ROOT, check=True)
        assert "another run is writing" in done.stdout
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_an_earlier_partial_file_is_kept_with_its_sidecar(tmp_path, caplog):
    path = tmp_path / "out.csv"
    for number in range(3):
        partial_path(path).write_text(f"run {number}")
        sidecar_path(path, complete=False).write_text(f"facts {number}")
        with PartialFile(path, overwrite=True) as file:
            file.write(b"new")
        assert f"is kept as 'out.{number + 1}.partial.csv'" in caplog.text
    names = {"out.csv"} | {f"out.{n}.partial.csv{suffix}" for n in (1, 2, 3) for suffix in ("", ".json")}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert (tmp_path / "out.2.partial.csv").read_text() == "run 1"
    assert (tmp_path / "out.2.partial.csv.json").read_text() == "facts 1"


def test_of_many_earlier_partial_files_the_newest_are_kept(tmp_path, caplog):
    path = tmp_path / "out.csv"
    for number in range(KEPT + 2):
        partial_path(path).write_text(f"run {number}")
        os.utime(partial_path(path), (number, number))
        if number == 0:
            sidecar_path(path, complete=False).write_text("facts of run 0")
        with PartialFile(path, overwrite=True) as file:
            file.write(b"new")
    assert "in the place of the oldest of 5" in caplog.text
    kept = [file.read_text() for file in tmp_path.glob("*.partial.csv")]
    assert sorted(kept) == [f"run {number}" for number in range(2, KEPT + 2)]
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(OutputError, match=r"a device or a pipe\. Give"):
        check_target(tmp_path / "out.csv", overwrite=True)


def test_nothing_is_written_through_a_link(tmp_path):
    path, victim = tmp_path / "out.csv", tmp_path / "victim"
    victim.write_text("precious")
    partial_path(path).symlink_to(victim)
    with PartialFile(path) as file:
        file.write(b"new")
    assert victim.read_text() == "precious"
    assert path.read_text() == "new"
    assert not path.is_symlink()


class TestTransaction:
    def test_files_get_their_names_together(self, tmp_path):
        with Transaction() as results:
            for name in "ab":
                with PartialFile(tmp_path / name, results=results) as file:
                    file.write(name.encode())
            assert not (tmp_path / "a").exists()
        assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "a", "b": "b"}

    def test_after_an_error_none_has_its_name_and_all_keep_their_blocks(self, tmp_path):
        def fail():
            with Transaction() as results:
                with PartialFile(tmp_path / "a", results=results) as file:
                    file.write(b"a")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a.partial": "a"}

    def test_a_finished_file_is_held_until_the_end(self, tmp_path):
        with Transaction() as results:
            with PartialFile(tmp_path / "a", results=results):
                pass
            with pytest.raises(OutputError, match="another run is writing"), PartialFile(tmp_path / "a"):
                pass


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


def test_an_empty_partial_file_of_an_earlier_run_is_not_kept(tmp_path, caplog):
    partial_path(tmp_path / "out.csv").touch()
    with PartialFile(tmp_path / "out.csv") as file:
        file.write(b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert not caplog.text


def test_a_scratch_folder_takes_the_place_of_those_that_killed_runs_left(tmp_path):
    result = tmp_path / "a[1].trc"
    left, fresh = scratch_folder(result), scratch_folder(result)
    other = scratch_folder(tmp_path / "a1.trc")
    (left / "part.trc").write_text("of a killed run")
    for folder in (left, other):
        os.utime(folder, (0, 0))
    own = scratch_folder(result)
    assert sorted(tmp_path.iterdir()) == sorted([fresh, other, own])
    assert all(folder.name.startswith(".") for folder in tmp_path.iterdir())
