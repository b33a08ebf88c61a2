"""Moments as Discord writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Epoch seconds as ISO 8601 in UTC, with microseconds and offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def iso_or_none(seconds: float | None) -> str | None:
    """The same, where a moment may be missing."""
    return None if seconds is None else iso(seconds)
