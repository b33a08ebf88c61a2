"""A connection that was lost is looked for again soon, however often that has happened today."""

from __future__ import annotations

import discord.shard

from bot import reconnecting
from bot.reconnecting import HELD, LATE, MANY, SOON, Patience, wait_briefly


def test_waits_stay_short_and_begin_anew_when_a_connection_held(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(reconnecting.time, "monotonic", lambda: now)
    monkeypatch.setattr(reconnecting.random, "uniform", lambda low, high: high)
    patience = Patience()
    waits = []
    for _ in range(MANY + 20):
        waits.append(patience.delay())
        now += waits[-1] + HELD / 2  # each connection is lost before it can be said to hold
    assert waits[:5] == [2.0, 4.0, 8.0, 16.0, SOON]
    assert max(waits[:MANY]) == SOON
    assert waits[-1] == LATE
    assert MANY + 24 * 3600 / (LATE / 2) < 500  # logins of a day on which no connection holds; 1,000 are too many
    now += HELD * 2
    assert patience.delay() == 2.0


def test_discord_py_waits_like_this():
    wait_briefly()
    assert discord.shard.ExponentialBackoff is Patience
