"""What a change of rules or settings was, in the words of the audit log; ids stay ids, whose names may change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final

from bot.moderation.entries import Entry
from bot.moderation.policy import NAMES
from bot.moderation.scope import Scope
from generation.safety.level import Level

LONGEST: Final = 300  # characters of one line
SHOWN: Final = 20  # rules of a file that are named
REVIEW: Final = "review"  # under this name the review settings stand among a guild's settings
SETTINGS: Final = {
    "level": "ordinary channels",
    "restricted_level": "age-restricted channels",
    "spoiler_from": "spoiler from",
    "channel": "review channel",
    "report_threshold": "reports that hide a picture",
    "strike_days": "days of a warning",
    "pause_at": "warnings that pause",
    "pause_hours": "hours of a pause",
    "ban_at": "warnings that ban",
    "pause": "painting",
}


def scope_words(scope: Scope) -> str:
    """Where a rule holds; empty for everywhere."""
    pieces = (("channel", scope.channel_id), ("role", scope.role_id))
    return ", ".join(f"{what} {number}" for what, number in pieces if number)


def rule_words(line: str, scope: Scope | None) -> str:
    """One rule with where it holds."""
    where = scope_words(scope) if scope is not None else ""
    return f"{line} ({where})" if where else line


def rules_words(entries: Collection[Entry]) -> str:
    """Rules that were added together."""
    told = "; ".join(rule_words(entry.line, entry.scope) for entry in islice(entries, SHOWN))
    told = told if len(entries) == 1 else f"{len(entries):,} rules: {told}"
    return told if len(told) <= LONGEST and len(entries) <= SHOWN else f"{told[: LONGEST - 1]}…"


def settings_words(before: Mapping[str, Any], after: Mapping[str, Any], channel_id: int = 0) -> str:
    """What differs between two states of a guild's settings, or of one of its channels; empty for nothing."""
    old, new = _flat(before), _flat(after)
    differs = [name for name in old | new if old.get(name) != new.get(name)]
    told = [f"{SETTINGS.get(name, name)}: {_value(name, new.get(name))}" for name in differs]
    return "; ".join([*([f"channel {channel_id}"] if channel_id and told else []), *told])


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != REVIEW} | dict(settings.get(REVIEW) or {})


def _value(name: str, value: Any) -> str:
    if name == "pause":
        return "goes on" if value is None else f"paused {value.get('reason', '')}".rstrip()
    if value is None:
        return "none" if name == "channel" else "as usual"
    if name in ("level", "restricted_level", "spoiler_from"):
        return next((NAMES[level] for level in Level if level == value), str(value))
    if name == "channel":
        return f"channel {value}"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
