"""Pictures: what was painted lately, what was kept back, and the files themselves, which only the store can give."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.moderation.policy import NAMES
from bot.page.serving import served
from bot.page.visit import Chapter, Route, Visit
from bot.store.lookback import PastJob
from bot.store.pictures import GRID, StoredPicture
from generation.safety.level import Level

PAGE: Final = 24  # jobs on one page
JOB: Final = "{job:[0-9a-v]{16}}"
INDEX: Final = "{index:[0-3]|grid}"


async def show(visit: Visit) -> web.StreamResponse:
    """The newest pictures; `before` leads to older ones."""
    before = visit.request.query.get("before", "")[:16]
    jobs = await visit.site.desk.lookback.recent(visit.guild.id, before=before, limit=PAGE + 1)
    names = await visit.names([job.author_id for job in jobs])
    cards = []
    for job in jobs[:PAGE]:
        pictures = await visit.site.desk.pictures.of(job.id)
        cards.append(
            {
                "job": job,
                "who": names[job.author_id],
                "where": visit.channel(job.channel_id),
                "cover": _picture(job, pictures[0]) if pictures else None,
                "withheld": sum(1 for each in pictures if each.withheld),
            }
        )
    older = jobs[PAGE - 1].id if len(jobs) > PAGE else ""
    return await visit.page("pictures.html", cards=cards, older=older, first=not before)


async def one(visit: Visit) -> web.StreamResponse:
    """One request with all its pictures and its recipe."""
    job = await _job(visit)
    pictures = [_picture(job, each) for each in await visit.site.desk.pictures.of(job.id) if each.index != GRID]
    names = await visit.names([job.author_id])
    return await visit.page(
        "picture.html", job=job, pictures=pictures, who=names[job.author_id], where=visit.channel(job.channel_id)
    )


async def file(visit: Visit) -> web.StreamResponse:
    """The approved picture itself."""
    job = await _job(visit)
    return served(await visit.site.desk.pictures.load(job.id, _index(visit)))


async def likeness(visit: Visit) -> web.StreamResponse:
    """The blurred likeness of a picture that was kept back; it passed the gate by itself."""
    job = await _job(visit)
    return served(await visit.site.desk.pictures.load_evidence(job.id, _index(visit)))


async def _job(visit: Visit) -> PastJob:
    job = await visit.site.desk.lookback.one(visit.guild.id, visit.request.match_info["job"])
    if job is None:
        raise web.HTTPNotFound()
    return job


def _index(visit: Visit) -> int:
    index = visit.request.match_info["index"]
    return GRID if index == "grid" else int(index)


def _picture(job: PastJob, picture: StoredPicture) -> dict[str, object]:
    """A picture for the templates; one above neutral is veiled until somebody wants to see it."""
    index = "grid" if picture.index == GRID else str(picture.index)
    shown, blurred = picture.sha256 is not None, picture.sha256 is None and picture.evidence
    source = f"{job.id}/{index}" if shown else f"{job.id}/{index}/likeness" if blurred else ""
    return {
        "index": index,
        "source": source,
        "width": picture.width or job.request.width,
        "height": picture.height or job.request.height,
        "level": NAMES[picture.level],
        "veiled": bool(source) and picture.level > Level.NEUTRAL,
        "withheld": picture.withheld,
        "seen": picture.seen,
        "checked_by": picture.checked_by,
    }


CHAPTER: Final = Chapter(
    "pictures",
    "Pictures",
    (
        Route("GET", "", show),
        Route("GET", f"/{JOB}", one),
        Route("GET", f"/{JOB}/{INDEX}", file),
        Route("GET", f"/{JOB}/{INDEX}/likeness", likeness),
    ),
)
