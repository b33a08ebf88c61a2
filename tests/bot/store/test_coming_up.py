"""A PostgreSQL server that says "not yet", in each way that it has, is waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.store.database import Database
from bot.store.processes import Processes
from generation.errors import ConfigError
from tests.proxy import Proxy

SSL_REQUEST = 8  # bytes
NOT_YET = ("57P03", "57P01", "57P02", "53300", "cut", "reset")


def _error(code: str) -> bytes:
    """An ErrorResponse of the frontend/backend protocol."""
    body = f"SFATAL\0VFATAL\0C{code}\0Msaid by a test\0\0".encode()
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


class NotYet:
    """Answers each start of a connection as a server that cannot take it."""

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self.asked = 0
        self.thrice = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.asked += 1
        if self.asked >= 3:
            self.thrice.set()
        if self._answer != "reset":
            length = int.from_bytes(await reader.readexactly(4), "big")
            if length == SSL_REQUEST:
                await reader.readexactly(4)
                writer.write(b"N")
                length = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(length - 4)
            if self._answer != "cut":
                writer.write(_error(self._answer))
                await writer.drain()
        else:
            writer.transport.abort()
        writer.close()


@asynccontextmanager
async def _answering(answer: str) -> AsyncIterator[tuple[NotYet, asyncio.Server, int]]:
    there = NotYet(answer)
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    try:
        yield there, server, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize("answer", NOT_YET)
async def test_a_server_that_says_not_yet_is_waited_for(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("bot.store.postgres.LOOK_AGAIN", 0.05)
    real = make_url(postgres_url)
    async with _answering(answer) as (there, server, port):
        url = real.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        database = Database(url, tmp_path, patience=60.0)
        coming = asyncio.create_task(database.__aenter__())
        await asyncio.wait([coming, asyncio.create_task(there.thrice.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert not coming.done()
        server.close()
        await server.wait_closed()
        proxy = Proxy(real.host or "127.0.0.1", real.port or 5432)
        proxy.port = port
        await proxy.mend()
        try:
            async with asyncio.timeout(20):
                await coming
            assert await Processes(database).others() == 0
            await database.__aexit__()
        finally:
            await proxy.cut()


@pytest.mark.parametrize("answer", ["3D000", "28P01", "28000"])
async def test_a_server_that_says_no_is_not_waited_for(tmp_path: Path, answer: str) -> None:
    began = time.monotonic()
    async with _answering(answer) as (there, _, port):
        with pytest.raises(ConfigError):
            async with Database(f"postgresql+asyncpg://a:b@127.0.0.1:{port}/x", tmp_path, patience=60.0):
                pass
    assert there.asked <= 4
    assert time.monotonic() - began < 10.0
