"""Which number format a part of a model runs in on a CPU whose owner left it open: decided by a trial. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

FULL, SHORT = "float32", "bfloat16"
GAIN = 1.15  # times as fast as FULL: less is not worth other bits than everybody else's
APART = 0.03  # of the size of the output may change; of the starter about half of that does


@dataclass(frozen=True, slots=True)
class Trial:
    """The same calls of one part of a model in both formats."""

    full: float  # seconds of a call in FULL
    short: float  # seconds of a call in SHORT
    apart: float  # root mean square of the outputs' difference, over that of FULL's output; inf: no numbers

    @property
    def chosen(self) -> str:
        """SHORT where it is clearly faster and paints the same, FULL otherwise."""
        sound = math.isfinite(self.apart) and self.apart <= APART
        return SHORT if sound and self.full >= GAIN * self.short else FULL

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read back; raises ValueError, TypeError or KeyError when it is none."""
        found = cls(*(float(data[name]) for name in ("full", "short", "apart")))
        if not (found.full > 0 and found.short > 0 and found.apart >= 0):
            raise ValueError("calls take some time, and outputs are no closer than the same")
        return found


@dataclass(frozen=True, slots=True)
class Trials:
    """What was tried of one model; None: a part that seemed too slow for a trial, and stays as it is this time."""

    denoiser: Trial | None = None
    decoder: Trial | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        parts = {"denoiser": self.denoiser, "decoder": self.decoder}
        return {name: trial and trial.to_json() for name, trial in parts.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read back; raises ValueError, TypeError or KeyError when it is none."""
        return cls(*(None if data[name] is None else Trial.from_json(data[name]) for name in ("denoiser", "decoder")))
