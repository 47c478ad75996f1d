"""What is read of an ONNX file is what onnx reads, and a broken file is refused."""

import random

import pytest

from posetrack.errors import ModelError
from posetrack.models.foreign.graph import OPEN, read
from tests import foreign_networks as networks

onnx = pytest.importorskip("onnx", reason="needs onnx")


@pytest.fixture(scope="module")
def simcc(tmp_path_factory):
    return networks.write_simcc(tmp_path_factory.mktemp("graph") / "pose.onnx", 26)


def test_it_is_what_onnx_reads(simcc):
    model, graph = onnx.load(simcc), read(simcc)
    for found, expected in ((graph.inputs, model.graph.input), (graph.outputs, model.graph.output)):
        assert list(found) == [value.name for value in expected]
        for value in expected:
            sides = tuple(side.dim_value or OPEN for side in value.type.tensor_type.shape.dim)
            assert found[value.name] == sides
    assert graph.operators == {node.op_type for node in model.graph.node}
    assert graph.first == {"Conv"}
    assert graph.inputs["input"] == (OPEN, 3, 256, 192)


def test_the_first_layer_is_found_behind_a_conversion_of_the_type(simcc, tmp_path):
    model = onnx.load(simcc)
    for node in model.graph.node:
        node.input[:] = ["half" if name == "input" else name for name in node.input]
    model.graph.node.insert(0, onnx.helper.make_node("Cast", ["input"], ["half"], to=10))
    onnx.save(model, tmp_path / "half.onnx")
    assert read(tmp_path / "half.onnx").first == {"Conv"}


def test_whole_numbers(tmp_path):
    graph = read(networks.write_movenet(tmp_path / "movenet.onnx"))
    assert graph.inputs == {"input": (1, 64, 64, 3)}
    assert graph.integers == {"input"}


def test_metadata_and_old_inputs(simcc, tmp_path):
    model = onnx.load(simcc)
    weights = model.graph.initializer[0]
    model.graph.input.append(onnx.helper.make_tensor_value_info(weights.name, 1, weights.dims))
    onnx.helper.set_model_props(model, {"author": "Ultralytics", "stride": "32"})
    onnx.save(model, tmp_path / "old.onnx")
    graph = read(tmp_path / "old.onnx")
    assert list(graph.inputs) == ["input"]  # weights are none
    assert graph.metadata == {"author": "Ultralytics", "stride": "32"}


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        read(tmp_path / "none.onnx")


@pytest.mark.parametrize("seed", range(20))
def test_any_damage_is_an_error_or_another_graph(seed, simcc, tmp_path):
    content = bytearray(simcc.read_bytes()[: 2000 if seed % 2 else None])
    choice = random.Random(seed)
    for _ in range(10):
        content[choice.randrange(min(len(content), 3000))] = choice.randrange(256)
    (tmp_path / "damaged.onnx").write_bytes(content)
    try:
        read(tmp_path / "damaged.onnx")
    except ModelError as error:
        assert "not a complete ONNX file" in str(error)  # noqa: PT017  # either is right
