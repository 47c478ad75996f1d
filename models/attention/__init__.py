"""Attention maps of transformer pose networks, and their figure."""
