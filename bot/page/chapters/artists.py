"""Artists: who asked not to be imitated in this server, and what is still to be decided."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.artist_requests import artist_named, decide
from bot.moderation.artists import LONGEST_NAME, SURNAME_TOO
from bot.page.visit import Chapter, Route, Visit
from generation.errors import BadRequest

MOST: Final = 50  # requests that are shown at once


async def show(visit: Visit) -> web.StreamResponse:
    """The list, and requests by the oldest first."""
    waiting = await visit.site.desk.artists.open_requests(visit.guild.id)
    names = await visit.names([request.requested_by for request in waiting[:MOST]])
    requests = [(request, names[request.requested_by]) for request in waiting[:MOST]]
    artists = visit.site.studio.rules.artists(visit.guild.id)
    more = len(waiting) - len(requests)
    return await visit.page("artists.html", artists=artists, requests=requests, more=more, longest=LONGEST_NAME)


async def add(visit: Visit) -> web.StreamResponse:
    """Nobody may ask for pictures in the manner of this person any more."""
    name = visit.asked("name", LONGEST_NAME + len(SURNAME_TOO) + 1)
    artist = artist_named(name, surname="surname" in visit.form)
    await visit.site.studio.rules.add_artist(visit.guild.id, artist, visit.moderator_id)
    return visit.done(f"On the list: {artist.name}")


async def remove(visit: Visit) -> web.StreamResponse:
    """Take a name from the list."""
    name = visit.asked("name", LONGEST_NAME)
    if not await visit.site.studio.rules.remove_artist(visit.guild.id, name, visit.moderator_id):
        raise BadRequest("That name is gone already.")
    return visit.done(f"No longer on the list: {name}")


async def accept(visit: Visit) -> web.StreamResponse:
    """Do as was asked."""
    return await _decided(visit, accepted=True)


async def decline(visit: Visit) -> web.StreamResponse:
    """Leave the list as it is."""
    return await _decided(visit, accepted=False)


async def _decided(visit: Visit, *, accepted: bool) -> web.StreamResponse:
    rules, artists, request_id = visit.site.studio.rules, visit.site.desk.artists, visit.id_of("request")
    by = visit.moderator_id
    name = await decide(rules, artists, visit.guild.id, request_id, by, accepted=accepted)
    if name is None:
        raise BadRequest("That request was decided already.")
    return visit.done(f"Accepted: {name} is on the list now." if accepted else f"Declined: {name}")


CHAPTER: Final = Chapter(
    "artists",
    "Artists",
    (
        Route("GET", "", show),
        Route("POST", "/add", add),
        Route("POST", "/remove", remove),
        Route("POST", "/accept", accept),
        Route("POST", "/decline", decline),
    ),
)
