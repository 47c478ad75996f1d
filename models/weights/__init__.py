"""Where weights come from: known variants, downloads, checkpoints, and the pair that ships."""
