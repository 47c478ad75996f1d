import dataclasses
import hashlib
import io

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from posetrack.errors import ModelError, UsageError
from posetrack.models.weights import locate as module
from posetrack.models.weights.locate import local, locate_weights, variant
from posetrack.models.weights.variants import ZOO
from posetrack.tracker.perception.pose import load_pose_estimator


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no other program's."""
    monkeypatch.setenv("POSETRACK_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def downloads(monkeypatch):
    """Replaces the network: every address has the same short file."""
    asked = []

    def fetch(url, target, *, licence, expected):
        asked.append((url, expected))
        target.write_bytes(b"weights")

    monkeypatch.setattr(module, "fetch", fetch)
    return asked


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UsageError, match="Did you mean vitpose-b"):
        locate_weights("vitpos-b")


def test_a_path_is_taken_as_it_is(tmp_path):
    (tmp_path / "mine.pth").write_bytes(b"weights")
    found = locate_weights(str(tmp_path / "mine.pth"))
    assert found.path == tmp_path / "mine.pth"
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert found.input_size is None
    assert [path.name for path in tmp_path.iterdir()] == ["mine.pth"]


def test_weights_without_an_address_are_found_where_the_message_says(cache):
    with pytest.raises(ModelError, match="Download them there and put the file at") as error:
        locate_weights("potr-xcit-s12-p16-288x384")
    place = str(error.value).split("put the file at ")[1].split(",")[0]
    with open(place, "wb") as file:  # noqa: PTH123
        file.write(b"weights")
    found = locate_weights("potr-xcit-s12-p16-288x384", offline=True)
    assert str(found.path) == place
    assert found.input_size == (384, 288)


@pytest.mark.parametrize("name", ["vitpose-b", "transpose-r-a3"])
@pytest.mark.parametrize("switch", ["argument", "POSETRACK_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_is_one_sentence_at_once(name, switch, cache, downloads, monkeypatch):
    if switch != "argument":
        monkeypatch.setenv(switch, "1")
    with pytest.raises(ModelError, match=f"posetrack is offline.* put the file of https.* at {cache}"):
        locate_weights(name, offline=switch == "argument")
    assert not downloads


def test_weights_are_fetched_once_from_a_fixed_address(cache, downloads):
    for _ in range(2):
        assert locate_weights("vitpose-plus-l").path == cache / "vitpose-plus-l.safetensors"
        assert locate_weights("transpose-h-s").path == cache / "transpose-h-s.pth"
    hub, release = downloads
    assert hub[0].endswith("/resolve/e211df377e49c89dba508ab3e83ddef13c0832b4/model.safetensors")
    assert release[0].endswith("/releases/download/Hub/tp_h_32_256x192_enc4_d64_h128_mh1.pth")
    locate_weights("vitpose-b")
    assert downloads[-1][1] == ZOO["vitpose-b"].sha256


def test_a_file_that_changed_since_its_first_use_is_refused(cache, downloads):
    path = locate_weights("transpose-r-a4").path
    digest = hashlib.sha256(b"weights").hexdigest()
    assert (cache / "transpose-r-a4.pth.sha256").read_text() == f"{digest}  transpose-r-a4.pth\n"
    path.write_bytes(b"other weights")
    with pytest.raises(ModelError, match=f"changed since it was first used.*not {digest}.* delete .*sha256"):
        locate_weights("transpose-r-a4")


def test_the_cache_of_the_hub_is_shared(cache, downloads, monkeypatch):
    repository, revision = ZOO["vitpose-b"].hub
    folder = cache / "hub" / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    with pytest.raises(ModelError, match=f"is damaged: its sha256 is {digest}"):
        locate_weights("vitpose-b")
    monkeypatch.setitem(ZOO, "vitpose-b", dataclasses.replace(ZOO["vitpose-b"], sha256=digest))
    assert locate_weights("vitpose-b", offline=True).path == folder / "model.safetensors"
    assert not downloads


def test_only_the_bundled_weights_are_always_here(cache):
    assert [name for name, known in ZOO.items() if local(known)] == [variant("bundled").name]


FIRST = {known.family: name for name, known in reversed(ZOO.items())}.values()  # of each family


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in ZOO])
def test_the_figures_of_the_zoo_are_those_of_its_networks(name):
    """Computed on the meta device; multiply-accumulate operations are half of PyTorch's floating-point operations."""
    known = ZOO[name]
    with torch.device("meta"), torch.no_grad():
        network = known.build().eval().requires_grad_(False)
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, *known.input_size))
    assert network.input_size == known.input_size
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == known.parameters
    assert round(counter.get_total_flops() / 2e9, 1) == known.gmacs


def test_a_network_by_its_name_has_the_input_size_of_its_name(cache):
    from posetrack.models.weights.checkpoint import load_checkpoint

    with torch.device("meta"):
        state = ZOO["potr-xcit-s12-p16"].build().state_dict()
    state = {key: torch.zeros(value.shape, dtype=value.dtype) for key, value in state.items()}
    buffer = io.BytesIO()
    torch.save(state, buffer)
    (cache / "potr-xcit-s12-p16-288x384.pth").write_bytes(buffer.getvalue())
    found = locate_weights("potr-xcit-s12-p16-288x384")
    assert load_checkpoint(found.path, input_size=found.input_size).input_size == (384, 288)
    assert load_checkpoint(found.path).input_size == (256, 192)


class TestTransformers:
    @pytest.fixture
    def folder(self, tmp_path):
        transformers = pytest.importorskip("transformers", reason="needs transformers")
        torch.manual_seed(0)
        backbone = {"hidden_size": 384, "num_hidden_layers": 1, "num_attention_heads": 12, "image_size": [64, 48]}
        config = transformers.VitPoseConfig(
            backbone_config={"model_type": "vitpose_backbone", "patch_size": [16, 16], **backbone},
            num_labels=17,
            use_simple_decoder=True,
        )
        transformers.VitPoseForPoseEstimation(config).save_pretrained(tmp_path / "network")
        return tmp_path / "network"

    def test_a_folder_is_a_name(self, folder):
        estimator = load_pose_estimator(str(folder), device="cpu", runtime="torch")
        assert (estimator.family, estimator.skeleton.name, estimator.input_size) == ("ViTPose", "coco", (64, 48))

    def test_so_is_a_repository_of_the_hub(self, folder, monkeypatch):
        monkeypatch.setattr(module.hub, "find", lambda name, **_: folder / "model.safetensors")
        assert locate_weights("owner/vitpose").path == folder / "model.safetensors"

    def test_another_network_of_transformers_is_a_sentence(self, folder):
        config = folder / "config.json"
        config.write_text(config.read_text().replace('"model_type": "vitpose"', '"model_type": "sapiens2"'))
        with pytest.raises(ModelError, match="is a sapiens2 of transformers"):
            load_pose_estimator(str(folder), device="cpu", runtime="torch")

    def test_offline_it_is_looked_for_in_the_cache_only(self, cache):
        with pytest.raises(ModelError, match="neither a file nor in the cache of the hub"):
            locate_weights("owner/vitpose", offline=True)
