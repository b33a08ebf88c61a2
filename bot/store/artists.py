"""Who asked not to be imitated, by guild, and what is still to be decided."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from bot.moderation.artists import Artist
from bot.store.audit import Act, record_change
from bot.store.database import Database
from bot.store.schema import artist_requests, artists

OPEN, ACCEPTED, DECLINED = "open", "accepted", "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistRequest:
    """What somebody sent by the form."""

    id: int
    guild_id: int
    name: str
    contact: str  # a link or an address under which they can be reached
    relation: str  # who they are to the artist
    requested_by: int
    requested_at: float  # epoch seconds
    state: str  # open, accepted or declined


class Artists:
    """The opt-out list and the requests for it."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def everything(self) -> dict[int, list[Artist]]:
        """All artists by guild; under 0 those that count in every guild."""
        found: dict[int, list[Artist]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(select(artists).order_by(artists.c.name)):
                found.setdefault(row.guild_id, []).append(Artist(row.name, row.surname))
        return found

    async def add(self, guild_id: int, artist: Artist, added_by: int) -> None:
        """Put an artist on the guild's list, or change how widely the name counts."""
        key = {"guild_id": guild_id, "name": artist.name}
        async with self._database.write() as connection:
            same = [artists.c.guild_id == guild_id, artists.c.name == artist.name]
            await connection.execute(delete(artists).where(*same))
            values = key | {"surname": artist.surname, "added_by": added_by, "added_at": self._clock()}
            await connection.execute(insert(artists).values(values))
            await record_change(connection, guild_id, added_by, Act.ARTIST_ADDED, artist.shown, self._clock())

    async def remove(self, guild_id: int, name: str, removed_by: int) -> bool:
        """Take an artist from the guild's list; False when the name is not on it."""
        async with self._database.write() as connection:
            where = [artists.c.guild_id == guild_id, artists.c.name == name]
            gone = await connection.execute(delete(artists).where(*where))
            if gone.rowcount:
                await record_change(connection, guild_id, removed_by, Act.ARTIST_REMOVED, name, self._clock())
        return bool(gone.rowcount)

    async def ask(self, guild_id: int, name: str, contact: str, relation: str, requested_by: int) -> int:
        """Keep a request; returns its number."""
        values = {
            "guild_id": guild_id,
            "name": name,
            "contact": contact,
            "relation": relation,
            "requested_by": requested_by,
            "requested_at": self._clock(),
            "state": OPEN,
        }
        async with self._database.write() as connection:
            done = await connection.execute(insert(artist_requests).values(values))
            assert done.inserted_primary_key is not None, "an inserted row has a key"
            return int(done.inserted_primary_key[0])

    async def open_requests(self, guild_id: int, requested_by: int | None = None) -> list[ArtistRequest]:
        """What is still to be decided in the guild, oldest first; of one person where one is given."""
        table = artist_requests.c
        query = select(artist_requests).where(table.guild_id == guild_id, table.state == OPEN).order_by(table.id)
        if requested_by is not None:
            query = query.where(table.requested_by == requested_by)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        names = ("id", "guild_id", "name", "contact", "relation", "requested_by", "requested_at", "state")
        return [ArtistRequest(**{name: getattr(row, name) for name in names}) for row in rows]

    async def decide(self, guild_id: int, request_id: int, state: str, decided_by: int) -> str | None:
        """Accept or decline a request of the guild; returns the name, None when it was not open any more."""
        table = artist_requests.c
        values = {"state": state, "decided_by": decided_by, "decided_at": self._clock()}
        where = [table.id == request_id, table.guild_id == guild_id, table.state == OPEN]
        async with self._database.write() as connection:
            changed = await connection.execute(update(artist_requests).where(*where).values(values))
            if not changed.rowcount:
                return None
            row = (await connection.execute(select(table.name).where(table.id == request_id))).one()
            act = Act.ARTIST_ACCEPTED if state == ACCEPTED else Act.ARTIST_DECLINED
            await record_change(connection, guild_id, decided_by, act, row.name, self._clock())
            return str(row.name)
