"""Zones and lines are drawn where they are, with their counts."""

import numpy as np

from posetrack.tracker.features.events.regions import Line, Zone
from posetrack.tracker.features.events.zones import ZoneCounter
from posetrack.tracker.output.places import PlaceTexts, draw_outlines, write_counts
from posetrack.tracker.types import Poses, State, Tracks

COURT = Zone("court", ((100, 100), (300, 100), (300, 250), (100, 250)))
GATE = Line("gate", (400, 300), (400, 100))  # its left side is the left of the image


def grey():
    return np.full((360, 480, 3), 128, np.uint8)


def at(x, y):
    """Return one person with the feet at a place."""
    box = [[x - 20, y - 100, x + 20, y]]
    poses = Poses(box, np.full((1, 17, 2), np.nan), np.zeros((1, 17)), [0.9])
    return Tracks([1], poses, np.zeros((1, 2)), (State.MEASURED,))


def test_the_text_counts_who_is_inside():
    zones = ZoneCounter([COURT, GATE])
    for index, x in enumerate([350, 200, 200, 200, 350, 350]):
        zones.update(index, 0.25 * index, at(x, 200))
        if index == 3:
            assert PlaceTexts(zones)(at(x, 200)) == {
                "court": "court  1 in  0 out  1 inside",
                "gate": "gate  0 in  0 out",
            }
    assert PlaceTexts(zones)(at(350, 200))["court"] == "court  1 in  1 out  0 inside"


def test_outlines_are_where_the_recipe_says():
    image = grey()
    draw_outlines(image, [COURT, GATE])
    for x, y in [(200, 100), (300, 180), (200, 250), (100, 180), (400, 150), (400, 290)]:
        assert image[y, x].min() > 200
    assert (image[130:220, 130:270] == 128).all()  # the area stays as it is
    changed = (image != 128).any(-1)
    assert changed[:, 385:396].any()  # the arrow, towards the side that is in
    assert not changed[:, 406:].any()


def test_places_outside_the_image_do_no_harm():
    image = grey()
    far = Zone("far", ((-1e6, -1e6), (1e6, -1e6), (1e6, 1e6)))
    draw_outlines(image, [far])
    write_counts(image, [far, COURT], {"court": "court  1 in"})
    assert (image[100:115, 101:160] != 128).any()
