"""Audit log: who did what, to whom and why; for reading, and as a file."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from aiohttp import web

from bot.page.visit import Chapter, Route, Visit
from bot.review.record import as_csv, deed
from bot.store.audit import MOST, THE_BOT, Entry

PAGE: Final = 50  # lines on a page
ID: Final = re.compile(r"\b(channel|role) (\d{15,20})\b")


async def show(visit: Visit) -> web.StreamResponse:
    """The newest lines first."""
    page = visit.page_in_query()
    entries = await _entries(visit, PAGE + 1, page * PAGE)
    people = {person for entry in entries for person in (entry.actor_id, entry.member_id) if person}
    names = await visit.names([*people])
    lines = [
        {
            "at": entry.at,
            "who": "The bot" if entry.actor_id == THE_BOT else names[entry.actor_id],
            "who_id": entry.actor_id,
            "did": deed(entry.action),
            "whom": names.get(entry.member_id or 0, ""),
            "whom_id": entry.member_id,
            "case": entry.case_id,
            "why": _named(visit, entry.reason),
        }
        for entry in entries[:PAGE]
    ]
    query = {name: visit.request.query.get(name, "") for name in ("member", "by")}
    return await visit.page("audit.html", lines=lines, query=query, number=page, is_more=len(entries) > PAGE)


async def export(visit: Visit) -> web.StreamResponse:
    """The same as a table, up to the newest ten thousand lines."""
    data = await asyncio.to_thread(as_csv, await _entries(visit, MOST, 0))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return web.Response(body=data, content_type="text/csv", charset="utf-8", headers=headers)


async def _entries(visit: Visit, limit: int, offset: int) -> list[Entry]:
    return await visit.site.desk.audit.entries(
        visit.guild.id,
        member_id=visit.id_in_query("member"),
        actor_id=visit.id_in_query("by"),
        limit=limit,
        offset=offset,
    )


def _named(visit: Visit, reason: str) -> str:
    """Channels and roles by the names they have now; the log itself keeps their ids."""
    kinds = {"channel": visit.channel, "role": visit.role}
    return ID.sub(lambda found: kinds[found[1]](int(found[2])), reason)


CHAPTER: Final = Chapter(
    "audit", "Audit log", (Route("GET", "", show), Route("GET", "/audit.csv", export)), deciding=True
)
