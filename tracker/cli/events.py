"""Repetitions, zones and lines of a recipe, for the commands that read a table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..features.events.detector import EventDetector
    from ..features.events.zones import ZoneCounter
    from ..features.extraction.stream import ActionFeatures


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add the option `--config` to the parser of a command."""
    parser.add_argument(
        "--config",
        dest="recipe",
        metavar="RECIPE",
        help="recipe with [repetitions.NAME], [zones.NAME] and [lines.NAME]",
    )


def detectors(recipe: str | None, actions: ActionFeatures) -> tuple[EventDetector, ZoneCounter]:
    """Return what detects the events of a recipe; without one, the built-in events.

    Raises:
        UsageError: there is no such recipe, or a definition in it is invalid.
    """
    from ..config.recipe import read_recipe
    from ..features.events.detector import EventDetector
    from ..features.events.regions import zones_from_config
    from ..features.events.repetitions import from_config
    from ..features.events.zones import ZoneCounter

    tables = read_recipe(recipe) if recipe else {}
    detector = EventDetector(actions, repetitions=from_config(tables.get("repetitions", {})))
    places = zones_from_config(tables.get("zones", {}), tables.get("lines", {}))
    return detector, ZoneCounter(places, skeleton=actions.skeleton)
