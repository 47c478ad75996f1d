"""Metadata of a run as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from .measurements import Measurements


def subtitle(measurements: Measurements, facts: Mapping[str, Any], size: tuple[int, int]) -> str:
    """Return a line that describes the video."""
    n = len(measurements.people)
    parts = [f"{n} {'person' if n == 1 else 'people'}"]
    if n:
        parts += [f"{measurements.end - measurements.start:.1f} s", f"{size[0]} x {size[1]} px"]
    if facts.get("fps"):
        parts.append(f"{facts['fps']:.4g} frames/s")
    if facts.get("model"):
        parts.append(f"poses by {PurePath(str(facts['model']['name'])).name}")
    return " · ".join(parts)


def warnings_of(facts: Mapping[str, Any]) -> list[str]:
    """Return warnings for the reader of the report."""
    warnings = []
    if facts.get("complete") is False:
        warnings.append("The run was stopped early; the report covers the time until then.")
    frames = facts.get("frames") or {}
    lost = [f"{frames[what]} {what}" for what in ("dropped", "failed") if frames.get(what)]
    if lost:
        warnings.append(f"Frames of the source: {' and '.join(lost)}.")
    return warnings


def facts_in_words(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of the sidecar as text, the most useful first."""
    frames, size = facts.get("frames") or {}, facts.get("size") or {}
    latency = facts.get("latency_ms")
    texts = {
        "source": facts.get("source"),
        "recorded": _moment(facts.get("started")),
        "analysed": _moment(facts.get("analysed")),
        "frames": ", ".join(f"{count} {what}" for what, count in frames.items()),
        "size": f"{size['width']} x {size['height']} px" if size else None,
        "rate": f"{facts['fps']:.4g} frames/s" if facts.get("fps") else None,
        "poses": _network(facts.get("model")),
        "detector": _network(facts.get("detector")),
        "device": facts.get("device"),
        "skeleton": (facts.get("skeleton") or {}).get("name"),
        "tracks": None if "refined" not in facts else "refined" if facts["refined"] else "as tracked online",
        "lost": ", ".join(f"{gap['from_s']:.1f} to {gap['to_s']:.1f} s" for gap in facts.get("gaps") or []),
        "latency": f"{latency['median']} ms, p95 {latency['p95']} ms" if latency else None,
        "versions": ", ".join(
            f"{name} {version}" for name, version in (facts.get("versions") or {}).items() if version
        ),
    }
    return [(name, str(value)) for name, value in texts.items() if value]


def _moment(text: Any) -> str | None:
    """Return a time of ISO 8601 to the second, such as `2026-05-03 10:30:02 UTC`."""
    return f"{text[:19].replace('T', ' ')} UTC" if isinstance(text, str) else None


def in_words(value: Any) -> str:
    """Return the value of an option as text."""
    return "-" if value is None or value == "" else "yes" if value is True else "no" if value is False else str(value)


def _network(facts: Mapping[str, Any] | None) -> str | None:
    if not facts:
        return None
    checksum = f"sha256 {facts['sha256'][:12]}…" if facts.get("sha256") else ""
    return ", ".join(filter(None, [str(facts["name"]), facts.get("runtime"), checksum]))
