"""Keeps what was measured between starts: one JSON file in the data directory. No torch."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from generation.engine.curve import Curve
from generation.engine.formats import Trials

log = logging.getLogger(__name__)

TRIALS = "number formats"  # the key of the trials among the circumstances of curves


class Notebook:
    """Curves by circumstance (device, model, number format, versions) and by size; trials of number formats."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.trials: dict[str, Trials] = {}  # by circumstance; what is added is kept by `save`
        self._pages: dict[str, dict[str, Curve]] = {}
        self._written = ""
        self._read()

    def page(self, circumstance: str) -> dict[str, Curve]:
        """The curves by size of one circumstance; what is added to it is kept by `save`."""
        return self._pages.setdefault(circumstance, {})

    def save(self) -> None:
        """Write what has changed; measurements are a convenience, so a full disk is only logged."""
        pages = list(self._pages.items())  # the loading thread may add one
        data: dict[str, Any] = {
            name: {size: curve.to_json() for size, curve in curves.items() if curve.counts} for name, curves in pages
        }
        if self.trials:
            data[TRIALS] = {name: trials.to_json() for name, trials in list(self.trials.items())}
        text = json.dumps(data, indent=1)
        if self._path is None or text == self._written:
            return
        self._written = text  # also where it fails: a full disk is complained of once
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            part.write_text(text, "utf-8")
            os.replace(part, self._path)
        except OSError as error:
            log.warning("Measurements could not be kept: %s", error)

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            data: dict[str, Any] = json.loads(self._path.read_bytes())
            trials = {name: Trials.from_json(found) for name, found in data.pop(TRIALS, {}).items()}
            self._pages = {
                name: {size: Curve.from_json(curve) for size, curve in curves.items()} for name, curves in data.items()
            }
            self.trials = trials
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("Measurements in %s cannot be read (%s); they are taken again", self._path.name, error)
