"""How fast this machine paints, learnt from what it has painted; the ground of every estimate."""

from __future__ import annotations

from generation.request import Request

SMOOTHING = 0.3  # weight of the newest measurement
FIXED_SHARE = 0.15  # seconds a picture costs besides its steps: decoding, checking, file encoding


class Pace:
    """Seconds per megapixel-step, smoothed over recent jobs."""

    def __init__(self, seconds_per_megapixel_step: float | None = None) -> None:
        self._pace = seconds_per_megapixel_step

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return self._pace is not None

    def start_from(self, seconds_per_megapixel_step: float) -> None:
        """Take a warm-up measurement as the first guess; later jobs refine it."""
        if self._pace is None:
            self._pace = seconds_per_megapixel_step

    def observe(self, request: Request, seconds: float) -> None:
        """Learn from a finished job that took `seconds` of painting."""
        steps_only = max(seconds - FIXED_SHARE * request.count, seconds * 0.2)
        measured = steps_only / request.megapixel_steps
        self._pace = measured if self._pace is None else self._pace + SMOOTHING * (measured - self._pace)

    def seconds(self, megapixel_steps: float, pictures: int) -> float | None:
        """Expected painting time of so much work; None while nothing was measured."""
        if self._pace is None:
            return None
        return self._pace * megapixel_steps + FIXED_SHARE * pictures
