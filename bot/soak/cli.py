"""`soak` on the command line: faults for the real bot, and a verdict on what it promised."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bot.benches.report import show, write
from bot.logs import set_up
from bot.soak import house as the_house
from bot.soak import plans
from bot.soak.books import scratch_database
from bot.soak.plans import Plan
from bot.soak.stage import Pace, staged
from bot.soak.verdict import Verdict
from generation.errors import ConfigError

EXIT_BROKEN: Final = 1
EXIT_CONFIG: Final = 78
SERVER = "postgresql+asyncpg://postgres@127.0.0.1:5432/test"  # where ATELIER_TEST_DATABASE_URL names no other


class Store(StrEnum):
    """Where the bot keeps its jobs."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


On = Annotated[Store, typer.Option("--database", help="PostgreSQL: a database of its own is made and dropped.")]
Server = Annotated[
    str,
    typer.Option("--database-url", envvar="ATELIER_TEST_DATABASE_URL", help="The PostgreSQL server to make it on."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same faults in the same order; else it is chosen and told.")]
Rate = Annotated[float, typer.Option(min=0.1, help="Actions of members a second.")]
Report = Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")]

app = typer.Typer(
    help="Make faults happen to the real bot on a local Discord and count what is lost or shown twice.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def kills(
    count: Annotated[int, typer.Option("--kills", min=1, help="How often the bot is killed.")] = 200,
    jobs: Annotated[int, typer.Option(min=1, help="Jobs that are accepted meanwhile.")] = 2000,
    database: On = Store.SQLITE,
    server: Server = SERVER,
    rate: Rate = 8.0,
    seed: Seed = None,
    report: Report = None,
) -> None:
    """`kill -9` at random moments under load."""
    _carry_out(
        _soak(plans.kills(count, jobs), f"kills --kills {count} --jobs {jobs}", database, server, rate, seed, report)
    )


@app.command()
def outages(
    database: On = Store.SQLITE, server: Server = SERVER, rate: Rate = 3.0, seed: Seed = None, report: Report = None
) -> None:
    """Gateway and REST outages from 0.1 s to 20 min by the local Discord's clock, and storms of errors."""
    _carry_out(_soak(plans.outages, "outages", database, server, rate, seed, report))


@app.command()
def run(
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long.")] = 60.0,
    database: On = Store.SQLITE,
    server: Server = SERVER,
    rate: Rate = 3.0,
    seed: Seed = None,
    report: Report = None,
) -> None:
    """Everything together, a fault every few seconds."""
    plan = plans.everything(minutes, several=database is Store.POSTGRESQL)
    _carry_out(_soak(plan, f"run --minutes {minutes:g}", database, server, rate, seed, report))


@app.command(hidden=True)
def house(
    config: Annotated[Path, typer.Option("--config")],
    seconds: Annotated[float, typer.Option()],
    capacity: Annotated[int, typer.Option()],
) -> None:
    """The bot process that is soaked."""
    set_up(logging.INFO)
    _carry_out(the_house.serve(config, seconds=seconds, capacity=capacity))


async def _soak(
    plan: Plan, words: str, database: Store, server: str, rate: float, seed: int | None, report: Path | None
) -> None:
    seed = secrets.randbelow(10**6) if seed is None else seed
    folder = Path(tempfile.mkdtemp(prefix="atelier-soak-"))
    command = f"python -m bot soak {words} --database {database} --rate {rate:g} --seed {seed}"
    typer.echo(f"{command}\nEverything is kept in {folder} until it has ended well.")
    async with AsyncExitStack() as stack:
        url = "" if database is Store.SQLITE else await stack.enter_async_context(scratch_database(server))
        stage = await stack.enter_async_context(staged(folder, url, seed, Pace(rate)))
        try:
            verdict = await stage.play(plan)
        finally:
            faults = "\n".join(stage.faults.done)
            (folder / "faults.txt").write_text(f"{command}\n{faults}\n", encoding="utf-8")
    _tell(verdict, folder, command, report)


def _tell(verdict: Verdict, folder: Path, command: str, report: Path | None) -> None:
    figures = verdict.figures | {"promises_broken": float(sum(not each.startswith(" ") for each in verdict.broken))}
    show(figures)
    if report is not None:
        write(report, figures, command)
    if not verdict.broken:
        typer.echo("Every promise was kept.")
        shutil.rmtree(folder)
        return
    lines = "\n".join(verdict.broken)
    (folder / "broken.txt").write_text(f"{command}\n{lines}\n", encoding="utf-8")
    typer.echo(f"Promises were broken:\n{lines}\n{os.linesep}Database, logs and this list: {folder}\nAgain: {command}")
    raise typer.Exit(EXIT_BROKEN)


def _carry_out(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except ConfigError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(EXIT_CONFIG) from None
