"""Transactions that a cancelled task cannot tear: what was said to the database is always heard to its end.

A statement that is torn out of SQLAlchemy makes it throw the connection away, and SQLite keeps such a connection's
transaction open, locks and all, for as long as a cursor of it is remembered: every writer then waits in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Carry out `work` to its end; a cancellation of the caller in the meantime counts afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and not task.cancelled():
        task.exception()  # looked at: the cancellation is what the caller hears of
        raise cancelled
    return task.result()


class Connection(AsyncConnection):
    """A connection whose statements are not torn."""

    __slots__ = ()

    async def execute(self, *given: Any, **named: Any) -> Any:
        """As AsyncConnection's, to its end."""
        return await unbroken(super().execute(*given, **named))

    async def exec_driver_sql(self, *given: Any, **named: Any) -> Any:
        """As AsyncConnection's, to its end."""
        return await unbroken(super().exec_driver_sql(*given, **named))

    async def run_sync(self, fn: Callable[..., T], *given: Any, **named: Any) -> T:
        """As AsyncConnection's, to its end."""
        return await unbroken(super().run_sync(fn, *given, **named))


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection in a transaction, committed when the block ends well and rolled back otherwise."""
    connection = Connection(engine)
    try:
        await unbroken(_begun(connection))
        yield connection
        await unbroken(connection.commit())
    finally:
        if connection.sync_connection is not None:
            await unbroken(connection.close())


async def _begun(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()
