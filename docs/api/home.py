"""Hook of MkDocs: the README is the home page."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

README = Path(__file__).parents[2] / "README.md"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the README as index.md, with links relative to docs/."""
    text = README.read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=text))
    return files
