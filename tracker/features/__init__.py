"""What people do: joint angles, motion, postures and events, from their keypoints."""
