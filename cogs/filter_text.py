"""What moderators read about rules: lists, explanations and what a new rule would stop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import discord

from bot.echo import echo, fenced
from bot.moderation.entries import Entry
from bot.moderation.finding import Finding, Kind
from bot.moderation.linter import Lint
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision, Reading
from bot.store.filters import HitCount

SHOWN_WORDS = 20
SHOWN_PROMPTS = 5
SHOWN_PROBLEMS = 10
PROMPT_LENGTH = 100  # characters of a prompt that was asked before
MATCH_LENGTH = 100  # characters of a rule or a find that are shown

WHAT = {Decision.BLOCK: "Blocked", Decision.REVIEW: "Kept for review", Decision.SHADOW: "Allowed, and counted"}
WHOSE = {Kind.INSTANCE: " (the owner's, for every server)", Kind.ARTIST: " (an artist who asked not to be imitated)"}
VIEWS = {
    Reading.PLAIN: "as it is written",
    Reading.FOLDED: "other letter forms, look-alikes or accents",
    Reading.REPEATED: "stretched letters, or i and l exchanged",
    Reading.JOINED: "a word taken apart by signs or prompt syntax",
    Reading.SPACED: "letters standing alone put together",
    Reading.LEET: "digits and symbols standing for letters",
    Reading.PHONETIC: "another script, by its sound",
    Reading.TAGS: "invisible tag characters",
    Reading.REGEX: "your pattern, on the text as written",
    Reading.REGEX_FOLDED: "your pattern, on the folded text",
    Reading.BIDI: "characters that change the direction of text",
}


def scope_text(scope: Scope, guild: discord.Guild | None = None) -> str:
    """Where a rule holds; as mentions, or with a guild by names, for places where mentions are not shown."""
    pieces = []
    if scope.channel_id:
        channel = guild.get_channel_or_thread(scope.channel_id) if guild is not None else None
        pieces.append(f"in #{channel.name}" if channel is not None else f"in <#{scope.channel_id}>")
    if scope.role_id:
        role = guild.get_role(scope.role_id) if guild is not None else None
        pieces.append(f"for @{role.name}" if role is not None else f"for <@&{scope.role_id}>")
    return " ".join(pieces)


def findings_text(findings: Sequence[Finding]) -> str:
    """What `/filter test` says."""
    if not findings:
        return "Allowed: no rule matches."
    return "\n\n".join(map(_finding_text, findings))


def _finding_text(finding: Finding) -> str:
    rule = f" by the rule {echo(finding.rule, MATCH_LENGTH)}" if finding.rule is not None else ", whatever the rules"
    lines = [f"{WHAT[finding.severity]}{rule}{WHOSE.get(finding.kind, '')}."]
    if finding.match:
        lines.append(f"Matched: {echo(finding.match, MATCH_LENGTH)}")
    if finding.span is not None:
        lines.append(f"Place: characters {finding.span[0] + 1} to {finding.span[1]}")
    if finding.view is not None:
        lines.append(f"Read as: {finding.view} ({VIEWS[finding.view]})")
    if place := scope_text(finding.scope):
        lines.append(f"Holds only {place}")
    return "\n".join(lines)


def rules_text(entries: Iterable[Entry], guild: discord.Guild | None) -> str:
    """One rule a line, with where it holds behind it."""
    return "\n".join(_entry_text(entry, guild) for entry in entries)


def _entry_text(entry: Entry, guild: discord.Guild | None) -> str:
    notes = [part for part in (scope_text(entry.scope, guild), entry.language) if part]
    return f"{entry.line} ({', '.join(notes)})" if notes else entry.line


def lint_text(entry: Entry, lint: Lint, days: int) -> str:
    """What a rule would stop beside what it names."""
    lines = [f"{echo(entry.line)} would also stop:"]
    if lint.words:
        shown = ", ".join(echo(word, 40) for word in lint.words[:SHOWN_WORDS])
        more = f" and {len(lint.words) - SHOWN_WORDS:,} more" if len(lint.words) > SHOWN_WORDS else ""
        lines.append(f"- {_counted(len(lint.words), 'word')} of the dictionary: {shown}{more}")
    if lint.prompts:
        asked = f"{len(lint.prompts):,} of {_counted(lint.looked_at, 'prompt')}"
        lines.append(f"- {asked} asked here in the last {days} days:")
        lines += [f"  - {echo(prompt, PROMPT_LENGTH)}" for prompt in lint.prompts[:SHOWN_PROMPTS]]
    return "\n".join([*lines, "Shall it be added?"])


def hits_text(counts: Sequence[HitCount], days: int) -> str:
    """How often each rule was met."""
    if not counts:
        return f"No rule was met in the last {days} days."
    lines = [
        f"{count.times:>5} by {_counted(count.members, 'member')}: {count.severity} "
        f"{count.rule or 'invisible characters'}" + ("" if count.kind in ("guild", "text") else f" ({count.kind})")
        for count in counts[:40]
    ]
    return f"Rules that were met in the last {days} days:\n```\n{fenced(chr(10).join(lines))[:1700]}\n```"


def problems_text(problems: Collection[str]) -> str:
    """The first few things that went wrong, one a line."""
    shown = [f"- {echo(problem, 150)}" for problem in [*problems][:SHOWN_PROBLEMS]]
    more = len(problems) - len(shown)
    return "\n".join([*shown, *([f"- and {more:,} more"] if more > 0 else [])])


def counted_rules(number: int) -> str:
    """A number of rules in words."""
    return _counted(number, "rule")


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
