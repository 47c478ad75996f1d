"""Training recipes: only what differs from the defaults in models/training/recipe.py, each with its reason."""
