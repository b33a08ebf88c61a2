"""What every test may ask for: Discord's API document, and a local Discord whose traffic is compared with it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from bot.playground.control.exchanges import Exchanges
from tests.databases import KINDS, drop_kept, fresh_database, fresh_postgres
from tests.discord_document import Oracle, document_path
from tests.local_discord import LocalDiscord, attached, started, started_apart

WRONG = "Traffic that Discord's document does not allow:\n"
ABSENT = "Discord's API document is not at {path}; ATELIER_DISCORD_OPENAPI says where it is"

# How long an example takes says something about the machine's other work, not about the code. The same examples in
# every run, so that a change and not chance breaks the suite; --hypothesis-profile=searching looks for others.
HASTE = [HealthCheck.too_slow]
settings.register_profile("searching", deadline=None, suppress_health_check=HASTE)
settings.register_profile("atelier", deadline=None, suppress_health_check=HASTE, derandomize=True)
settings.load_profile("atelier")

StartDiscord = Callable[..., Awaitable[LocalDiscord]]


@dataclass(slots=True)
class Tally:
    """How much traffic of local Discords was compared."""

    servers: int = 0
    exchanges: int = 0
    routes: set[str] = field(default_factory=set)
    uncompared: int = 0


TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """Discord's API document; tests that need it are skipped where it is absent."""
    try:
        return Oracle.load()
    except FileNotFoundError:
        pytest.skip(ABSENT.format(path=document_path()))


@pytest.fixture(params=KINDS)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database: the test runs on SQLite and on PostgreSQL."""
    async with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def postgres_url() -> AsyncIterator[str]:
    """The URL of an empty PostgreSQL database."""
    async with fresh_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def traffic_oracle() -> Oracle | None:
    """The same for traffic that tests make on the way: without the document they run, and the summary says so."""
    return Oracle.load() if document_path().exists() else None


@pytest.fixture
async def start_discord(
    tmp_path: Path, traffic_oracle: Oracle | None, request: pytest.FixtureRequest
) -> AsyncIterator[StartDiscord]:
    """Starts local Discords: in this event loop, with `apart=True` as a process, with `at=(api_url, token)` not at all.

    At the end of the test the traffic of each is compared with Discord's document.
    """
    discords: list[LocalDiscord] = []
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            *, apart: bool = False, at: tuple[str, str] | None = None, port: int = 0, folder: Path | None = None
        ) -> LocalDiscord:
            folder = folder or tmp_path / "discord"
            if at is not None:
                context = attached(*at)
            elif apart:
                context = started_apart(folder, port=port)
            else:
                context = started(folder, port=port)
            discords.append(await stack.enter_async_context(context))
            return discords[-1]

        yield start
    tally = request.config.stash.setdefault(TALLY, Tally())
    found = [line for discord in discords for line in _found_in(discord.comparable(), traffic_oracle, tally)]
    found += [line for discord in discords for line in discord.gaps()]
    assert not found, WRONG + "\n".join(found)


@pytest.fixture
async def playground(start_discord: StartDiscord) -> LocalDiscord:
    """A fresh local Discord in this event loop; its traffic is compared with Discord's document at the end."""
    return await start_discord()


@pytest.fixture(autouse=True)
def traffic_of_the_bot(
    monkeypatch: pytest.MonkeyPatch, traffic_oracle: Oracle | None, request: pytest.FixtureRequest
) -> Iterator[None]:
    """What the real bot says to a local Discord in this process is compared, however the test has started the two."""
    records: list[Exchanges] = []
    bots: list[object] = []
    _note_instances(monkeypatch, Exchanges, records)
    if "bot.client" in sys.modules:
        _note_instances(monkeypatch, sys.modules["bot.client"].AtelierClient, bots)
    yield
    if bots and "start_discord" not in request.fixturenames:
        tally = request.config.stash.setdefault(TALLY, Tally())
        found = [line for record in records for line in _found_in(record.since(), traffic_oracle, tally)]
        assert not found, WRONG + "\n".join(found)


def _note_instances(monkeypatch: pytest.MonkeyPatch, kind: type, instances: list[Any]) -> None:
    make = kind.__init__

    def noted(self: object, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        instances.append(self)

    monkeypatch.setattr(kind, "__init__", noted)


def _found_in(exchanges: list[dict[str, Any]], oracle: Oracle | None, tally: Tally) -> list[str]:
    if oracle is None:
        tally.uncompared += 1
        return []
    tally.servers += 1
    tally.exchanges += len(exchanges)
    tally.routes |= {f"{exchange['method']} {exchange['route']}" for exchange in exchanges}
    return oracle.check_all(exchanges)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its tally to the one that tells it; what tests kept is given back."""
    asyncio.run(drop_kept())
    output = getattr(session.config, "workeroutput", None)
    tally = session.config.stash.get(TALLY, None)
    if output is not None and tally is not None:
        output["traffic"] = [tally.servers, tally.exchanges, sorted(tally.routes), tally.uncompared]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the processes hand over."""
    traffic = getattr(node, "workeroutput", {}).get("traffic")
    if traffic is not None:
        tally = node.config.stash.setdefault(TALLY, Tally())
        tally.servers += traffic[0]
        tally.exchanges += traffic[1]
        tally.routes |= set(traffic[2])
        tally.uncompared += traffic[3]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash.get(TALLY, None)
    if tally is None:
        return
    if tally.servers:
        terminalreporter.write_line(
            f"Compared with Discord's document: {tally.exchanges} exchanges over {len(tally.routes)} routes"
            f" in {tally.servers} local Discords."
        )
    if tally.uncompared:
        terminalreporter.write_line(
            f"The traffic of {tally.uncompared} local Discords was not compared: {ABSENT.format(path=document_path())}"
        )
