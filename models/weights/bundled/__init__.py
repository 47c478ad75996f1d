"""The weights that ship with posetrack, described in MODEL_CARD.md."""
