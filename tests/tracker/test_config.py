import pytest

from posetrack import configs
from posetrack.errors import UsageError
from posetrack.tracker.config import RunConfig, checked, read_recipe


@pytest.mark.parametrize("name", configs.names())
def test_shipped_recipes_are_valid(name):
    RunConfig(**read_recipe(name))


def test_the_named_recipes_ship():
    assert {"accurate", "cpu", "realtime"} <= set(configs.names())


def test_an_unknown_key_offers_the_nearest(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("detct_size = 320\n")
    with pytest.raises(UsageError, match=r"unknown key 'detct_size'. Did you mean detect_size\?"):
        read_recipe(str(path))


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(UsageError, match="Did you mean realtime"):
        read_recipe("realtim")


def test_a_missing_recipe_file_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="no recipe file"):
        read_recipe(str(tmp_path / "none.toml"))


def test_a_broken_recipe_is_a_sentence(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("conf = = 3")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_recipe(str(path))


@pytest.mark.parametrize("values", [{"conf": "high"}, {"max_people": 1.5}, {"show": 1}, {"save": 3}])
def test_a_value_of_the_wrong_type_is_refused(values):
    with pytest.raises(UsageError, match="Give a value of that type"):
        checked(values, origin="Recipe x")


def test_dashes_stand_for_underscores_and_whole_numbers_for_floats():
    assert checked({"max-people": 3, "conf": 1}, origin="Recipe x") == {"max_people": 3, "conf": 1.0}


@pytest.mark.parametrize(
    "values",
    [{"conf": 1.5}, {"max_people": -1}, {"start": -1.0}, {"start": 5.0, "end": 4.0}, {"timeout": 0.0}],
)
def test_values_without_a_sense_are_refused(values):
    with pytest.raises(UsageError, match="give"):
        RunConfig(**values)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "1" * 140_000])
def test_a_recipe_that_is_too_deep_or_long_is_a_sentence(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_recipe(str(tmp_path / "a.toml"))
