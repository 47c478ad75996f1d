import pytest

from posetrack.errors import DeviceError, UsageError
from posetrack.tracker.perception.runtimes.choice import choose
from posetrack.tracker.perception.runtimes.machine import Machine, _share, threads

ALL = frozenset({"torch", "openvino", "onnxruntime"})
PLAIN = Machine(flags=frozenset({"avx2"}), installed=ALL)
BF16 = Machine(flags=frozenset({"avx512_bf16"}), installed=ALL)
VNNI = Machine(flags=frozenset({"avx512_bf16", "avx512_vnni"}), installed=ALL)
AMX = Machine(flags=frozenset({"amx_bf16", "amx_tile"}), installed=ALL)
CUDA = Machine(flags=frozenset({"avx512_bf16"}), gpu="cuda", installed=ALL)
MAC = Machine(gpu="mps", installed=ALL)
LEAN = Machine(flags=frozenset({"avx512_bf16"}), installed=frozenset({"torch"}))


def decide(machine, runtime="auto", device="auto", precision="auto", suffix=""):
    choice = choose(runtime, device, precision, machine=machine, suffix=suffix)
    return choice.runtime, choice.device, choice.precision


@pytest.mark.parametrize(
    ("machine", "expected", "reason"),
    [
        (PLAIN, ("openvino", "cpu", "fp32"), "no bf16 instructions"),
        (BF16, ("openvino", "cpu", "bf16"), "has avx512_bf16"),
        (AMX, ("openvino", "cpu", "bf16"), "has amx_bf16"),
        (CUDA, ("torch", "cuda", "fp16"), "GPU"),
        (MAC, ("torch", "mps", "fp32"), "GPU"),
        (LEAN, ("torch", "cpu", "fp32"), "OpenVINO, which is faster on a processor, is not installed"),
    ],
)
def test_auto(machine, expected, reason):
    assert decide(machine) == expected
    assert reason in choose("auto", "auto", "auto", machine=machine).reason


@pytest.mark.parametrize(
    ("machine", "wish", "there", "expected"),
    [
        (VNNI, {}, True, ("openvino", "int8")),
        (VNNI, {}, False, ("openvino", "bf16")),
        (BF16, {}, True, ("openvino", "bf16")),
        (PLAIN, {}, True, ("openvino", "fp32")),
        (VNNI, {"precision": "bf16"}, True, ("openvino", "bf16")),
        (VNNI, {"runtime": "torch"}, True, ("torch", "fp32")),
    ],
)
def test_int8_takes_instructions_and_a_network_that_passed(machine, wish, there, expected):
    words = {"runtime": "auto", "device": "auto", "precision": "auto"} | wish
    choice = choose(**words, machine=machine, int8=there)
    assert (choice.runtime, choice.precision) == expected
    assert ("avx512_vnni" in choice.reason) == (choice.precision == "int8")


@pytest.mark.parametrize(
    ("machine", "wish", "expected"),
    [
        (CUDA, {"device": "cpu"}, ("openvino", "cpu", "bf16")),
        (CUDA, {"runtime": "openvino"}, ("openvino", "cpu", "bf16")),
        (CUDA, {"runtime": "onnxruntime"}, ("onnxruntime", "cuda", "fp32")),
        (CUDA, {"device": "cuda:3", "precision": "fp32"}, ("torch", "cuda:3", "fp32")),
        (CUDA, {"precision": "bf16"}, ("torch", "cuda", "bf16")),
        (MAC, {"runtime": "onnxruntime"}, ("onnxruntime", "cpu", "fp32")),
        (BF16, {"runtime": "torch"}, ("torch", "cpu", "fp32")),
        (BF16, {"runtime": "torch", "precision": "bf16"}, ("torch", "cpu", "bf16")),
        (BF16, {"precision": "fp32"}, ("openvino", "cpu", "fp32")),
        (CUDA, {"suffix": ".xml"}, ("openvino", "cpu", "bf16")),
        (CUDA, {"suffix": ".onnx"}, ("openvino", "cpu", "bf16")),
        (CUDA, {"suffix": ".onnx", "device": "cuda"}, ("onnxruntime", "cuda", "fp32")),
        (BF16, {"suffix": ".onnx", "runtime": "onnxruntime"}, ("onnxruntime", "cpu", "fp32")),
    ],
)
def test_what_is_asked_for_is_taken(machine, wish, expected):
    assert decide(machine, **wish) == expected


@pytest.mark.parametrize(
    ("wish", "error", "sentence"),
    [
        ({"runtime": "tensorflow"}, UsageError, "Runtime 'tensorflow' is not known. Use auto, torch, openvino or"),
        ({"precision": "fp8"}, UsageError, "Precision 'fp8' is not known"),
        ({"device": "gpu"}, UsageError, "Device 'gpu' is not known"),
        ({"runtime": "openvino", "device": "cuda"}, UsageError, "'openvino' does not run on cuda here, only on cpu"),
        ({"precision": "fp16"}, UsageError, "Precision 'fp16' is not available with openvino on cpu. Use fp32 or bf16"),
        ({"runtime": "torch", "suffix": ".xml"}, UsageError, "'torch' does not read .xml files. Use openvino"),
    ],
)
def test_what_cannot_be_is_refused(wish, error, sentence):
    with pytest.raises(error, match=sentence):
        decide(PLAIN, **wish)


@pytest.mark.parametrize(("runtime", "package"), [("openvino", "openvino"), ("onnxruntime", r"posetrack\[onnx\]")])
def test_a_missing_package_is_named(runtime, package):
    with pytest.raises(
        DeviceError, match=f"'{runtime}' on cpu is needed, but not installed. Run: pip install '{package}'"
    ):
        decide(LEAN, runtime=runtime)


def test_a_containers_share_counts(tmp_path):
    file = tmp_path / "cpu.max"
    file.write_text("150000 100000\n")
    assert _share(file) == 1.5
    file.write_text("max 100000\n")
    assert _share(file) == _share(tmp_path / "missing") == float("inf")


def test_the_environment_limits_the_threads(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
    assert threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads() >= 1
