import pytest

from posetrack.errors import UsageError
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.tracking.selectors import AtPlace, parse_person, parse_roi


@pytest.mark.parametrize(
    ("text", "meant"),
    [("largest", "largest"), ("longest", "longest"), ("12", 12), ("320,240.5@1.5", AtPlace(320, 240.5, 1.5))],
)
def test_a_person(text, meant):
    assert parse_person(text) == meant


@pytest.mark.parametrize("text", ["", "0", "-3", "smallest", "3.5", "1,2", "1,2@", "a,b@c", "1,2@inf", "nan,2@3"])
def test_invalid_selectors_are_refused(text):
    with pytest.raises(UsageError, match="give largest, longest, an id"):
        parse_person(text)


def test_regions():
    assert parse_roi("10,20,30,40") == ((10, 20), (40, 20), (40, 60), (10, 60))
    assert parse_roi("0,0, 10,0, 5,8") == ((0, 0), (10, 0), (5, 8))


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,0,4", "1,2,3,-4", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "1 2 3 4"])
def test_no_region(text):
    with pytest.raises(UsageError, match="give x,y,width,height"):
        parse_roi(text)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"person": "all"}, "person is 'all'"),
        ({"roi": "1"}, "roi is '1'"),
        ({"min_length": -1.0}, "min_length is -1.0"),
        ({"blur_faces": True, "max_people": 3}, "ignores people whose faces blur_faces"),
        ({"blur_faces": True, "detect_every": "auto"}, "detect_every is auto, so blur_faces would miss new people"),
    ],
)
def test_a_run_checks_them(field, message):
    with pytest.raises(UsageError, match=message):
        RunConfig.of(source="0", **field)
