import inspect
import re
from pathlib import Path

import pytest

from posetrack import configs, load_pipeline
from posetrack.errors import UsageError
from posetrack.tracker.config.networks import Networks
from posetrack.tracker.config.option import flag, options, table_rows
from posetrack.tracker.config.recipe import checked, read_recipe
from posetrack.tracker.config.run import GROUPS, TYPES, RunConfig
from posetrack.tracker.config.source import Source
from posetrack.tracker.config.tracking import Tracking

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", configs.names())
def test_shipped_recipes_are_valid(name):
    RunConfig.of(**read_recipe(name))


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
        RunConfig.of(**values)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "1" * 140_000])
def test_a_recipe_that_is_too_deep_or_long_is_a_sentence(text, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_recipe(str(tmp_path / "a.toml"))


def test_every_option_of_a_run_is_an_option_of_the_command_line():
    from posetrack.tracker.cli import build_parser

    flags = set(re.findall(r"--[a-z][a-z-]*", build_parser().format_help()))
    assert {flag(field) for group in GROUPS.values() for field, _ in options(group)} <= flags


def test_load_pipeline_has_the_defaults_and_texts_of_the_options():
    declared = {field.name: (field, option) for group in (Networks, Tracking) for field, option in options(group)}
    signature = inspect.signature(load_pipeline).parameters
    text = " ".join(inspect.getdoc(load_pipeline).split())
    assert set(signature) - declared.keys() == {"streams"}
    assert declared.keys() - set(signature) == {"refine"}  # a second pass
    for name in signature.keys() & declared.keys():
        field, option = declared[name]
        assert signature[name].default == field.default, name
        assert f"{name}: {option.help}" in text, name


def test_the_documented_table_is_that_of_the_options():
    rows = table_rows(*GROUPS.values())
    table = ROOT / "docs" / "options.md"
    lines = table.read_text(encoding="utf-8").splitlines()
    found = {match[1]: line for line in lines if (match := re.match(r"\| `(--[a-z-]+)", line))}
    found.pop("--config")
    assert found == rows, "Run: python tasks.py docs"


def test_an_option_is_checked_with_its_unit():
    with pytest.raises(UsageError, match=r"^start is -1.0 s; give a time of 0 or more\.$"):
        Source(start=-1.0)
    with pytest.raises(UsageError, match=r"^smooth is 'much'; give one of none, kalman, one-euro\.$"):
        Tracking(smooth="much")
    with pytest.raises(UsageError, match=r"^conf is 7; give a score between 0 and 1\.$"):
        load_pipeline(conf=7)


def test_a_configuration_is_flat_in_a_sidecar():
    config = RunConfig.of(conf=0.5, csv="a.csv", start=2.0)
    assert (config.networks.conf, config.outputs.csv, config.source.start) == (0.5, "a.csv", 2.0)
    assert config.flat().keys() == TYPES.keys()
    assert RunConfig.of(**config.flat()) == config


@pytest.mark.parametrize("text", ['save = "a.mp4"', 'csv = "a.csv"', 'features = "f.csv"', 'events = "e.csv"'])
@pytest.mark.parametrize("more", ["", "overwrite = true\n"])
def test_a_recipe_does_not_choose_which_files_are_written(text, more, tmp_path):
    (tmp_path / "a.toml").write_text(f"{more}{text}\n")
    with pytest.raises(UsageError, match=r"does not choose which files are written or replaced.*give --"):
        read_recipe(str(tmp_path / "a.toml"))


@pytest.mark.parametrize("key", ["overwrite", "skip-existing"])
def test_a_recipe_does_not_choose_what_is_replaced(key, tmp_path):
    (tmp_path / "a.toml").write_text(f"{key} = true\n")
    with pytest.raises(UsageError, match=f"Remove the key, and give --{key} in the command"):
        read_recipe(str(tmp_path / "a.toml"))


def test_a_size_that_fills_the_memory_is_refused():
    with pytest.raises(UsageError, match="at most 8192"):
        RunConfig.of(detect_size=100_000_000)
