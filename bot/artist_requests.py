"""What is decided about artists who asked not to be imitated: the same from a command and from the page."""

from __future__ import annotations

from bot.moderation.artists import Artist, parse_artist
from bot.moderation.rules import RuleError
from bot.rulebook import RuleBook
from bot.store.artists import ACCEPTED, DECLINED, Artists
from generation.errors import BadRequest


def artist_named(name: str, *, surname: bool = False) -> Artist:
    """Somebody as a moderator wrote them; raises BadRequest with the sentence that helps."""
    try:
        artist = parse_artist(name)
    except RuleError as error:
        raise BadRequest(str(error)) from error
    if artist is None:
        raise BadRequest("There is no name in this; please write the whole name.")
    return Artist(artist.name, artist.surname or surname)


async def decide(
    rules: RuleBook, artists: Artists, guild_id: int, request_id: int, by: int, *, accepted: bool
) -> str | None:
    """Accept or decline a request; returns the name, None when somebody has decided already."""
    name = await artists.decide(guild_id, request_id, ACCEPTED if accepted else DECLINED, by)
    if name is not None and accepted:
        await rules.add_artist(guild_id, artist_named(name), by)
    return name
