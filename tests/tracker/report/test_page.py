"""The page holds every track, event and fact, its plots' data are the table's, and nothing in it is run unasked."""

import json
import re
from base64 import b64decode
from copy import deepcopy

import numpy as np
import pytest

pytest.importorskip("bokeh", reason="needs the extra report")

from posetrack.tracker.evaluation import synthetic
from posetrack.tracker.features.events.event import UNITS, Event
from posetrack.tracker.report.measurements import MAX_ROWS, Measurements
from posetrack.tracker.report.page import render
from posetrack.tracker.report.tables import events
from posetrack.tracker.types import State

FACTS = {
    "complete": True,
    "refined": False,
    "source": "clips/</script><img src=x onerror=alert(1)>.mp4",
    "size": {"width": 640, "height": 480},
    "analysed": "2026-05-03T11:30:02+00:00",
    "fps": 30.0,
    "frames": {"read": 120, "dropped": 2, "failed": 0},
    "gaps": [],
    "latency_ms": None,
    "skeleton": {"name": "coco"},
    "model": {"name": "vitpose-b", "sha256": "ab" * 32, "runtime": "torch fp32 on cpu"},
    "detector": {"name": "bundled", "sha256": None, "runtime": None},
    "device": "cpu",
    "versions": {"posetrack": "0.1.0", "torch": None},
    "config": {"source": "x", "refine": False, "smooth": "one-euro"},
}


@pytest.fixture(scope="module")
def page(passing):
    """The page of `passing` without an image."""
    return render(deepcopy(passing), facts=FACTS)


def data_of(page, name="data"):
    return json.loads(re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)[1])


def floats(text):
    return np.frombuffer(b64decode(text), "<f4")


def test_plots_hold_the_tables_numbers(page, two_people):
    data = data_of(page)
    assert [person["id"] for person in data["people"]] == [1, 2]
    for person in data["people"]:
        table = two_people.series.table(person["id"])
        times = floats(person["series"]["t"])
        gaps = np.flatnonzero(np.diff(times) == 0) + 1  # rows that break the line
        known = np.setdiff1d(np.arange(len(times)), gaps)
        np.testing.assert_allclose(times[known], table[:, 0], rtol=1e-6)
        for name, text in person["series"].items():
            if name != "t":
                expected = table[:, 1 + two_people.columns.index(name)]
                np.testing.assert_allclose(floats(text)[known], expected, rtol=1e-6)
                assert np.isnan(floats(text)[gaps]).all()
    assert len(floats(data["people"][1]["series"]["t"])) > len(two_people.series.table(2))  # was hidden for a while
    assert "left_ankle_deg" not in data["people"][0]["series"]  # COCO has no feet


def test_every_track_event_and_fact_is_on_the_page(page, two_people):
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r'class="chip" data-person="(\d)"', text) == ["1", "2"]
    for word in ("left hand raised", ">2.50<", "vitpose-b", "abababababab", "120 read", "one-euro", "2 dropped"):
        assert word in text
    assert "2026-05-03 11:30:02 UTC" in text
    quality = re.search(r'aria-labelledby="quality".*?</section>', text, re.DOTALL)[0]
    assert quality.count("<tr>") == 3
    assert "<td>100</td>" in quality
    assert len(data_of(page)["events"]) == len(two_people.events) > 2


def test_the_value_of_an_event_has_a_unit(two_people):
    two_people.add_events([Event(9.0, 270, 1, "step", 101.5, 0.9), Event(3.1, 93, 1, "court_out", 2.0, 0.9)])
    two_people.units = UNITS | {"court_out": "s"}
    units = {row.cells[2]: row.cells[3:5] for row in events(two_people).rows}
    assert units == {
        "left hand raised": ("1", "count"),
        "step": ("101.5", "steps/min"),
        "court out": ("2", "s"),
    }


def test_a_title_replaces_the_name_of_the_source(two_people):
    assert "<title>Squats &amp; lunges" in render(two_people, facts=FACTS | {"config": {"title": "Squats & lunges"}})
    assert "Squats" not in render(two_people, facts=FACTS | {"config": {"title": None}})


