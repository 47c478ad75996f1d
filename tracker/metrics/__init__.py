"""How good tracking is, held against truth: who is who (identity), and how calm and how late (motion)."""
