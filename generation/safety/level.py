"""How much a checker saw in a picture, on one scale for all checkers."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Rising; checkers that only say yes or no say NEUTRAL or HIGH."""

    NEUTRAL = 0
    LOW = 1  # suggestive
    MEDIUM = 2  # partly explicit
    HIGH = 3  # explicit, or flagged by a checker that knows no degrees
