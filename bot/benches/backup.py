"""What a backup costs: its own time, writers' latency beside it, and the checks of a start, on a file of some size."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

import typer
from sqlalchemy import text

from bot.benches.report import percentile, show, write
from bot.store.backups import FOLDER, make
from bot.store.database import Database
from bot.store.integrity import damage_in
from bot.store.opening import PATIENCE
from bot.store.small import Notes

BLOB = 2**20  # bytes of a row of ballast
QUIET = 3.0  # seconds of writing without a backup, to compare with
RATE = 100.0  # writes a second that are offered


async def measure(*, megabytes: int, folder: Path | None, report: Path | None) -> None:
    """Fill a database in `folder` (default: where temporary files are), measure, and delete it again."""
    place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="atelier-backup-", dir=folder))
    try:
        figures = await _figures(place, megabytes)
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
    show(figures)
    if report is not None:
        await asyncio.to_thread(write, report, figures, f"python -m bot bench backup --megabytes {megabytes}")


async def _figures(place: Path, megabytes: int) -> dict[str, float]:
    path = place / "atelier.sqlite"
    typer.echo(f"Filling {megabytes} MB in {place} …", err=True)
    async with Database(f"sqlite+aiosqlite:///{path}", place) as database:
        await _fill(database, megabytes)
        notes, figures = Notes(database), dict[str, float]()
        quiet = await _latencies(notes, asyncio.create_task(asyncio.sleep(QUIET)))
        began = time.perf_counter()
        copying = asyncio.create_task(asyncio.to_thread(make, path, place / FOLDER, "hourly-bench.db", full=True))
        beside = await _latencies(notes, copying)
        figures["backup_seconds"] = time.perf_counter() - began
    for name, values in (("without", quiet), ("beside", beside)):
        figures[f"write_p50_ms_{name}"] = percentile(values, 0.5) * 1000
        figures[f"write_p99_ms_{name}"] = percentile(values, 0.99) * 1000
    for name, seconds in (("start_check_seconds", PATIENCE), ("quick_check_seconds", float("inf"))):
        began = time.perf_counter()
        await asyncio.to_thread(damage_in, path, seconds=seconds)
        figures[name] = time.perf_counter() - began
    figures["file_mb"] = (await asyncio.to_thread(path.stat)).st_size / 1e6
    return figures


async def _fill(database: Database, megabytes: int) -> None:
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE ballast (id INTEGER PRIMARY KEY, data BLOB)"))
    for _ in range(max(1, megabytes * 1_000_000 // BLOB // 16)):
        async with database.write() as connection:
            for _ in range(16):
                await connection.execute(
                    text("INSERT INTO ballast (data) VALUES (randomblob(:bytes))"), {"bytes": BLOB}
                )


async def _latencies(notes: Notes, meanwhile: asyncio.Task[object]) -> list[float]:
    """Seconds that durable writes take from their planned moments, until `meanwhile` is over."""
    taken: list[float] = []
    due = time.perf_counter()
    while not meanwhile.done():
        due = max(due + 1.0 / RATE, time.perf_counter())
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await notes.set("bench", f"{due}")
        taken.append(time.perf_counter() - due)
    await meanwhile
    return taken
