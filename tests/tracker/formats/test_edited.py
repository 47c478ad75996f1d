"""Tables that people and spreadsheets have edited read as before, or the error names the place."""

import csv
import io

import numpy as np
import pytest
from gaps import gappy

from posetrack.errors import SourceError
from posetrack.tracker.formats.files import read_recording, read_trajectories, write_recording

SUFFIXES = (".csv", ".long.csv", ".dlc.csv")


@pytest.fixture
def recording():
    return gappy()


def cells_of(path):
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def store(path, cells, *, separator=",", end="\n", encoding="utf-8", lead=""):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(cells)
    path.write_bytes((lead + text.getvalue()).encode(encoding))


def with_commas(cells, head):
    return cells[:head] + [[cell.replace(".", ",") for cell in row] for row in cells[head:]]


def blank(cells):
    return [row for line in cells for row in (line, [])] + [[""] * len(cells[0]), []]


def column_first(cells, _):
    """The last column before the others; what was the first one of DeepLabCut stays, its head names the rows."""
    return [row[-1:] + row[:-1] if cells[0][0] != "scorer" else [row[0], row[-1], *row[1:-1]] for row in cells]


EDITS = {
    "byte order mark": lambda path, cells, head: store(path, cells, encoding="utf-8-sig"),
    "UTF-16, tabs": lambda path, cells, head: store(path, cells, encoding="utf-16", separator="\t"),
    "CRLF": lambda path, cells, head: store(path, cells, end="\r\n"),
    "blank lines": lambda path, cells, head: store(path, blank(cells)),
    "semicolons": lambda path, cells, head: store(path, cells, separator=";"),
    "decimal commas": lambda path, cells, head: store(path, with_commas(cells, head), separator=";"),
    "quoted commas": lambda path, cells, head: store(path, with_commas(cells, head)),
    "sep=": lambda path, cells, head: store(path, with_commas(cells, head), separator=";", lead="sep=;\n"),
    "reordered": lambda path, cells, head: store(path, column_first(cells, head)),
    "added": lambda path, cells, head: store(
        path, [[*row, "note" if n < head else "x"] for n, row in enumerate(cells)]
    ),
    "empty cells at the end": lambda path, cells, head: store(path, [cells[0], *([*row, "", ""] for row in cells[1:])]),
}


def same(one, two):
    two = two.in_skeleton(one.skeleton)
    for name in ("frames", "ids", "keypoints", "scores", "predicted"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_table_reads_as_before(edit, suffix, recording, tmp_path):
    (file,) = write_recording(tmp_path / f"a{suffix}", recording)
    before = read_trajectories(file)
    if edit == "added" and suffix == ".dlc.csv":
        cells = [[*row, word] for row, word in zip(cells_of(file), ["me", "all", "note", "text", *["7"] * 60])]
        store(file, cells)
    else:
        EDITS[edit](file, cells_of(file), 4 if suffix == ".dlc.csv" else 1)
    same(before, read_trajectories(file))


def test_whole_numbers_of_a_spreadsheet_and_empty_values_of_r(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.csv", recording)
    before = read_trajectories(file)
    header, *rows = cells_of(file)
    rows = [[f"{row[0]}.0", row[1], f"{row[2]},0", *(cell or "NA" for cell in row[3:])] for row in rows]
    store(file, [header, *rows])
    same(before, read_trajectories(file))


def test_rows_of_a_tidy_table_may_be_filtered_and_reordered(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.long.csv", recording)
    before = read_trajectories(file)
    header, *rows = cells_of(file)
    store(file, [header, *sorted((row for row in rows if row[5]), key=lambda row: (int(row[0]), row[4], row[2]))])
    after = read_trajectories(file)
    assert after.skeleton == before.skeleton
    same(before, after)


def test_rows_of_deeplabcut_have_the_numbers_in_front_of_them(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.dlc.csv", recording)
    cells = cells_of(file)
    store(file, cells[:4] + cells[14:])
    assert next(iter(read_recording(file)))[0] == 10
    store(file, cells[:4] + [[f"labeled/img{row[0]}.png", *row[1:]] for row in cells[14:]])
    assert next(iter(read_recording(file)))[0] == 0


@pytest.mark.parametrize(
    ("suffix", "column"),
    [(".csv", "time_s"), (".csv", "left_wrist_y"), (".csv", "state"), (".long.csv", "score"), (".long.csv", "frame")],
)
@pytest.mark.parametrize("what", ["missing", "twice"])
def test_a_missing_or_doubled_column_is_named(what, suffix, column, recording, tmp_path):
    (file,) = write_recording(tmp_path / f"a{suffix}", recording)
    cells = cells_of(file)
    at = cells[0].index(column)
    store(file, [row[:at] + row[at + 1 :] if what == "missing" else [*row, row[at]] for row in cells])
    message = f"lacks the column {column}" if what == "missing" else f"has the column {column} twice"
    with pytest.raises(SourceError, match=message):
        read_trajectories(file)


def test_a_missing_column_of_deeplabcut_is_named(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.dlc.csv", recording)
    store(file, [row[:-1] for row in cells_of(file)])
    with pytest.raises(SourceError, match="lacks person2 right_ankle likelihood"):
        read_trajectories(file)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("frame", "2.5", "line 3: frame is '2.5', not a whole number from 0 on"),
        ("frame", "-1", "line 3: frame is '-1'"),
        ("frame", "1" * 120_000, "line 3: frame is '1111"),
        ("track_id", "-1", "line 3: track_id is '-1', not a whole number from 1 on"),
        ("track_id", "", "line 3: track_id is ''"),
        ("time_s", "noon", "line 3: time_s is 'noon', not a number"),
        ("state", "up", "line 3: state is 'up', not one of measured, predicted, interpolated"),
        ("nose_x", "12 px", "line 3: nose_x is '12 px', not a number"),
        ("nose_x", "inf", "a coordinate is inf pixels"),
        ("nose_x", "1e308", r"a coordinate is 1e\+308 pixels"),
        ("x1", "9e99", r"a coordinate is 9e\+99 pixels"),
        ("frame", "1" * 140_000, "invalid after line 2: field larger than field limit"),
        ("", "", "person 1 twice in frame 3"),
    ],
)
def test_a_wrong_cell_is_reported_with_its_place(column, cell, message, recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.csv", recording)
    header, first, *rest = cells_of(file)
    second = list(first)
    if column in header:
        second[header.index(column)] = cell
    store(file, [header, first, second, *rest])
    with pytest.raises(SourceError, match=message) as caught:
        read_trajectories(file)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 300


def test_times_that_go_back_are_reported(recording, tmp_path):
    (file,) = write_recording(tmp_path / "a.csv", recording)
    header, *rows = cells_of(file)
    store(file, [header, *([*row[:1], "99" if n < 3 else row[1], *row[2:]] for n, row in enumerate(rows))])
    with pytest.raises(SourceError, match=r"goes back to .* s in frame \d+\. Correct the times"):
        read_trajectories(file)


def test_a_column_that_is_no_keypoint_is_left_out_with_a_word(recording, tmp_path, caplog):
    (file,) = write_recording(tmp_path / "a.csv", recording)
    store(file, [[*row, "centre_x", "centre_y"] if not n else [*row, "1", "2"] for n, row in enumerate(cells_of(file))])
    assert len(read_recording(file).skeleton) == 17
    assert "centre_x does not belong to a keypoint" in caplog.text
