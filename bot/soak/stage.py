"""Puts a soak together: a local Discord that lives through everything, members, and whoever keeps the bot alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import typer
import yaml

from bot.config import load
from bot.launch import bare_environment, local_discord
from bot.playground.ids import ADA_ID, ART_ID
from bot.soak.books import Books
from bot.soak.faults import Faults
from bot.soak.keeper import Keeper
from bot.soak.members import GUESTS, Members
from bot.soak.record import Record
from bot.soak.showing import judge_showing, judge_wishes
from bot.soak.town import Town
from bot.soak.verdict import (
    Verdict,
    interruptions,
    judge_answers,
    judge_outcomes,
    judge_resources,
    judge_serving,
)
from generation.errors import AtelierError

LOOK_EVERY = 0.5  # seconds
SAMPLE_EVERY = 2.0  # seconds
SAY_EVERY = 10.0  # seconds
STILL = 150.0  # seconds without one more outcome after which nothing is waited for any longer
COMMANDS_WITHIN = 60.0  # seconds in which the bot has to have registered its commands


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy the house is."""

    rate: float  # actions of members a second
    seconds: float = 0.4  # a painting takes
    capacity: int = 4  # paintings at once


@dataclass
class Stage:
    """Everything a plan needs at hand."""

    town: Town
    record: Record
    members: Members
    keeper: Keeper
    books: Books
    faults: Faults
    chance: Random
    began: float

    async def play(self, plan: Callable[[Stage], Awaitable[None]]) -> Verdict:
        """Start the bot, let members act while `plan` goes on, let everything settle, and judge."""
        await self.faults.born()
        await self._commands_known()
        looking = asyncio.create_task(self._look(), name="look")
        try:
            await self._played(plan, looking)
            await self._settle()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        return await self._judge()

    async def _played(self, plan: Callable[[Stage], Awaitable[None]], looking: asyncio.Task[None]) -> None:
        acting = asyncio.create_task(self.members.act(), name="members")
        planned = asyncio.ensure_future(plan(self))
        await asyncio.wait({looking, acting, planned}, return_when=asyncio.FIRST_COMPLETED)
        for task in (acting, planned):
            task.cancel()
        await asyncio.gather(acting, planned, return_exceptions=True)
        if planned.cancelled():  # the looking or the acting failed; what was read so far would judge nothing
            (looking if looking.done() else acting).result()
        planned.result()

    async def _commands_known(self) -> None:
        last = time.monotonic() + COMMANDS_WITHIN
        while not await self.town.knows_command(ADA_ID, ART_ID, "dream"):
            if time.monotonic() > last:
                raise AtelierError("The bot did not register its commands; house.log says why.")
            await asyncio.sleep(0.1)

    async def _look(self) -> None:
        said = sampled = 0.0
        while True:
            await self.record.collect()
            now = time.monotonic()
            if now - sampled >= SAMPLE_EVERY:
                sampled = now
                for life in self.keeper.alive:
                    life.sample(len(self.record.accepted))
            if now - said >= SAY_EVERY:
                said = now
                self._say()
            await asyncio.sleep(LOOK_EVERY)

    def _say(self) -> None:
        last = self.faults.done[-1] if self.faults.done else "nothing yet"
        typer.echo(
            f"{time.time() - self.began:6.0f} s  {len(self.keeper.lives):4} processes  {len(self.faults.done):4} faults"
            f"  {len(self.record.accepted):6} accepted  {len(self.record.shown):6} shown  last: {last}"
        )

    async def _settle(self) -> None:
        """The bot may do in peace what it owes, and is then ended as an owner ends it."""
        if not self.keeper.alive:
            await self.faults.born()
        owed, since = -1, time.monotonic()
        while owed and time.monotonic() - since < STILL:
            await asyncio.sleep(1.0)
            left = sum(not entry.settled for entry in (await self.books.entries()).values())
            if left != owed:
                owed, since = left, time.monotonic()
        await asyncio.sleep(2.0)  # tickets go after results
        for life in self.keeper.alive:
            if code := await self.keeper.end(life):
                self.faults.wrong_exits.append(f"exit code {code} at the end")

    async def _judge(self) -> Verdict:
        await self.record.collect()
        verdict, lives, troubled = Verdict(), self.keeper.lives, self.faults.troubled
        verdict.figures["minutes"] = (time.time() - self.began) / 60
        verdict.figures["faults"] = float(len(self.faults.done))
        verdict.figures["kills"] = float(self.faults.done.count("kill"))
        entries, interrupted = await self.books.entries(), interruptions(lives, troubled)
        judge_outcomes(verdict, entries, self.record, interrupted)
        judge_showing(verdict, entries, self.record)
        wishes = {each: self.members.interactions[each] for each in self.members.wishes}
        judge_wishes(verdict, entries, self.record, wishes, self.members.cancelled, interrupted)
        verdict.promise("database_faults", await self.books.faults())
        judge_serving(verdict, lives, troubled)
        judge_answers(verdict, self.record, self.members.interactions, lives, troubled)
        judge_resources(verdict, lives)
        verdict.promise("wrong_exits", self.faults.wrong_exits)
        verdict.figures["answering_again_worst_s"] = max(self.faults.recoveries, default=0.0)
        return verdict


@asynccontextmanager
async def staged(folder: Path, database_url: str, seed: int, pace: Pace) -> AsyncIterator[Stage]:
    """A stage over `folder`; no process of it is left behind."""
    settings = _settings(folder, database_url)
    config = load(settings, bare_environment())
    async with (
        local_discord(config, "127.0.0.1", 0, controls=True, fresh=True, guests=GUESTS) as there,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60.0)) as http,
    ):
        environment = bare_environment() | {"DISCORD_TOKEN": there.token, "DISCORD_API_URL": there.api_url}
        town, chance = Town(http, there.page), Random(seed)  # noqa: S311 - the same soak again, no secret
        record = Record(town)
        keeper = Keeper(settings, environment, seconds=pace.seconds, capacity=pace.capacity)
        try:
            yield Stage(
                town=town,
                record=record,
                members=Members(town, record, Random(seed + 1), pace.rate),  # noqa: S311 - as above
                keeper=keeper,
                books=Books(config.database, config.data_dir),
                faults=Faults(town, keeper, record, chance),
                chance=chance,
                began=time.time(),
            )
        finally:
            await keeper.close()


def _settings(folder: Path, database_url: str) -> Path:
    """Limits that let a few members stand for many."""
    wide = {"burst": 1e6, "per_hour": 1e6, "daily": 1e6, "waiting": 100}
    settings = {
        "data_dir": str(folder / "data"),
        "database_url": database_url,
        "limits": {"member": wide},
        "metrics": {"port": 0},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path
