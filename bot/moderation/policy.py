"""What a server lets the bot show, and where; pure. Nothing here reaches what is refused to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from bot.order import Place
from generation.safety.level import Level

ORDINARY_MOST: Final = Level.LOW  # in channels that are not age-restricted, whatever anybody sets
NAMES: Final = {Level.NEUTRAL: "neutral", Level.LOW: "low", Level.MEDIUM: "medium", Level.HIGH: "high"}
WORDS: Final = {
    Level.NEUTRAL: "nothing that a checker takes exception to",
    Level.LOW: "suggestive",
    Level.MEDIUM: "partly explicit",
    Level.HIGH: "explicit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The levels of one place; the guild's, with what one of its channels has different."""

    level: Level = Level.NEUTRAL  # pictures up to this one are shown in ordinary channels
    restricted_level: Level = Level.NEUTRAL  # and up to this one in age-restricted channels
    spoiler_from: Level = Level.LOW  # pictures from this one on are posted behind a spoiler

    @classmethod
    def of(cls, *settings: Mapping[str, Any]) -> Self:
        """The policy of stored settings, later ones before earlier ones; what is no level counts as the strictest."""
        values: dict[str, Level] = {}
        for stored in settings:
            values |= {
                field.name: _level(stored[field.name]) for field in fields(cls) if stored.get(field.name) is not None
            }
        return cls(**values)

    def clearance(self, place: Place) -> Level:
        """The highest level that may be shown in `place`; in direct messages nothing but neutral."""
        if place.guild_id is None:
            return Level.NEUTRAL
        if place.age_restricted:
            return max(self.level, self.restricted_level)
        return min(self.level, ORDINARY_MOST)

    def hides(self, level: Level) -> bool:
        """Whether a picture of this level is posted behind a spoiler."""
        return level > Level.NEUTRAL and level >= self.spoiler_from


def _level(value: object) -> Level:
    known = [level for level in Level if level == value]
    return known[0] if known else Level.NEUTRAL
