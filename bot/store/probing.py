"""What is remembered of people whose prompts were refused, so that a restart is no way around a pause."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from bot.store.database import Database
from bot.store.schema import probing

Values = tuple[float, int, float, float]  # tat, level, refused_at, until


class ProbingStore:
    """One row for each person and guild."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def everything(self) -> dict[tuple[int, int], Values]:
        """All that is remembered, by guild (0: direct messages) and member."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(probing))).all()
        return {(row.guild_id, row.member_id): (row.tat, row.level, row.refused_at, row.until) for row in rows}

    async def keep(
        self, guild_id: int, member_id: int, tat: float, level: int, refused_at: float, until: float
    ) -> None:
        """Remember a person's state; an older one that comes late changes nothing."""
        values = {"tat": tat, "level": level, "refused_at": refused_at, "until": until}
        same = (probing.c.guild_id == guild_id, probing.c.member_id == member_id)
        async with self._database.write() as connection:
            known = (await connection.execute(select(probing.c.refused_at).where(*same))).first()
            if known is None:
                await connection.execute(insert(probing).values(guild_id=guild_id, member_id=member_id, **values))
            elif known.refused_at <= refused_at:
                await connection.execute(update(probing).where(*same).values(values))

    async def forget_before(self, moment: float) -> int:
        """Forget everybody whose latest refused prompt was before `moment` (epoch seconds); returns how many."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(probing).where(probing.c.refused_at < moment))
        return int(gone.rowcount)
