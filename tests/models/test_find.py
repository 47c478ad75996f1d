import pytest

from posetrack.errors import ModelError, UsageError
from posetrack.models.find import find


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(UsageError, match="Did you mean vitpose-b"):
        find("vitpos-b")


def test_a_model_without_an_address_says_where_to_look():
    with pytest.raises(ModelError, match="by hand"):
        find("vitpose-s")


def test_offline_is_one_sentence_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="posetrack is offline"):
        find("vitpose-b", offline=True)
