"""A small watermark that was really trained, by `school.py`; for tests alone."""

from __future__ import annotations

from pathlib import Path

SCHOOLED = Path(__file__).parent / "schooled"
