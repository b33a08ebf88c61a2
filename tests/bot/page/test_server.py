"""How the page is put up: off by default, its secret, its port, and what changes behind TLS."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import app
from bot.config import Config
from bot.page.charts import HEIGHT, LEFT, WIDTH, ceiling, columns
from bot.page.names import Names
from bot.sections import Metrics
from generation.errors import ConfigError
from tests.bot.page.office import HOME, open_office
from tests.painter import Painter

PUBLIC = "https://art.example.org"


def settings(folder: Path, **page: Any) -> Config:
    return Config(data_dir=folder, metrics=Metrics(enabled=False), client_secret="secret", page=page)  # type: ignore[arg-type]


async def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    async with app.opened(settings(tmp_path), workers=(Painter(),)) as house:
        assert house.page.origin == ""
    async with app.opened(settings(tmp_path, enabled=True, port=0), workers=(Painter(),)) as house:
        assert house.page.origin.startswith("http://127.0.0.1:")


async def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    config = settings(tmp_path, enabled=True, port=0).model_copy(update={"client_secret": None})
    with pytest.raises(ConfigError, match="DISCORD_CLIENT_SECRET"):
        async with app.opened(config, workers=(Painter(),)):
            pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}.*set page.port"):
            async with app.opened(settings(tmp_path, enabled=True, port=port), workers=(Painter(),)):
                pass


async def test_behind_tls_the_name_counts_and_cookies_are_bound_to_it(tmp_path: Path) -> None:
    async with open_office(tmp_path, public_url=PUBLIC) as office, office.browser() as browser:
        address = f"http://127.0.0.1:{office.page.port}"
        assert (await browser.get(f"{address}/")).status == 421
        front = await browser.get(f"{address}/", Host="art.example.org")
        assert front.status == 200
        assert "max-age=" in front.headers["Strict-Transport-Security"]
        there = await browser.get(f"{address}/sign-in", Host="art.example.org")
        assert "redirect_uri=https%3A%2F%2Fart.example.org%2Fsign-in%2Freturn" in there.headers["Location"]
        cookie = there.headers["Set-Cookie"]
        assert cookie.startswith("__Host-atelier-leaving=")
        assert "Secure" in cookie
        assert "Domain" not in cookie


async def test_before_discord_is_connected_nobody_can_sign_in_or_see_anything(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office, office.moderator() as browser:
        await office.bot.client.close()
        office.bot.client._connection.application_id = None
        answer = await browser.get("/sign-in")
        assert answer.status == 400
        assert "not connected" in answer.text
        office.bot.client._connection._guilds.clear()
        assert (await browser.get(HOME)).status == 403


async def test_names_are_asked_once_and_never_waited_for_long() -> None:
    asked: list[int] = []

    async def fetch(person: int) -> Any:
        asked.append(person)
        if person == 2:
            raise discord.NotFound(SimpleNamespace(status=404, reason="no"), "gone")  # type: ignore[arg-type]
        if person == 3:
            raise TimeoutError
        return SimpleNamespace(display_name=f"Name {person}")

    names = Names(fetch)
    expected = {1: "Name 1", 2: "Deleted user", 3: "Member …0003"}
    assert await names.of([1, 2, 3, 1]) == expected
    assert await names.of([1, 2, 3]) == expected
    assert sorted(asked) == [1, 2, 3, 3]  # who could not be asked about is asked about again
    await names.close()


@given(st.floats(0, 1e9))
def test_a_scale_is_even_and_not_far_above(value: float) -> None:
    top = ceiling(value)
    assert top >= value
    assert top % 2 == 0
    assert top <= max(2, 2 * value)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), max_size=40))
def test_bars_stay_in_the_drawing_and_stand_for_their_values(values: list[tuple[int, int]]) -> None:
    rows = [(str(number), pair) for number, pair in enumerate(values)]
    chart = columns("t", ["a", "b"], rows)
    assert len(chart.bars) == sum(1 for pair in values for each in pair if each)
    for bar in chart.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    assert chart.is_empty is not any(map(any, values))
