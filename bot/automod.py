"""A guild's own AutoMod rules of Discord, as entries of our filter: its rule language is ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import discord

from bot.moderation.entries import Entry, read_entry
from bot.moderation.rules import RuleError
from bot.moderation.verdict import Decision

_STOPS = {
    discord.AutoModRuleActionType.block_message,
    discord.AutoModRuleActionType.timeout,
    discord.AutoModRuleActionType.block_member_interactions,
}


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What can be taken over, and a sentence for everything that cannot."""

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]


def taken_over(rules: Iterable[discord.AutoModRule]) -> TakenOver:
    """The keywords, patterns and allowed words of all rules that are switched on."""
    entries: dict[str, Entry] = {}
    left_out: list[str] = []
    for rule in rules:
        if not rule.enabled:
            left_out.append(f"“{rule.name}” is switched off.")
            continue
        if rule.trigger.type is discord.AutoModRuleTriggerType.keyword_preset:
            left_out.append(f"“{rule.name}” uses word lists of Discord's own, which Discord does not publish.")
        elif rule.trigger.type is not discord.AutoModRuleTriggerType.keyword:
            left_out.append(f"“{rule.name}” is about something other than words.")
            continue
        if rule.exempt_role_ids or rule.exempt_channel_ids:
            left_out.append(f"“{rule.name}” exempts roles or channels; here /filter exempt does that for roles.")
        for line in _lines(rule):
            try:
                entry = read_entry(line, None if line.startswith("allow:") else _severity(rule))
            except RuleError as error:
                left_out.append(f"“{line}”: {error}")
                continue
            if entry is None:
                left_out.append(f"“{line}” would be a comment here.")
            else:
                entries.setdefault(entry.text, entry)
    return TakenOver(tuple(entries.values()), tuple(left_out))


def _lines(rule: discord.AutoModRule) -> Iterator[str]:
    yield from rule.trigger.keyword_filter
    yield from (f"re:{pattern}" for pattern in rule.trigger.regex_patterns)
    yield from (f"allow:{word}" for word in rule.trigger.allow_list)


def _severity(rule: discord.AutoModRule) -> Decision:
    """A rule that only tells moderators is one of review."""
    return Decision.BLOCK if any(action.type in _STOPS for action in rule.actions) else Decision.REVIEW
