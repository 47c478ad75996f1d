import numpy as np

from posetrack.models.geometry.keypoints import COCO, oks


def test_flipping_twice_changes_nothing():
    assert COCO.flip_order[COCO.flip_order].tolist() == list(range(17))


def test_pairs_and_names_agree():
    for left, right in COCO.flip_pairs:
        assert COCO.keypoints[left].replace("left", "right") == COCO.keypoints[right]


def test_limbs_join_keypoints_that_exist():
    assert all(0 <= a < 17 and 0 <= b < 17 and a != b for a, b in COCO.limbs)
    assert len(COCO.sigmas) == len(COCO) == 17


def test_a_pose_is_like_itself_and_unlike_one_far_away():
    poses = np.random.default_rng(0).uniform(0, 100, (3, 17, 2))
    similarity = oks(poses, np.concatenate([poses, poses + 1e4]), np.full(3, 5e3), sigmas=COCO.sigmas)
    np.testing.assert_allclose(np.diag(similarity[:, :3]), 1)
    np.testing.assert_allclose(similarity[:, 3:], 0, atol=1e-12)


def test_missing_keypoints_do_not_count():
    pose = np.random.default_rng(0).uniform(0, 100, (1, 17, 2))
    partly = pose.copy()
    partly[0, :10] = np.nan
    np.testing.assert_allclose(oks(pose, partly, np.array([5e3]), sigmas=COCO.sigmas), [[1]])
    nothing = np.full_like(pose, np.nan)
    np.testing.assert_allclose(oks(pose, nothing, np.array([5e3]), sigmas=COCO.sigmas), [[0]])


def test_a_step_of_one_sigma_costs_what_coco_says():
    pose = np.zeros((1, 17, 2))
    moved = pose + np.stack([2 * np.array(COCO.sigmas) * 100, np.zeros(17)], axis=-1)
    np.testing.assert_allclose(oks(pose, moved, np.array([100.0**2]), sigmas=COCO.sigmas), [[np.exp(-0.5)]])
