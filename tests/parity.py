"""Outputs of the original implementations on deterministic weights, see tests/data/parity/README.md."""

import importlib.util
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "parity"

_spec = importlib.util.spec_from_file_location("parity_fill", FOLDER / "fill.py")
fill = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fill)


@lru_cache(maxsize=2)  # the largest has 600 MB
def load(name):
    """Return (checkpoint in the original's keys, input, metadata) of a fixture; its tests share them."""
    meta = fill.load_meta(FOLDER / f"{name}.json")
    return fill.state_dict_from_meta(meta), fill.make_input(**meta["input"]), meta
