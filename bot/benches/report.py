"""How figures are shown and written, the same for every measurement."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer


def show(figures: Mapping[str, float]) -> None:
    """One figure a line."""
    for name, value in figures.items():
        typer.echo(f"{name:42} {value:12.3f}")


def write(path: Path, figures: Mapping[str, float], command: str) -> None:
    """The figures as JSON, with what they were taken on. Blocking."""
    environment = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
    }
    body = {"figures": dict(figures), "environment": environment, "command": command}
    path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
