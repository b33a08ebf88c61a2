"""Warnings and what they add up to; pure arithmetic of times and counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.review.rules import ReviewRules

DAY = 86_400.0  # seconds
HOUR = 3_600.0
HOW_TO_APPEAL = (
    "If you think that this is a mistake, press “Appeal” under the message that told you, or ask another moderator."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One warning; times in epoch seconds."""

    id: int
    case_id: int | None
    given_by: int
    reason: str
    given_at: float
    expires_at: float
    cleared_at: float | None = None

    def active(self, now: float) -> bool:
        """Whether it counts."""
        return self.cleared_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A time in which somebody may not paint in one guild."""

    id: int
    given_by: int
    reason: str
    given_at: float
    until: float | None  # None: until a moderator lifts it
    lifted_at: float | None = None

    def holds(self, now: float) -> bool:
        """Whether it keeps its member from painting."""
        return self.lifted_at is None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a new warning entails beside itself."""

    until: float | None  # epoch seconds; None: until a moderator lifts it


def expiry(given_at: float, rules: ReviewRules) -> float:
    """When a warning given now will count no longer."""
    return given_at + rules.strike_days * DAY


def active(strikes: Iterable[Strike], now: float) -> int:
    """How many warnings count."""
    return sum(strike.active(now) for strike in strikes)


def consequence(count: int, rules: ReviewRules, now: float) -> Consequence | None:
    """What follows when the newest of `count` active warnings has just been given; None: nothing."""
    if rules.ban_at and count >= rules.ban_at:
        return Consequence(None)
    if rules.pause_at and count >= rules.pause_at:
        return Consequence(now + rules.pause_hours * HOUR)
    return None


def longest(bans: Iterable[Ban], now: float) -> Ban | None:
    """The ban that holds longest of those that hold now."""
    held = [ban for ban in bans if ban.holds(now)]
    return max(held, key=lambda ban: math.inf if ban.until is None else ban.until, default=None)


def ban_sentence(ban: Ban) -> str:
    """What somebody is told who may not paint."""
    until = "until a moderator lifts it" if ban.until is None else f"until <t:{math.ceil(ban.until)}:f>"
    why = f" The reason given: {ban.reason}" if ban.reason else ""
    return f"You cannot paint here {until}.{why} {HOW_TO_APPEAL}"
