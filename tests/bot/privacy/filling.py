"""Rows of any age in any table, each with a mark that can be found again in the bytes of the database's files."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Float, String, Text, insert

from bot.store.database import Database
from bot.store.register import Kept
from bot.store.schema import jobs
from generation.job import JobState
from tests.orders import a_request

_numbers = itertools.count(1)


def mark_of(name: str, number: int) -> str:
    """Short enough for the shortest text column."""
    return f"{name[:2]}{number:08d}"


async def fill(database: Database, kept: Kept, moment: float, **given: Any) -> str:
    """One row of that table whose age counts from `moment`; returns its mark."""
    number = next(_numbers)
    mark = mark_of("zq", number)
    values = {column.name: _value(column, number, mark, moment) for column in kept.table.c}
    if kept.table is jobs:
        values |= job_values(mark, moment, number)
    if isinstance(kept.since, Column):
        values[kept.since.name] = moment
    async with database.write() as connection:
        await connection.execute(insert(kept.table).values(values | given))
    return mark


def job_values(mark: str, moment: float, number: int) -> dict[str, Any]:
    """A posted job with words and a token."""
    return {
        "id": f"{number:016d}",
        "state": JobState.POSTED,
        "action": "dream",
        "request": a_request(prompt=f"words {mark}").to_json(),
        "recipe": {"note": f"recipe {mark}"},
        "reason": f"reason {mark}",
        "token": f"token {mark}",
        "token_expires": moment + 900,
        "accepted_at": moment,
        "claimed_at": moment,
        "ended_at": moment,
        "used_at": None,
        "erased_at": None,
        "leaving_at": None,
        "parent": None,
        "parent_index": None,
        "press": f"press {mark}",
        "pictures": 1,
    }


def _value(column: Column[Any], number: int, mark: str, moment: float) -> Any:
    if isinstance(column.type, JSON):
        return {"mark": mark, "sha256": f"{number:064x}"}
    if isinstance(column.type, String | Text):
        return mark
    if isinstance(column.type, Boolean):
        return False
    return moment if isinstance(column.type, Float) else number
