"""Filter: the server's rules, what a new one would hit before it is saved, and words to try."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from aiohttp import web

from bot.moderation.finding import CLEAR, Finding
from bot.moderation.verdict import Decision
from bot.page.visit import Chapter, Route, Visit
from generation.errors import BadRequest

RULE_LENGTH: Final = 260  # characters; the width of the column
TEXT_LENGTH: Final = 1000  # characters
WORDS: Final = {
    Decision.ALLOW: "Allowed",
    Decision.BLOCK: "Blocked",
    Decision.REVIEW: "Kept for review",
    Decision.SHADOW: "Only counted",
}


async def show(visit: Visit) -> web.StreamResponse:
    """The rules."""
    return await _page(visit)


async def add(visit: Visit) -> web.StreamResponse:
    """Add a rule; it holds at once, also for requests that wait."""
    rule = visit.asked("rule", RULE_LENGTH)
    await visit.site.studio.rules.add(visit.guild.id, rule, visit.moderator_id)
    return visit.done(f"Added: {rule}")


async def remove(visit: Visit) -> web.StreamResponse:
    """Remove a rule."""
    rule = visit.asked("rule", RULE_LENGTH)
    if not await visit.site.studio.rules.remove(visit.guild.id, rule):
        raise BadRequest("That rule is gone already.")
    return visit.done(f"Removed: {rule}")


async def check(visit: Visit) -> web.StreamResponse:
    """What a rule would hit, for those without scripts: the page again, with the answer on it."""
    rule = visit.asked("rule", RULE_LENGTH)
    findings = await visit.site.linter.look_up(rule, await visit.site.desk.lookback.prompts(visit.guild.id))
    return await _page(visit, rule=rule, findings=findings)


async def lint(visit: Visit) -> web.StreamResponse:
    """The same for the script that asks while somebody types."""
    rule = visit.asked("rule", RULE_LENGTH)
    findings = await visit.site.linter.look_up(rule, await visit.site.desk.lookback.prompts(visit.guild.id))
    return web.json_response(asdict(findings))


async def test(visit: Visit) -> web.StreamResponse:
    """What the rules make of some words, and why; nothing is painted or kept."""
    text = visit.asked("text", TEXT_LENGTH)
    findings = await visit.site.studio.rules.test(visit.guild.id, text)
    return await _page(visit, text=text, verdict=_explained(text, findings[0] if findings else CLEAR))


async def export(visit: Visit) -> web.StreamResponse:
    """The rules as a text file, one a line, as /filter and the command line read them."""
    text = "\n".join(_lines(visit)) + "\n"
    headers = {"Content-Disposition": 'attachment; filename="rules.txt"'}
    return web.Response(text=text, content_type="text/plain", headers=headers)


async def _page(visit: Visit, **values: object) -> web.StreamResponse:
    rules = _lines(visit)
    nothing = {"rule": "", "findings": None, "text": "", "verdict": None}
    return await visit.page("filter.html", rules=rules, **nothing | values)


def _lines(visit: Visit) -> list[str]:
    return [entry.line for entry in visit.site.studio.rules.entries(visit.guild.id)]


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
        Route("GET", "/rules.txt", export),
    ),
)
