"""Sessions in numbers: ranges of motion from tables of features, and how two sessions compare."""
