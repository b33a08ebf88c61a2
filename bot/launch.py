"""What the commands do: the bot, with the local Discord in a process of its own where no token is given."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import typer
from pydantic import SecretStr

from bot.config import Config, load
from bot.signals import Signals
from generation.errors import ConfigError

log = logging.getLogger(__name__)

START_TIMEOUT = 30.0  # seconds the local Discord may take to answer


@dataclass(frozen=True, slots=True)
class LocalDiscord:
    """A local Discord that is ready: where it is, and what opens it."""

    api_url: str
    token: str = field(repr=False)
    client_secret: str = field(repr=False)  # made up at its start

    @property
    def page(self) -> str:
        """The address for the browser."""
        return self.api_url.removesuffix("/api/v10") + "/"


async def serve(
    path: Path | None,
    *,
    host: str | None,
    port: int | None,
    always_local: bool,
    controls: bool = False,
    fresh: bool = False,
) -> None:
    """Run the bot against Discord, or against a local Discord started beside it."""
    with Signals() as signals:
        await signals.through(
            _serve(signals, path, host=host, port=port, always_local=always_local, controls=controls, fresh=fresh)
        )


async def _serve(
    signals: Signals,
    path: Path | None,
    *,
    host: str | None,
    port: int | None,
    always_local: bool,
    controls: bool,
    fresh: bool,
) -> None:
    from bot.running import run

    config = load(path)
    if config.token is not None and not always_local:
        connected = "Atelier is connected to Discord; type /dream in your server."
        await run(config, signals, lambda: load(path), lambda: typer.echo(connected))
        return
    host, port = host or config.playground.host, config.playground.port if port is None else port
    async with local_discord(config, host, port, controls=controls, fresh=fresh) as there:
        invitation = f"Open {there.page} and type: /dream a red house under a starry night sky"
        await run(
            _at(there, host, config), signals, lambda: _at(there, host, load(path)), lambda: typer.echo(invitation)
        )


def _at(there: LocalDiscord, host: str, config: Config) -> Config:
    """The settings for the local Discord that listens on `host`."""
    secrets = {"token": SecretStr(there.token), "client_secret": SecretStr(there.client_secret)}
    listening = config.playground.model_copy(update={"host": host})
    return config.model_copy(update={"api_url": there.api_url, "playground": listening, **secrets})


async def serve_local_discord(
    path: Path | None,
    *,
    host: str | None,
    port: int | None,
    controls: bool,
    fresh: bool,
    guests: int,
    data_dir: Path | None,
    until_stdin_closes: bool,
) -> None:
    """The local Discord alone, until a signal or, when asked, until standard input closes."""
    from bot.playground.server import serve as serve_playground

    config = load(path)
    stop = asyncio.Event()
    if until_stdin_closes:
        loop = asyncio.get_running_loop()
        threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
    await serve_playground(
        host or config.playground.host,
        config.playground.port if port is None else port,
        controls=controls,
        data_dir=(data_dir or config.data_dir) / "playground",
        fresh=fresh,
        guests=guests,
        stop=stop,
        announce=typer.echo,
    )


async def sweep(path: Path | None, *, dry_run: bool) -> None:
    """Delete what is too old, once, or say what that would be."""
    from sqlalchemy.exc import DBAPIError

    from bot.privacy.sweeper import Sweeper
    from bot.store.database import Database
    from bot.store.processes import Processes

    config = load(path)
    try:
        async with Database(config.database, config.data_dir, looking=dry_run) as database:
            await Processes(database).check(config.data_dir)
            swept = await Sweeper(database, config.data_dir, config.privacy).sweep(dry=dry_run)
    except DBAPIError as error:
        log.debug("Sweeping failed", exc_info=error)
        raise ConfigError("The database is not there yet, or of another version; try python -m bot migrate.") from error
    for each in swept:
        typer.echo(f"{each.count:8,} {each.what}")
    if not swept:
        typer.echo("Nothing is too old.")


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not through sys.stdin: a thread that holds its lock when the interpreter ends is a fatal error.
    while os.read(0, 4096):
        continue
    loop.call_soon_threadsafe(stop.set)


async def bring_up_to_date(path: Path | None) -> None:
    """Migrate the configured database."""
    from bot.store.database import Database

    config = load(path)
    async with Database(config.database, config.data_dir):
        typer.echo("The database has the newest schema.")


async def adopt_folder(path: Path | None) -> None:
    """Let the data folder of these settings be the one that the database belongs to."""
    from bot.store.database import Database
    from bot.store.processes import Processes

    config = load(path)
    async with Database(config.database, config.data_dir) as database:
        await Processes(database).adopt(config.data_dir)
    typer.echo(f"{config.data_dir} is the data folder of this database.")


async def list_backups(path: Path | None) -> None:
    """Say which backups there are, newest first."""
    from bot.store.backups import backups_in
    from bot.store.restoring import folder_of

    found = await asyncio.to_thread(backups_in, folder_of(load(path)))
    for each in found:
        typer.echo(f"{each.date}  {each.size / 2**20:8,.1f} MiB  {each.path.name}")
    if not found:
        typer.echo("There are no backups yet.")


async def put_back(path: Path | None, name: str | None) -> None:
    """Put a backup back."""
    from bot.store.restoring import restore

    restored = await asyncio.to_thread(restore, load(path), name)
    typer.echo(f"{restored.backup.path.name} of {restored.backup.date} is the database now.")
    if restored.replaced is not None:
        typer.echo(f"The former one is kept as {restored.replaced} for 30 days.")


@contextlib.asynccontextmanager
async def local_discord(
    config: Config, host: str, port: int, *, controls: bool, fresh: bool, guests: int = 0
) -> AsyncIterator[LocalDiscord]:
    """Start the local Discord as a process; yields its addresses and secrets.

    It ends when its standard input closes, so it cannot outlive this process, however this one ends. It has a process
    group of its own: Ctrl-C reaches the bot first, which can then still say what it has to say.
    """
    arguments = [
        "-m",
        "bot",
        "playground",
        "--server-only",
        "--until-stdin-closes",
        "--host",
        host,
        "--port",
        str(port),
    ]
    arguments += ["--data-dir", str(config.data_dir)] + ["--controls"] * controls + ["--fresh"] * fresh
    arguments += ["--guests", str(guests)] * (guests > 0)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        told = await _in_time(process)
        draining = asyncio.create_task(_drain(process))
        yield LocalDiscord(told["DISCORD_API_URL"], told["DISCORD_TOKEN"], told["DISCORD_CLIENT_SECRET"])
        draining.cancel()
    finally:
        await _end(process)


async def _in_time(process: asyncio.subprocess.Process) -> dict[str, str]:
    try:
        async with asyncio.timeout(START_TIMEOUT):
            return await _told(process)
    except TimeoutError as error:
        raise ConfigError(f"The local Discord did not answer within {START_TIMEOUT:.0f} seconds.") from error


def bare_environment() -> dict[str, str]:
    """The environment without anything that is said to Atelier in it, for a bot of a measurement's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}


async def _told(process: asyncio.subprocess.Process) -> dict[str, str]:
    """Read the NAME=value lines that the local Discord prints when it is ready."""
    assert process.stdout is not None, "stdout is a pipe"
    told: dict[str, str] = {}
    while not {"DISCORD_API_URL", "DISCORD_CLIENT_SECRET", "DISCORD_TOKEN"} <= told.keys():
        line = (await process.stdout.readline()).decode(errors="replace")
        if not line:  # its own sentence is already on stderr
            raise typer.Exit(await process.wait())
        name, found, value = line.strip().partition("=")
        if found:
            told[name] = value
    return told


async def _drain(process: asyncio.subprocess.Process) -> None:
    """A full pipe would stop the local Discord."""
    assert process.stdout is not None, "stdout is a pipe"
    while await process.stdout.read(65536):
        pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    assert process.stdin is not None, "stdin is a pipe"
    process.stdin.close()
    try:
        async with asyncio.timeout(5.0):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
