"""Review: what waits for a decision, with the rulings of Discord's buttons, and what was decided."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from aiohttp import web

from bot.forms import REASON_LENGTH
from bot.page.cases import seen_by
from bot.page.serving import served
from bot.page.visit import Chapter, Route, Visit
from bot.review.case import FIRST_ROUND, SECOND_ROUND, Case, Kind, Ruling
from bot.review.forms import MOST_HOURS, USUAL_HOURS, hours_of
from bot.review.words import DONE, WHY
from bot.store.cases import Decision, Filter
from generation.errors import BadRequest, Refusal

Choice = TypeVar("Choice", bound=StrEnum)

SHOWN: Final = 12  # open cases on a page, the oldest first
PAGE: Final = 30  # decided cases on a page
CASE: Final = "/{case:[0-9]{1,9}}"


async def show(visit: Visit) -> web.StreamResponse:
    """What waits."""
    desk = visit.site.desk
    cases = await desk.cases.open_in(visit.guild.id, SHOWN)
    waiting = await desk.cases.waiting(visit.guild.id)
    return await visit.page("review.html", cases=await seen_by(visit, cases), more=waiting - len(cases), **_limits())


async def one(visit: Visit) -> web.StreamResponse:
    """One case, open or decided."""
    (case,) = await seen_by(visit, [await _case(visit)])
    return await visit.page("case.html", case=case, **_limits())


async def evidence(visit: Visit) -> web.StreamResponse:
    """What the case is about: blurred where the gate kept it back, as posted where members reported it."""
    found = await visit.site.client.review.evidence(await _case(visit))
    return served(found[0] if found else None)


async def rule(visit: Visit) -> web.StreamResponse:
    """Decide, as a press in Discord would: the first moderator wins, appeals are somebody else's to decide."""
    case = await _case(visit)
    try:
        decision = _decision(visit)
        ruled, decided = await visit.site.client.review.deciding.rule(case, decision)
    except Refusal as refusal:
        return visit.refused(refusal.sentence, f"/{case.id}")
    if decided:
        return visit.done(f"Case {case.id}: {DONE[decision.ruling]}.")
    if ruled.ruling is None or ruled.ruled_by is None:
        return visit.refused("This case was appealed meanwhile, and is decided in another way now.", f"/{case.id}")
    names = await visit.names([ruled.ruled_by])
    return visit.refused(f"{names[ruled.ruled_by]} has decided this case already: {DONE[ruled.ruling]}.")


async def decided(visit: Visit) -> web.StreamResponse:
    """What was decided, the last decision first."""
    query = visit.request.query
    which = Filter(
        kind=_chosen(Kind, query.get("kind", "")),
        ruling=_chosen(Ruling, query.get("ruling", "")),
        author_id=visit.id_in_query("member"),
        ruled_by=visit.id_in_query("by"),
    )
    page = visit.page_in_query()
    cases = await visit.site.desk.cases.decided_in(visit.guild.id, which, PAGE + 1, page * PAGE)
    return await visit.page(
        "decided.html",
        cases=await seen_by(visit, cases[:PAGE]),
        kinds=list(WHY.items()),
        rulings=list(DONE.items()),
        query={name: query.get(name, "") for name in ("kind", "ruling", "member", "by")},
        number=page,
        is_more=len(cases) > PAGE,
    )


def _decision(visit: Visit) -> Decision:
    ruling = _chosen(Ruling, visit.form.get("ruling", ""))
    if ruling not in (*FIRST_ROUND, *SECOND_ROUND):
        raise BadRequest("Choose how to decide first.")
    return Decision(
        ruling=ruling,
        by=visit.moderator_id,
        reason=visit.optional("reason", REASON_LENGTH),
        hours=hours_of(visit.form) if ruling is Ruling.TIMEOUT else None,
    )


def _chosen(choices: type[Choice], value: str) -> Choice | None:
    return next((choice for choice in choices if choice == value), None)


async def _case(visit: Visit) -> Case:
    """The case of the address, if it is of this server."""
    try:
        case = await visit.site.desk.cases.get(int(visit.request.match_info["case"]))
    except BadRequest as error:
        raise web.HTTPNotFound() from error
    if case.guild_id != visit.guild.id:
        raise web.HTTPNotFound()
    return case


def _limits() -> dict[str, object]:
    return {"longest": REASON_LENGTH, "hours": f"{USUAL_HOURS:g}", "most_hours": f"{MOST_HOURS:g}"}


CHAPTER: Final = Chapter(
    "review",
    "Review",
    (
        Route("GET", "", show),
        Route("GET", "/decided", decided),
        Route("GET", CASE, one),
        Route("GET", f"{CASE}/evidence", evidence),
        Route("POST", f"{CASE}/rule", rule),
    ),
    deciding=True,
)
