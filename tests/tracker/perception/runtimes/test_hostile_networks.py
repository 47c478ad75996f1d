"""Exported networks that are damaged or hostile: one sentence, no other file opened, no memory taken."""

import random

import pytest

from posetrack.errors import ModelError
from posetrack.models.weights.card import KEY, PoseCard, to_text
from posetrack.tracker.perception.pose import load_pose_estimator

pytest.importorskip("openvino", reason="needs openvino")

NOISE = random.Random(0).randbytes(5000)
ENTITIES = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
XML = {
    "empty": b"",
    "noise": NOISE,
    "no_network": b"<net/>",
    "cut": b'<?xml version="1.0"?><net name="a" version="11"><layers><layer id="0" name="x" type="Par',
    "deep": b"<a>" * 100_000,
    "entities": f'<!DOCTYPE a [<!ENTITY a0 "lol">{ENTITIES}]><net name="&a9;" version="11"></net>'.encode(),
    "huge_shape": b'<net name="a" version="11"><layers><layer id="0" name="x" type="Const" version="opset1"><data '
    b'element_type="f32" offset="0" shape="4000000000,4000000000" size="99999999999"/><output><port id="0"/></output>'
    b"</layer></layers><edges/></net>",
    "other_file": b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><net name="&f;" version="11"></net>',
}
ONNX = {"empty": b"", "noise": NOISE, "huge_length": b"\x3a\xff\xff\xff\xff\x0f", "deep": b"\x3a\x7f" * 50_000}


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        *(pytest.param(".xml", content, id=f"xml-{name}") for name, content in XML.items()),
        *(pytest.param(".onnx", content, id=f"onnx-{name}") for name, content in ONNX.items()),
    ],
)
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_damaged_network_is_refused(suffix, content, runtime, tmp_path):
    pytest.importorskip(runtime, reason=f"needs {runtime}")
    if (suffix, runtime) == (".xml", "onnxruntime"):
        runtime = "auto"
    path = tmp_path / f"network{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_pose_estimator(str(path), device="cpu", runtime=runtime)
    assert "network" in str(caught.value)


@pytest.mark.parametrize("place", ["../secret.bin", "/etc/passwd"])
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_an_onnx_file_reads_no_weights_from_elsewhere(place, runtime, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip(runtime, reason=f"needs {runtime}")
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    weights = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[3])
    weights.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "12")):
        weights.external_data.add(key=key, value=value)
    images, output = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 3, 64, 3])
        for name in ("images", "output")
    )
    node = onnx.helper.make_node("Add", ["images", "w"], ["output"])
    graph = onnx.helper.make_graph([node], "hostile", [images], [output], initializer=[weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {KEY: to_text(PoseCard((64, 48), "udp"))})
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "network.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError):
        load_pose_estimator(str(path), device="cpu", runtime=runtime)
