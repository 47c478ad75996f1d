"""Recipes: small TOML files that hold only what differs from the defaults, and why."""
