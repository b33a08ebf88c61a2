"""The first-run check: one line for each thing that must work, with the remedy where it does not."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiohttp
import typer

from bot.app import only_this_machine
from bot.card import UNCHECKED
from bot.config import Config, load
from bot.store.database import Database
from bot.store.processes import Processes
from generation.catalogue import lora_names
from generation.errors import AtelierError, ConfigError
from generation.job import Job
from generation.licences import Commercial
from generation.models import describe
from generation.options import size_of
from generation.provenance.keyring import FOLDER, Keyring
from generation.provenance.watermark import check_folder
from generation.request import Request
from generation.workers.child import ChildWorker
from generation.workers.worker import WorkerStatus

# What the bot does in a channel, and Discord's bit for it ("Permissions" in Discord's reference).
NEEDED_PERMISSIONS = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
}
ADMINISTRATOR = 1 << 3
LEAST_DISK = 2 * 2**30  # bytes; pictures and a database grow
LEAST_MEMORY = 1 * 2**30  # bytes available for the starter model; larger models need more
TRIAL_TIMEOUT = 600.0  # seconds; a model from a hub has to be downloaded first


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    level: Level
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.level:8}{self.subject:13}{self.sentence}"


Check = Callable[[Config], Awaitable[list[Finding]]]


async def examine(path: Path | None) -> None:
    """Run every check, print its lines as they come, and exit with 78 when one failed."""
    config = load(path)
    typer.echo(str(Finding(Level.OK, "settings", "config.yaml and the environment can be read.")))
    failed = 0
    for check in (_discord, _database, _signing_key, _watermark, _disk_and_memory, _model, _trial_picture):
        for finding in await check(config):
            typer.echo(str(finding))
            failed += finding.level is Level.FAILED
    if failed:
        raise ConfigError(f"{failed} of the checks above failed; their lines say what to do.")


async def _discord(config: Config) -> list[Finding]:
    if config.token is None:
        sentence = (
            "DISCORD_TOKEN is not set, so make run opens the local Discord; put a token into .env to serve a server."
        )
        return [Finding(Level.WARNING, "token", sentence)]
    try:
        async with _api(config) as get:
            me = await get("/users/@me")
            application = await get("/applications/@me")
            guilds = await get("/users/@me/guilds")
    except PermissionError:
        sentence = "Discord refuses this token; copy a new one from the developer portal (Bot, Reset Token) into .env."
        return [Finding(Level.FAILED, "token", sentence)]
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        sentence = f"Discord cannot be reached at {config.api_url} ({type(error).__name__}); check the network."
        return [Finding(Level.FAILED, "token", sentence)]
    found = [
        Finding(Level.OK, "token", f"Discord knows the bot as {me['username']} (application {application['id']}).")
    ]
    found.append(Finding(Level.OK, "intents", "No privileged intent is needed."))
    return found + _permissions(guilds)


def _permissions(guilds: list[dict[str, Any]]) -> list[Finding]:
    if not guilds:
        sentence = "The bot is in no server yet; open the invite link of the README."
        return [Finding(Level.WARNING, "permissions", sentence)]
    found = []
    for guild in guilds:
        held = int(guild.get("permissions", 0))
        missing = [name for name, bit in NEEDED_PERMISSIONS.items() if not held & (bit | ADMINISTRATOR)]
        if missing:
            sentence = f"{guild['name']}: give the bot's role {', '.join(missing)}."
            found.append(Finding(Level.FAILED, "permissions", sentence))
        else:
            found.append(Finding(Level.OK, "permissions", f"{guild['name']}: everything needed is there."))
    return found


@asynccontextmanager
async def _api(config: Config) -> AsyncIterator[Callable[[str], Awaitable[Any]]]:
    assert config.token is not None, "asked only with a token"
    headers = {"Authorization": f"Bot {config.token.get_secret_value()}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http:

        async def get(path: str) -> Any:
            async with http.get(config.api_url + path) as response:
                if response.status == 401:
                    raise PermissionError
                response.raise_for_status()
                return await response.json()

        yield get


async def _database(config: Config) -> list[Finding]:
    try:
        async with Database(config.database, config.data_dir) as database:
            await Processes(database).check(config.data_dir)
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            return [Finding(Level.OK, "database", f"{kind} can be written and has the newest schema.")]
    except ConfigError as error:
        running = "already running" in error.sentence
        return [Finding(Level.WARNING if running else Level.FAILED, "database", error.sentence)]


async def _signing_key(config: Config) -> list[Finding]:
    try:
        identity = await asyncio.to_thread(Keyring(config.data_dir / FOLDER).open)
    except ConfigError as error:
        return [Finding(Level.FAILED, "signing key", error.sentence)]
    return [Finding(Level.OK, "signing key", f"Pictures are signed as “{identity.name}”.")]


async def _watermark(config: Config) -> list[Finding]:
    if not config.files.watermark:
        return [Finding(Level.OK, "watermark", "Off; pictures carry a signature, but no invisible mark.")]
    try:
        card = await asyncio.to_thread(check_folder, Path(config.files.watermark))
    except ConfigError as error:
        return [Finding(Level.FAILED, "watermark", error.sentence)]
    return [Finding(Level.OK, "watermark", f"The weights of {card.title} are whole; the picture below tries them.")]


async def _disk_and_memory(config: Config) -> list[Finding]:
    free = shutil.disk_usage(config.data_dir).free if config.data_dir.exists() else shutil.disk_usage(".").free
    disk = Level.OK if free >= LEAST_DISK else Level.WARNING
    found = [Finding(disk, "disk", f"{free / 2**30:.1f} GiB are free for {config.data_dir}.")]
    available = _available_memory()
    if available is not None:
        level = Level.OK if available >= LEAST_MEMORY else Level.WARNING
        found.append(Finding(level, "memory", f"{available / 2**30:.1f} GiB of main memory are available."))
    return found


def _available_memory() -> int | None:
    """Bytes of main memory that could be used; None where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


