"""What an order costs in credits: its work, by what a step of its model takes beside one of the default model."""

from __future__ import annotations

from collections.abc import Mapping

from generation.limits import cost_of
from generation.models import ModelCard
from generation.pace import Pace
from generation.request import Request

ENOUGH = 5  # jobs of a model before its own measurements count
STEP = 0.25  # measured factors are rounded to quarters: prices that change with every picture help nobody
LEAST, MOST = 0.25, 20.0  # bounds of a measured factor; a slip of the clock must not ruin anybody


class Prices:
    """Learns from finished jobs how the models compare; what the owner has set counts instead."""

    def __init__(self, factors: Mapping[str, float]) -> None:
        self._factors = dict(factors)
        self._paces: dict[str, tuple[Pace, int]] = {}

    def observe(self, request: Request, seconds: float) -> None:
        """Learn from a job that took `seconds` of painting."""
        pace, seen = self._paces.get(request.model, (Pace(), 0))
        pace.observe(request, seconds)
        self._paces[request.model] = (pace, seen + 1)

    def factor(self, model: str, default: str) -> float:
        """Work of a megapixel-step of `model`, where one of `default` is 1."""
        if model in self._factors:
            return self._factors[model]
        own, reference = self._measured(model), self._measured(default)
        if model == default or own is None or reference is None:
            return 1.0
        return min(MOST, max(LEAST, round(own / reference / STEP) * STEP))

    def cost(self, request: Request, card: ModelCard, default_steps: int) -> float:
        """Credits for `request`, where the default model is `card` and paints `default_steps` unless told otherwise."""
        default = card.native * card.native / 1e6 * default_steps
        factor = self.factor(request.model, card.name)
        return cost_of(request, default_megapixel_steps=default, model_factor=factor)

    def _measured(self, model: str) -> float | None:
        pace, seen = self._paces.get(model, (None, 0))
        return pace.seconds(1.0, 0) if pace is not None and seen >= ENOUGH else None
