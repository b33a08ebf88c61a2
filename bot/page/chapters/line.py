"""The line: what is painted and what waits, with a button that ends it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.order import Member
from bot.page.visit import Chapter, Route, Visit
from generation.job import JobState

MOST: Final = 200  # that are shown


async def show(visit: Visit) -> web.StreamResponse:
    """The server's line in its order; what was asked privately stays private."""
    entries = await visit.site.studio.line(visit.guild.id)
    shown = entries[:MOST]
    names = await visit.names([entry.author_id for entry in shown])
    rows = [
        {
            "id": entry.job_id,
            "who": names[entry.author_id],
            "where": visit.channel(entry.channel_id),
            "prompt": entry.prompt,
            "painting": entry.state is JobState.RUNNING,
        }
        for entry in shown
    ]
    return await visit.page("line.html", rows=rows, more=len(entries) - len(shown))


async def cancel(visit: Visit) -> web.StreamResponse:
    """End one request; its author is told and charged nothing."""
    moderator = Member(id=visit.moderator_id, guild_id=visit.guild.id, moderator=True)
    await visit.site.studio.cancel(visit.asked("job", 16), moderator)
    return visit.done("Cancelled; its author is told, and gets their credits back.")


CHAPTER: Final = Chapter("line", "The line", (Route("GET", "", show), Route("POST", "/cancel", cancel)))