async def _model(config: Config) -> list[Finding]:
    found = []
    for name, place in {config.model: config.model, **config.models}.items():
        try:
            card = await asyncio.to_thread(describe, place)
        except AtelierError as error:
            found.append(Finding(Level.FAILED, "model", error.sentence))
            continue
        licence = config.licences[name].licence() if name in config.licences else card.terms
        what = f"{name} ({card.family}), {card.native} pixels, licence"
        if licence.known:
            business = "" if licence.commercial is Commercial.YES else f" (commercial use: {licence.commercial})"
            found.append(Finding(Level.OK, "model", f"{what} {licence.name}{business}."))
        else:
            sentence = f"{what} {licence.name}: read it, then write what it is under licences in config.yaml."
            found.append(Finding(Level.WARNING, "model", sentence))
    if config.loras:
        names = lora_names(Path(config.loras))
        level = Level.OK if names else Level.WARNING
        found.append(Finding(level, "loras", f"{len(names)} in {config.loras}: {', '.join(names) or 'none'}."))
    return found


async def _trial_picture(config: Config) -> list[Finding]:
    """Start a real engine and paint a picture of few steps."""
    alone = config.token is None or only_this_machine(config)
    worker = ChildWorker(config.engine_settings(alone=alone))
    began = time.monotonic()
    try:
        card = await asyncio.to_thread(describe, config.model)
        await worker.start()
        width, height = size_of("square", card.native)
        request = Request(
            prompt="a red house at night",
            width=width,
            height=height,
            steps=min(4, card.steps),
            guidance=card.guidance,
            sampler=card.sampler,
            seed=1,
            model=card.name,
        )
        async with asyncio.timeout(TRIAL_TIMEOUT):
            result = await worker.paint(Job(id="doctor", request=request), lambda progress: None)
        status = worker.status
    except TimeoutError:
        return [
            Finding(Level.FAILED, "picture", f"No picture within {TRIAL_TIMEOUT:.0f} seconds; see the log with -v.")
        ]
    except AtelierError as error:
        return [Finding(Level.FAILED, "picture", error.sentence)]
    finally:
        await worker.close()
    found = []
    if status is not None:
        found.append(Finding(Level.OK, "device", f"Painting on {status.device}."))
        found.append(Finding(Level.OK, "engine", _engine_sentence(status)))
        real = [name for name in status.checkers if not name.startswith(UNCHECKED)]
        checkers = ", ".join(real) or "nothing"
        uploads = "refused, since no checker could look at them"
        if status.accepts_uploads:
            unseen = len(real) < len(status.checkers)
            uploads = "accepted unchecked, on this local Discord only" if unseen else "accepted"
        found.append(Finding(Level.OK, "safety", f"Pictures are checked by: {checkers}; uploads are {uploads}."))
    withheld = result.pictures[0].withheld
    if withheld:
        return [*found, Finding(Level.FAILED, "picture", f"Painted, but not approved: {withheld}")]
    total = time.monotonic() - began
    sentence = f"Painted and approved in {result.seconds:.1f} s (ready after {total - result.seconds:.1f} s)."
    return [*found, Finding(Level.OK, "picture", sentence)]


def _engine_sentence(status: WorkerStatus) -> str:
    """What was measured of the engine, as a person would say it."""
    calls = ", ".join(f"{rows}: {seconds * 1000:.0f} ms" for rows, seconds in sorted(status.call_seconds.items()))
    bits = "the same in any company" if status.exact else "not the same to the last bit in company"
    return (
        f"Up to {status.together} requests at once, {status.rows} rows a call (a guided picture has two); pictures are "
        f"{bits}. Calls by rows: {calls or 'not measured yet'}."
    )
