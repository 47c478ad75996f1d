"""Where the server listens, and who needs a token."""

import pytest

from posetrack.errors import UsageError
from posetrack.tracker.config.run import RunConfig
from posetrack.tracker.serve import settings
from posetrack.tracker.serve.server import welcome


def test_other_machines_need_a_token(tmp_path):
    run = RunConfig()
    with pytest.raises(UsageError, match="needs a token"):
        settings.Settings(tmp_path, run, host="0.0.0.0")
    one, other = settings.new_token(), settings.new_token()
    assert one != other
    assert len(one) >= 32
    open_to_all = settings.Settings(tmp_path, run, host="0.0.0.0", token=one)
    assert f"http://0.0.0.0:8000/?token={one} " in welcome(open_to_all, 8000)[0]
    assert "token" not in " ".join(welcome(settings.Settings(tmp_path, run), 8000))
    assert settings.is_loopback("::1")
    assert settings.is_loopback("127.0.0.9")
    assert not settings.is_loopback("192.168.0.2")
