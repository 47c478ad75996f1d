"""The sources of a batch in a store: as in a folder, and no key of a bucket leaves the folder of the results."""

import pytest
import stores

from posetrack.errors import SourceError, UsageError
from posetrack.tracker.remote.listing import TWIN, UNSAFE, gather
from posetrack.tracker.remote.store import place_of
from posetrack.tracker.video.batch import HIDDEN, OTHER, PARTIAL, RESULT


@pytest.fixture
def bucket():
    with stores.flaky_store() as bucket:
        yield bucket


def keys(bucket, *names):
    for name in names:
        bucket.store[f"/clips/{name}"] = bucket.open(f"/other/{len(name)}", "wb")


def named(batch):
    return {item.source.path.removeprefix("/clips/"): item.mirror.as_posix() for item in batch.items}


def test_results_mirror_the_keys_and_sources_with_one_stem_keep_their_suffix(bucket):
    keys(bucket, "b.mp4", "monday/a.mp4", "monday/a.MOV", ".hidden.mp4", "c.partial.mp4", "notes.txt")
    batch = gather(["flaky://clips"])
    assert named(batch) == {"b.mp4": "b", "monday/a.mp4": "monday/a.mp4", "monday/a.MOV": "monday/a.MOV"}
    reasons = {name.as_posix(): reason for name, reason in batch.left_out.items()}
    assert reasons == {".hidden.mp4": HIDDEN, "c.partial.mp4": PARTIAL, "notes.txt": OTHER}
    assert batch.many


def test_a_pattern_and_several_addresses(bucket):
    keys(bucket, "b.mp4", "monday/a.mp4", "monday/x.mov", "tuesday/a.mp4")
    assert named(gather(["flaky://clips/*/*.mp4"])) == {"monday/a.mp4": "monday/a", "tuesday/a.mp4": "tuesday/a"}
    both = gather(["flaky://clips/monday", "flaky://clips/b.mp4", "flaky://clips/b.mp4"])
    assert named(both) == {"monday/a.mp4": "monday/a", "monday/x.mov": "monday/x", "b.mp4": "b"}


def test_a_single_file_is_no_batch(bucket):
    keys(bucket, "b.mp4")
    batch = gather(["flaky://clips/b.mp4"])
    assert not batch.many
    assert [item.source.path for item in batch.items] == ["/clips/b.mp4"]


@pytest.mark.parametrize("key", ["../../x.mp4", "a/../../x.mp4", "a\0.mp4", "..\\x.mp4"])
def test_a_key_that_no_file_can_have_is_left_out(bucket, key):
    keys(bucket, "b.mp4", key)
    batch = gather(["flaky://clips"])
    assert named(batch) == {"b.mp4": "b"}
    assert list(batch.left_out.values()) == [UNSAFE]
    assert "\0" not in batch.report()


def test_of_two_keys_with_the_same_results_one_is_left_out(bucket):
    keys(bucket, "A.mp4", "a.mp4", "b.mov", "b.mp4", "b.mov.mp4")
    batch = gather(["flaky://clips"])
    assert list(batch.left_out.values()) == [TWIN]  # `a.mp4`; the others keep their suffixes
    mirrors = [item.mirror.as_posix().casefold() for item in batch.items]
    assert len(mirrors) == len(set(mirrors)) == 4


def test_results_below_the_sources_are_no_sources(bucket):
    keys(bucket, "b.mp4", "out/b.mp4")
    results = [place_of("flaky://clips/out")]
    batch = gather(["flaky://clips"], results=results)
    assert list(batch.left_out.values()) == [RESULT]
    assert named(gather(["flaky://clips/out"], results=results)) == {"out/b.mp4": "b"}


def test_a_folder_of_a_web_server(tmp_path):
    for name in ("b.mp4", "my clips/a b.mp4", "notes.txt"):
        path = tmp_path / "top" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with stores.web_folder(tmp_path) as host:
        batch = gather([f"http://{host}/top/"])
        assert [item.mirror.as_posix() for item in batch.items] == ["b", "my clips/a b"]
        (item,) = gather([f"http://{host}/top/*.mp4"]).items
        assert str(item.source) == f"http://{host}/***/b.mp4"
        with pytest.raises(SourceError, match="There is nothing at"):
            gather([f"http://{host}/none/"])


def test_stores_are_not_mixed(bucket):
    with pytest.raises(UsageError, match="Track them in two runs"):
        gather(["flaky://clips", "clips/"])
