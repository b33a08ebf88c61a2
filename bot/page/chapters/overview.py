"""Overview: what the last 30 days were like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from bot.page.charts import columns
from bot.page.visit import Chapter, Route, Visit
from bot.store.lookback import DayFigures

SPANS: Final = ("≤ 5 s", "5–15 s", "15–60 s", "1–5 min", "5–15 min", "> 15 min")  # as in WAITS


async def show(visit: Visit) -> web.StreamResponse:
    """Charts and sums."""
    lookback, studio = visit.site.desk.lookback, visit.site.studio
    days = await lookback.by_day(visit.guild.id)
    waits = await lookback.waits(visit.guild.id)
    line = await studio.line(visit.guild.id)
    painted = columns("Pictures per day", ["pictures"], [(_date(day), [day.pictures]) for day in days], every=5)
    refused = columns(
        "Refused or failed per day",
        ["refused by the filter", "withheld by the gate", "failed"],
        [(_date(day), [day.refused, day.withheld, day.failed]) for day in days],
        every=5,
    )
    cases = columns(
        "Cases that waited at the end of the day", ["cases"], [(_date(d), [d.waiting]) for d in days], every=5
    )
    waited = columns(
        "Waiting before the first step",
        ["requests"],
        [(span, [count]) for span, count in zip(SPANS, waits, strict=True)],
    )
    return await visit.page(
        "overview.html",
        today=days[-1],
        pictures=sum(day.pictures for day in days),
        requests=sum(day.requests for day in days),
        withheld=sum(day.withheld for day in days),
        promptly=_promptly(waits),
        waiting=len(line),
        status=studio.status,
        refused=sum(day.refused for day in days),
        cases=days[-1].waiting,
        charts=[painted, refused, cases, waited],
    )


def _date(day: DayFigures) -> str:
    return f"{datetime.fromtimestamp(day.begins, UTC):%-d %b}"


def _promptly(waits: list[int]) -> int | None:
    """Percent of requests that were taken up within 15 seconds; None without any."""
    total = sum(waits)
    return round(100 * sum(waits[:2]) / total) if total else None


CHAPTER: Final = Chapter("", "Overview", (Route("GET", "", show),))
