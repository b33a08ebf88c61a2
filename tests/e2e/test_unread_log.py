"""Whoever reads the log stands still, and the bot does not."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import time

from bot.logs import PATIENCE
from tests.e2e import paced
from tests.e2e.paced import PacedBot, paced_bot


async def _unread(_: PacedBot) -> None:
    return


async def test_a_log_that_nobody_reads_stops_nothing(tmp_path, start_discord, monkeypatch):
    monkeypatch.setattr(paced, "_read", _unread)
    discord = await start_discord(apart=True)
    async with paced_bot(tmp_path / "bot", discord, 0.05) as bot:
        pipe = bot.process.stderr._transport
        pipe.pause_reading()
        fcntl.fcntl(pipe.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, 4096)
        await bot.until(healthy=True)
        for _ in range(150):  # a line each time
            bot.send(signal.SIGHUP)
            await asyncio.sleep(0.02)
        try:
            async with asyncio.timeout(3.0):
                assert (await bot.health())["healthy"]
            began = bot.send(signal.SIGTERM)
        finally:
            pipe.resume_reading()
        assert await bot.ended() == 0
        told = (await bot.process.stderr.read()).decode()

        assert time.monotonic() - began < 10.0 + PATIENCE
        assert len(told) > 2 * 4096
        assert "Stopping" in told
