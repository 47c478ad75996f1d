"""The weights that ship with posetrack; MODEL_CARD.md says what they are."""
