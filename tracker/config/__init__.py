"""Options of a run: defaults, overridden by a recipe, overridden by the command line. Loads nothing heavy."""
