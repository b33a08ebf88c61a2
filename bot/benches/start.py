"""From a cold start to serving while thousands of jobs wait, and what members feel then: real processes, no model."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from bot.bench import free_port, running
from bot.benches.report import show, write
from bot.benches.submit import WIDE, an_order
from bot.config import Config
from bot.desk import Desk
from bot.store.database import Database
from generation.models import describe

PICTURE = 600.0  # seconds: the line stands while it is measured
SERVERS = 20
HELD = 2.0  # seconds for which somebody else keeps the database's writer
SETTLING = 5.0  # seconds until memory is read once more
PACED = ("bot.benches.paced",)


async def measure(*, waiting: int, members: int, report: Path | None) -> None:
    """Fill a line of `waiting` jobs, start the bot over it, and let `members` send a /dream at once."""
    figures: dict[str, float] = {"start_waiting": float(waiting)}
    with tempfile.TemporaryDirectory(prefix="atelier-bench-") as name:
        folder = Path(name)
        config = settings(folder, waiting + 10 * members)
        await _fill(config, waiting)
        async with running(config, folder, guests=members, program=PACED, last=str(PICTURE)) as bench:
            first = (await bench.acknowledgements(1))["acknowledgement_p99_ms"] / 1000
            figures |= {"start_to_serving_s": bench.start_took + first, "start_first_answer_s": first}
            figures["start_memory_mib"] = (await bench.health())["memory_mib"]
            figures |= _prefixed("start_", await bench.acknowledgements(members))
            with _writer_held(folder / "data" / "atelier.sqlite"):
                held = asyncio.create_task(bench.acknowledgements(members))
                await asyncio.sleep(HELD)
            figures |= _prefixed("start_database_held_", await held)
            await asyncio.sleep(SETTLING)
            health = await bench.health()
            figures |= {
                "start_waiting_at_the_end": float(health["waiting"]),
                "start_memory_later_mib": health["memory_mib"],
                "start_worst_loop_lag_ms": health["worst_event_loop_lag_ms"],
            }
    show(figures)
    if report is not None:
        command = f"python -m bot bench start --waiting {waiting} --members {members}"
        await asyncio.to_thread(write, report, figures, command)


def _prefixed(prefix: str, figures: dict[str, float]) -> dict[str, float]:
    return {prefix + name: value for name, value in figures.items()}


def settings(folder: Path, most: int) -> Config:
    """Written where the bot reads it; limits do not get into the way of measuring."""
    values = {
        "data_dir": str(folder / "data"),
        "limits": {"member": WIDE.model_dump(mode="json")},
        "line": {"waiting": most},
        "metrics": {"port": free_port()},
        "shutdown_grace": 0,
        "licences": {"starter": "of no account to a crowd of nobody"},  # which could agree to nothing
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return Config.model_validate(values)


async def _fill(config: Config, waiting: int) -> None:
    """A database whose line has `waiting` jobs of a thousand members, each with a ticket that can still be changed."""
    card = describe("starter")
    async with Database(config.database, config.data_dir) as database:
        desk = Desk.over(database, config.data_dir)
        for number in range(waiting):
            order, guild_id = an_order(number, card), number % SERVERS + 1
            address = replace(order.address, guild_id=guild_id, ticket_id=number + 1)
            order = replace(order, address=address, member=replace(order.member, guild_id=guild_id))
            await desk.jobs.admit(order, 1.0, WIDE.allowance(), waiting + 1)


@contextlib.contextmanager
def _writer_held(path: Path) -> Iterator[None]:
    """Nobody else can write into the database."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
