"""Read what an ONNX file says of itself: inputs, outputs, operators and metadata. Its weights are skipped.

The file is protocol buffers. It is read field by field as data, without a library, and nothing in it is run.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, whose field numbers are used below.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ModelError

OPEN = -1  # a dimension that the file leaves open
MOST_PARTS = 1_000_000  # nodes and weights of a graph; the largest published network has some 10,000
Shape = tuple[int, ...]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_FLOATS, _INTEGERS = {1, 10, 16}, {2, 6}  # of TensorProto.DataType: float32, float16, bfloat16; uint8, int32
_SAME = {"Identity", "Cast", "QuantizeLinear", "DequantizeLinear"}  # nodes that return the values that they take


@dataclass(frozen=True, slots=True)
class Graph:
    """The signature of a network.

    Attributes:
        inputs: shape of each input that takes floating-point numbers, uint8 or int32, by name; `OPEN` for an open
            dimension.
        outputs: shape of each output, by name, in the order of the file.
        operators: types of all nodes, such as `Conv`.
        first: types of the nodes that take an input, also by way of a conversion of its type.
        metadata: what the exporter wrote into the file.
        integers: names of the inputs that take uint8 or int32.
    """

    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    operators: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()
    metadata: dict[str, str] = field(default_factory=dict)
    integers: frozenset[str] = frozenset()


def read(path: str | Path) -> Graph:
    """Read the signature of an ONNX file.

    Raises:
        ModelError: the file is missing or no complete ONNX file.
    """
    try:
        with Path(path).open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _model(memoryview(content))
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path}. Check the path.") from error
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ModelError(
            f"Cannot read the network '{path}': it is not a complete ONNX file. Export or download it again."
        ) from error


def _model(view: memoryview) -> Graph:
    graph, metadata = Graph(), {}
    for number, value in _fields(view):
        if number == 7:  # graph
            graph = _graph(_part(value))
        elif number == 14:  # metadata_props
            entry = dict(_fields(_part(value)))
            metadata[_text(entry.get(1, b""))] = _text(entry.get(2, b""))
    if not graph.outputs:
        raise ValueError("it has no outputs")
    return replace(graph, metadata=metadata)


def _graph(view: memoryview) -> Graph:
    nodes: list[tuple[str, list[str], list[str]]] = []
    inputs: dict[str, tuple[int, Shape]] = {}
    outputs: dict[str, Shape] = {}
    constants: set[str] = set()
    for count, (number, value) in enumerate(_fields(view)):
        if count == MOST_PARTS:
            raise ValueError("it has too many parts")
        if number == 1:  # node
            nodes.append(_node(_part(value)))
        elif number == 5:  # initializer; old files list it among the inputs, too
            constants.update(_text(name) for key, name in _fields(_part(value)) if key == 8)
        elif number in (11, 12):  # input, output
            name, kind, shape = _value(_part(value))
            if number == 11:
                inputs[name] = (kind, shape)
            else:
                outputs[name] = shape
    kinds = {name: kind for name, (kind, _) in inputs.items() if name not in constants}
    taken = {name: inputs[name][1] for name, kind in kinds.items() if kind in _FLOATS | _INTEGERS}
    return Graph(
        taken,
        outputs,
        frozenset(operator for operator, _, _ in nodes),
        _first(nodes, set(taken)),
        integers=frozenset(name for name in taken if kinds[name] in _INTEGERS),
    )


def _first(nodes: list[tuple[str, list[str], list[str]]], images: set[str]) -> frozenset[str]:
    """Return the types of the nodes that take an image; a file lists its nodes in the order in which they run."""
    first = set()
    for operator, taken, returned in nodes:
        if images.isdisjoint(taken):
            continue
        if operator in _SAME:
            images.update(returned)
        else:
            first.add(operator)
    return frozenset(first)


def _node(view: memoryview) -> tuple[str, list[str], list[str]]:
    """Return type, inputs and outputs of a NodeProto."""
    operator, taken, returned = "", [], []
    for number, value in _fields(view):
        if number == 1:
            taken.append(_text(value))
        elif number == 2:
            returned.append(_text(value))
        elif number == 4:
            operator = _text(value)
    return operator, taken, returned


def _value(view: memoryview) -> tuple[str, int, Shape]:
    """Return name, type of the numbers and shape of a ValueInfoProto."""
    name, kind, shape = "", 0, []
    for number, value in _fields(view):
        if number == 1:
            name = _text(value)
        elif number == 2:  # type
            for tensor in (_part(v) for n, v in _fields(_part(value)) if n == 1):
                for key, item in _fields(tensor):
                    if key == 1 and isinstance(item, int):
                        kind = item
                    elif key == 2:
                        shape = [_dimension(_part(v)) for n, v in _fields(_part(item)) if n == 1]
    return name, kind, tuple(shape)


def _dimension(view: memoryview) -> int:
    size = dict(_fields(view)).get(1, OPEN)
    return size if isinstance(size, int) and 0 < size < 2**31 else OPEN


def _text(value: int | memoryview | bytes) -> str:
    return bytes(_part(value)).decode("utf-8", "replace")


def _part(value: int | memoryview | bytes) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a field has another type")
    return memoryview(value)


def _fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a message.

    Raises:
        ValueError: the message is cut off or malformed.
    """
    place = 0
    while place < len(view):
        key, place = _varint(view, place)
        wire = key & 7
        if wire == _VARINT:
            value, place = _varint(view, place)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            length, place = _varint(view, place)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"there is no wire type {wire}")
        if place + length > len(view):
            raise ValueError("it is cut off")
        yield key >> 3, view[place : place + length]
        place += length


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(view):
            raise ValueError("it is cut off")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number is too long")
