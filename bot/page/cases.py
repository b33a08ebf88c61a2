"""Cases as the page shows them: with names, the words of everybody concerned, and what can be decided now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.moderation.policy import NAMES
from bot.page.visit import Visit
from bot.review.case import Case, Kind
from bot.review.strikes import active
from bot.review.words import DANGEROUS, DONE, LABELS, WHY
from bot.store.pictures import StoredPicture

FORGOTTEN: Final = "(what was asked for is not kept any more)"
SHOWN_STRIKES: Final = 3


async def seen_by(visit: Visit, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The cases for the templates, as the visiting moderator sees them."""
    people = {person for case in cases for person in (case.author_id, case.ruled_by, case.contested_by) if person}
    names = await visit.names([*people])
    return [await _seen(visit, case, names) for case in cases]


async def _seen(visit: Visit, case: Case, names: Mapping[int, str]) -> dict[str, Any]:
    desk = visit.site.desk
    commission = await desk.jobs.get(case.job_id)
    pictures = await desk.pictures.of(case.job_id)
    picture = next((each for each in pictures if each.index == case.place), None)
    is_own = case.open and case.contested_by == visit.moderator_id
    return {
        "id": case.id,
        "open": case.open,
        "why": WHY[case.kind],
        "appealed": case.round > 1,
        "who": names[case.author_id],
        "who_id": case.author_id,
        "where": visit.channel(case.channel_id),
        "opened_at": case.opened_at,
        "prompt": commission.request.prompt if commission is not None else FORGOTTEN,
        "negative": commission.request.negative if commission is not None else "",
        "job_id": case.job_id if await desk.lookback.one(visit.guild.id, case.job_id) is not None else "",
        "seen": [*picture.seen] if picture is not None else [],
        "level": NAMES[picture.level] if picture is not None else "",
        "has_evidence": case.open and _has_evidence(case, pictures, picture),
        "veiled": case.kind is Kind.REPORTED,
        "reports": case.reports,
        "reasons": await desk.reports.reasons(case.id),
        "hidden": case.hidden and case.open,
        "strikes": await _strikes(visit, case),
        "notes": await desk.errands.notes(case.id),
        "contested": DONE[case.contested] if case.contested is not None else "",
        "contested_by": names.get(case.contested_by or 0, ""),
        "appeal": case.appeal,
        "choices": [] if is_own else [(each.value, LABELS[each], each in DANGEROUS) for each in case.choices],
        "is_own": is_own,
        "decided": DONE[case.ruling] if case.ruling is not None else "",
        "ruled_by": names.get(case.ruled_by or 0, ""),
        "ruled_by_id": case.ruled_by,
        "ruled_at": case.ruled_at,
        "reason": case.reason,
        "hours": case.hours,
    }


async def _strikes(visit: Visit, case: Case) -> dict[str, Any]:
    """Earlier warnings of the member."""
    strikes = await visit.site.desk.strikes.of(case.guild_id, case.author_id)
    now = visit.site.studio.clock()
    return {"active": active(strikes, now), "all": len(strikes), "last": strikes[:SHOWN_STRIKES]}


def _has_evidence(case: Case, pictures: Sequence[StoredPicture], picture: StoredPicture | None) -> bool:
    if case.kind is not Kind.REPORTED:
        return picture is not None and bool(picture.evidence)
    return any(each.sha256 is not None or each.evidence for each in pictures)
