"""Filter: the server's rules, what a new one would hit before it is saved, and words to try."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Final

from aiohttp import web

from bot.moderation.entries import LONGEST_ENTRY, LONGEST_LANGUAGE, Entry, exported
from bot.moderation.finding import CLEAR, Finding
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.page.findings import Findings
from bot.page.visit import MOST_BODY, Chapter, Route, Visit
from bot.rule_files import FILE_SIZE, is_here, take_in
from bot.rulebook import understood
from generation.errors import BadRequest

PREFIX: Final = len("review:")  # characters of the longest word that can stand before a rule
TEXT_LENGTH: Final = 1000  # characters
DAYS: Final = 30  # of prompts against which a new rule is tried, and of figures
MOST_PROMPTS: Final = 2000
MOST_HITS: Final = 50  # rules among the figures
SHOWN_PROBLEMS: Final = 5
SEVERITIES: Final = (
    ("review", "Review: a moderator looks before anything is shown"),
    ("shadow", "Shadow: only counted, to try a rule"),
)
HEADINGS: Final = {
    Decision.BLOCK: "Blocked",
    Decision.REVIEW: "Kept for review",
    Decision.SHADOW: "Only counted",
    Decision.ALLOW: "Exceptions",
}
WORDS: Final = {
    Decision.ALLOW: "Allowed",
    Decision.BLOCK: "Blocked",
    Decision.REVIEW: "Kept for review",
    Decision.SHADOW: "Only counted",
}


async def show(visit: Visit) -> web.StreamResponse:
    """The rules, and how often each was met."""
    return await _page(visit)


async def add(visit: Visit) -> web.StreamResponse:
    """Add a rule; it holds at once, also for requests that wait."""
    entry = _entry(visit)
    await visit.site.studio.rules.put(visit.guild.id, [entry], visit.moderator_id)
    return visit.done(f"Added: {entry.line}")


async def remove(visit: Visit) -> web.StreamResponse:
    """Remove a rule from where it holds, and from nowhere else."""
    rule, scope = visit.asked("rule", LONGEST_ENTRY + PREFIX), Scope(visit.id_of("channel"), visit.id_of("role"))
    if not await visit.site.studio.rules.remove(visit.guild.id, rule, visit.moderator_id, scope):
        raise BadRequest("That rule is gone already.")
    return visit.done(f"Removed: {rule}")


async def check(visit: Visit) -> web.StreamResponse:
    """What a rule would hit, for those without scripts: the page again, with the answer on it."""
    entry = _entry(visit)
    return await _page(visit, given=visit.form, rule=entry.line, findings=await _look_up(visit, entry))


async def lint(visit: Visit) -> web.StreamResponse:
    """The same for the script that asks while somebody types."""
    return web.json_response(asdict(await _look_up(visit, _entry(visit))))


async def take(visit: Visit) -> web.StreamResponse:
    """Add the rules of a file, all of them or none."""
    data = visit.files.get("file")
    if not data:
        raise BadRequest("Choose a file first.")
    taken = await take_in(visit.site.studio.rules, visit.guild, data, visit.moderator_id)
    if taken.problems:
        more = len(taken.problems) - SHOWN_PROBLEMS
        told = " ".join(taken.problems[:SHOWN_PROBLEMS]) + (f" And {more:,} more." if more > 0 else "")
        raise BadRequest(f"Nothing was changed: {told}")
    left_out = f" Left out, because their channel or role is not of this server: {taken.foreign}."
    return visit.done(f"Rules taken in: {taken.rules:,}.{left_out if taken.foreign else ''}")


async def test(visit: Visit) -> web.StreamResponse:
    """What the rules make of some words, and why; nothing is painted or kept."""
    text = visit.asked("text", TEXT_LENGTH)
    findings = await visit.site.studio.rules.test(visit.guild.id, text)
    return await _page(visit, text=text, verdict=_explained(text, findings[0] if findings else CLEAR))


async def export(visit: Visit) -> web.StreamResponse:
    """Everything as /filter export gives it, for safekeeping or for another server."""
    rules = visit.site.studio.rules
    entries, exempt = rules.entries(visit.guild.id), rules.exempt(visit.guild.id)
    text = await asyncio.to_thread(exported, entries, exempt)
    headers = {"Content-Disposition": 'attachment; filename="filter.json"'}
    return web.Response(text=text, content_type="application/json", headers=headers)


async def _page(visit: Visit, **values: object) -> web.StreamResponse:
    rules = visit.site.studio.rules
    entries = rules.entries(visit.guild.id)
    groups = [
        (HEADINGS[severity], [_row(visit, entry) for entry in entries if entry.severity is severity])
        for severity in HEADINGS
    ]
    since = visit.site.studio.clock() - DAYS * 86_400
    nothing: dict[str, object] = {"given": {}, "rule": "", "findings": None, "text": "", "verdict": None}
    return await visit.page(
        "filter.html",
        groups=[(heading, rows) for heading, rows in groups if rows],
        count=len(entries),
        exempt=[visit.role(role) for role in sorted(rules.exempt(visit.guild.id))],
        hits=(await rules.counts(visit.guild.id, since))[:MOST_HITS],
        severities=SEVERITIES,
        channels=visit.channels(),
        roles=visit.roles(),
        longest=LONGEST_ENTRY,
        longest_language=LONGEST_LANGUAGE,
        **nothing | values,
    )


def _entry(visit: Visit) -> Entry:
    """The rule of the form; raises BadRequest."""
    severity = next((each for each in Decision if each.value == visit.form.get("severity")), None)
    scope = Scope(visit.id_of("channel"), visit.id_of("role"))
    if not is_here(scope, visit.guild):
        raise BadRequest("That channel or role is not of this server; choose another one.")
    language = visit.optional("language", LONGEST_LANGUAGE)
    return understood(visit.asked("rule", LONGEST_ENTRY), severity, scope, language)


async def _look_up(visit: Visit, entry: Entry) -> Findings:
    since = visit.site.studio.clock() - DAYS * 86_400
    prompts = await visit.site.desk.hits.prompts(visit.guild.id, entry.scope, since, MOST_PROMPTS)
    return await visit.site.linter.look_up(entry, prompts)


def _row(visit: Visit, entry: Entry) -> dict[str, object]:
    where = [visit.channel(entry.scope.channel_id)] if entry.scope.channel_id else []
    where += [visit.role(entry.scope.role_id)] if entry.scope.role_id else []
    return {"text": entry.text, "line": entry.line, "scope": entry.scope, "where": where, "language": entry.language}


def _explained(text: str, finding: Finding) -> dict[str, object]:
    """A finding for the template, with the text cut where the match begins and ends."""
    start, end = finding.span or (0, 0)
    return {
        "kind": finding.severity.value,
        "word": WORDS[finding.severity],
        "rule": finding.rule,
        "view": finding.view.value if finding.view is not None else "",
        "span": finding.span,
        "before": text[:start],
        "match": text[start:end],
        "after": text[end:],
    }


CHAPTER: Final = Chapter(
    "filter",
    "Filter",
    (
        Route("GET", "", show),
        Route("POST", "/add", add),
        Route("POST", "/remove", remove),
        Route("POST", "/check", check),
        Route("POST", "/lint", lint),
        Route("POST", "/test", test),
        Route("POST", "/import", take, most=FILE_SIZE + MOST_BODY),
        Route("GET", "/filter.json", export),
    ),
)
