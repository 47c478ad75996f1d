"""Person detection, pose estimation, camera motion and inference backends."""