def test_notes_and_a_logo_are_in_the_heading(page, two_people):
    facts = FACTS | {"config": {"notes": "Barefoot\n<b>2 m</b>"}}
    heading, without = (
        re.search(r"<header>.*?</header>", each, re.DOTALL)[0]
        for each in (render(two_people, facts=facts, logo="data:image/png;base64,AA"), page)
    )
    assert 'src="data:image/png;base64,AA"' in heading
    assert "Barefoot\n&lt;b&gt;2 m&lt;/b&gt;" in heading
    assert "<img" not in without
    assert "notes" not in without


def test_a_legend_names_the_people_of_each_colour(page, collect):
    speed = re.search(r'id="plot-speed".*?</figure>', page, re.DOTALL)[0]
    for person in data_of(page)["people"]:
        assert f'--light: {person["colors"]["light"]}; --dark: {person["colors"]["dark"]}"></i>{person["id"]}<' in speed
    one = render(collect(synthetic.walking(synthetic.regular(1, 30))), facts={})
    assert "legend" not in re.search(r'id="plot-speed".*?</figure>', one, re.DOTALL)[0]


def test_the_page_knows_each_frame_of_its_video(two_people, clip):
    taken = clip(1.0, fps=25)
    taken.moved(3)
    np.testing.assert_allclose(
        floats(data_of(render(two_people, facts={}, clip=taken))["frames"]), 3 + np.arange(25) / 25
    )
    assert data_of(render(two_people, facts={}, clip=clip(3.0, max_bytes=100)))["frames"] == ""


def test_names_are_text_and_nothing_comes_from_elsewhere(two_people, clip):
    page = render(two_people, facts=FACTS, clip=clip(1.0))
    assert "onerror=alert" not in page.replace("onerror=alert(1)&gt;", "")
    assert "<title>&lt;" not in page  # the folder's name ends with the tag's slash
    own = re.sub(r"<script>\s*/\* BEGIN bokeh.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:)[^"]*"', own)
    assert not re.findall(r"url\((?!data:)", own)
    assert "http://" not in own
    assert "https://" not in own


def test_one_page_has_one_image_of_each_kind(page, two_people, clip):
    with_video = render(two_people, facts=FACTS, clip=clip(1.0))
    assert "<video" in with_video
    assert data_of(with_video)["times"] == []
    with_images = render(two_people, facts=FACTS, clip=clip(3.0, max_bytes=100))
    assert "<video" not in with_images
    assert data_of(with_images)["times"] == [0, 1, 2]
    assert "nearest of 3 still images" in with_images
    assert "<video" not in page
    assert 'id="image"' not in page


@pytest.mark.slow
def test_thinned_series_are_confessed(collect):
    scene = synthetic.walking(synthetic.regular(20, 30))
    page = render(collect(scene, max_rows=200), facts={})
    assert re.search(r"the minimum and maximum of every [\d.]+ s", page)
    assert len(floats(data_of(page)["people"][0]["series"]["t"])) <= 200
    assert "the minimum and maximum of every" not in render(collect(scene), facts={})


def test_no_people_are_a_page_too():
    page = render(Measurements("bh"), facts={**FACTS, "complete": False})
    assert "No people were found" in page
    assert "stopped early" in page


def test_colours_are_the_overlays(page):
    from posetrack.tracker.output.palette import palette

    blue, green, red = palette(2).base
    color = f"#{red:02x}{green:02x}{blue:02x}"
    assert f"--chip: {color}" in page
    assert data_of(page)["people"][1]["colors"]["dark"] == color


def test_the_most_that_is_kept_is_a_small_page():
    """As many rows as an hour of five people has after thinning."""
    measurements, rng = Measurements("bh"), np.random.default_rng(0)
    rows = rng.normal(size=(MAX_ROWS // 5, len(measurements.columns)))
    for person in range(1, 6):
        for index, row in enumerate(rows):
            measurements.add(person, index, index / 2, State.MEASURED, height=200)
            measurements.series.add(person, index / 2, row)
    page = render(measurements, facts={})
    assert 5e6 < len(page) < 15e6
