"""AutoMod rules as a server's moderators may have made them: words, patterns, a list of Discord's own, one asleep."""

from __future__ import annotations

from bot.playground import ids
from bot.playground.documents import Json

_FIRST_ID = ids.GUILD_ID + 900
_BLOCK: Json = {"type": 1, "metadata": {}}
_ALERT: Json = {"type": 2, "metadata": {"channel_id": str(ids.MODS_ID)}}


def first_automod_rules() -> dict[int, Json]:
    """The rules every world begins with, by id."""
    rules = [
        _keywords(1, "Spoilers", ["finale", "season two*", "*leak*"], [r"who\s+dies", r"(?<=the )end"], ["leakproof"]),
        _keywords(2, "To look at", ["rumour*"], [], [], actions=[_ALERT]),
        _keywords(3, "Last year's", ["pumpkin spice"], [], [], enabled=False),
        _rule(4, "Discord's list", 4, {"allow_list": [], "presets": [1]}),
    ]
    return {int(rule["id"]): rule for rule in rules}


def _keywords(
    number: int,
    name: str,
    words: list[str],
    patterns: list[str],
    allowed: list[str],
    *,
    actions: list[Json] | None = None,
    enabled: bool = True,
) -> Json:
    metadata = {"keyword_filter": words, "regex_patterns": patterns, "allow_list": allowed}
    return _rule(number, name, 1, metadata, actions=actions, enabled=enabled)


def _rule(
    number: int, name: str, trigger: int, metadata: Json, *, actions: list[Json] | None = None, enabled: bool = True
) -> Json:
    return {
        "id": str(_FIRST_ID + number),
        "guild_id": str(ids.GUILD_ID),
        "creator_id": str(ids.OLIVIA_ID),
        "name": name,
        "event_type": 1,
        "actions": actions or [_BLOCK],
        "trigger_type": trigger,
        "enabled": enabled,
        "exempt_roles": [],
        "exempt_channels": [],
        "trigger_metadata": metadata,
    }
