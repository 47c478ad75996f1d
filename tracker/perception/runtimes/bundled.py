"""The OpenVINO form of a bundled network, which takes its weights from the network's safetensors file.

The `.xml` addresses the bytes of the `.safetensors` file beside it, followed by those of the `.bin`, which has the few
shapes and indices that only the graph needs. OpenVINO itself reads the two as one file, so `write_complete`
joins them in the cache. Two complete forms would double the size of the package.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

from ....models.weights.card import KEY

ALIGNMENT = 8  # bytes, of the largest numbers
CONSTANTS = "layers/layer[@type='Const']/data"


def read_card(network: Path) -> str:
    """Return the card of a bundled `.xml` file as text."""
    found = ElementTree.parse(network).find(f"rt_info/{KEY}")  # noqa: S314 (a file of this package)
    return "" if found is None else found.attrib["value"]


def write_complete(network: Path, weights: Path, target: Path) -> None:
    """Write a bundled network as a complete OpenVINO file.

    Args:
        network: the bundled `.xml`.
        weights: the safetensors file that it takes its weights from.
        target: `.xml` to write, with a `.bin` beside it.
    """
    shutil.copyfile(network, target)
    with target.with_suffix(".bin").open("wb") as joined:
        for part in (weights, network.with_suffix(".bin")):
            with part.open("rb") as file:
                shutil.copyfileobj(file, joined)


def strip_weights(network: Path, weights: Path) -> None:
    """Turn a complete OpenVINO file into the bundled form.

    Args:
        network: `.xml`, with its `.bin` beside it; both are replaced.
        weights: the safetensors file of the same network, in the same precision.
    """
    tree, own, shared = ElementTree.parse(network), network.with_suffix(".bin"), weights.read_bytes()  # noqa: S314
    places = _places(shared)
    arrays, rest = own.read_bytes(), bytearray(-len(shared) % ALIGNMENT)
    for constant in tree.iterfind(CONSTANTS):
        start = int(constant.attrib["offset"])
        array = arrays[start : start + int(constant.attrib["size"])]
        if array not in places:
            places[array] = len(shared) + len(rest)
            rest += array + bytes(-len(array) % ALIGNMENT)
        constant.set("offset", str(places[array]))
    own.write_bytes(rest)
    tree.write(network, encoding="utf-8", xml_declaration=True)


def _places(content: bytes) -> dict[bytes, int]:
    """Return where the bytes of each tensor begin in a safetensors file."""
    first = 8 + int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8:first])
    tensors.pop("__metadata__", None)
    spans = [tensor["data_offsets"] for tensor in tensors.values()]
    return {content[first + start : first + end]: first + start for start, end in spans}
