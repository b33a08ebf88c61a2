"""What a row shows of one person: the row without other people, and the row without that person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.register import Kept


def about(kept: Kept, member_id: int) -> ColumnElement[bool]:
    """Whether a row of that table is about the person."""
    return or_(*(column == member_id for column in kept.about))


def own_part(kept: Kept, row: dict[str, Any], member_id: int) -> dict[str, Any]:
    """The row without the ids of other people and without their words."""
    others = [column.name for column in kept.about if row.get(column.name) != member_id]
    words = [text.name for text, writer in kept.words if row.get(writer.name) != member_id]
    return row | dict.fromkeys([*others, *words])


async def take_name_off(
    connection: AsyncConnection, kept: Kept, which: ColumnElement[bool], member_id: int, pseudonym: int
) -> None:
    """Put the pseudonym where the person's id stands in these rows, and delete the words that they wrote there."""
    keys, writers = list(kept.table.primary_key.columns), dict(kept.words)
    for row in (await connection.execute(select(kept.table).where(which))).all():
        here = and_(*(key == getattr(row, key.name) for key in keys))
        named = [column for column in kept.about if getattr(row, column.name) == member_id]
        gone = [column for column in kept.blank if writers.get(column, named[0]) in named]
        values = {column.name: pseudonym for column in named} | {column.name: "" for column in gone}
        try:
            async with connection.begin_nested():
                await connection.execute(update(kept.table).where(here).values(values))
        except IntegrityError:  # the same was written down before they were forgotten the first time
            await connection.execute(delete(kept.table).where(here))
