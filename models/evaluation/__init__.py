"""How good poses and boxes are, by the protocols of the data sets and of the papers."""
