"""The local Discord as a server: REST, gateway, CDN, page and, when asked for, test controls on one port."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.playground import ids
from bot.playground.archive import Archive
from bot.playground.bodies import MAX_BODY
from bot.playground.buckets import Buckets
from bot.playground.clock import Clock
from bot.playground.control.breaking import Breaking
from bot.playground.control.controls import Controls
from bot.playground.control.exchanges import Exchanges
from bot.playground.control.journal import Journal
from bot.playground.guard import Guard, add_headers
from bot.playground.messages import KEPT_PER_CHANNEL, KEPT_UNDER_TEST
from bot.playground.page_api import PageApi
from bot.playground.parts import Parts, put_together
from bot.playground.persons import Persons
from bot.playground.rest import channels, commands, guilds, login, oauth, reactions, threads, webhooks
from bot.playground.rest.routes import PREFIX, Routes
from bot.playground.world import World
from generation.errors import ConfigError

log = logging.getLogger(__name__)

SHUTDOWN_PATIENCE = 1.0  # seconds open requests are given


@dataclass(frozen=True, slots=True)
class Playground:
    """A local Discord that is ready to be served."""

    app: web.Application
    parts: Parts
    persons: Persons


def build(
    host: str = "127.0.0.1", *, controls: bool = False, clock: Clock | None = None, guests: int = 0
) -> Playground:
    """Puts everything together for a server that will listen on `host`. Needs a running event loop only once used."""
    parts = put_together(World(clock or Clock(), guests, kept=KEPT_UNDER_TEST if controls else KEPT_PER_CHANNEL))
    persons = Persons(parts)
    exchanges = Exchanges(parts.clock)
    # Outermost first: what is refused at the door is not recorded, a fault comes before the rate limit counts.
    doors = [Guard(host).middleware, *([exchanges.middleware] if controls else [])]
    app = web.Application(
        middlewares=[*doors, parts.faults.middleware, Buckets(parts.clock).middleware], client_max_size=MAX_BODY
    )
    app.on_response_prepare.append(add_headers)
    parts.gateway.add_routes(app)
    parts.cdn.add_routes(app)
    routes = Routes(app, parts)
    for area in (login, oauth, guilds, commands, channels, reactions, threads, webhooks):
        area.add_routes(routes)
    routes.close()
    if controls:
        breaking = Breaking(parts.faults, parts.gateway, parts.cdn, persons)
        journal = Journal(parts.clock, parts.world.messages)
        parts.composer.watch(journal.note)
        Controls(persons, breaking, exchanges, journal, parts.clock).add_routes(app)
    oauth.ConsentPage(parts, persons).add_routes(app)
    PageApi(persons, parts.screens).add_routes(app)
    app.on_shutdown.append(lambda _: _close(parts))
    return Playground(app, parts, persons)


async def _close(parts: Parts) -> None:
    parts.screens.close()


async def listen(playground: Playground, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Starts to listen; returns what `cleanup` ends, and the origin. Raises `ConfigError` when it cannot."""
    runner = web.AppRunner(playground.app, access_log=None, shutdown_timeout=SHUTDOWN_PATIENCE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(_why_not(host, port, error)) from error
    name = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1"}.get(host, host)  # noqa: S104
    origin = f"http://{name}:{runner.addresses[0][1]}"
    playground.parts.cdn.origin = origin
    return runner, origin


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is already in use; stop what uses it, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this account; choose one above 1023 with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}."


async def serve(
    host: str,
    port: int,
    *,
    controls: bool = False,
    data_dir: Path | None = None,
    fresh: bool = False,
    guests: int = 0,
    stop: asyncio.Event | None = None,
    announce: Callable[[str], None],
) -> None:
    """Runs until `stop` is set or a signal comes. Port 0 picks a free one.

    Once it listens it announces the API's address, the application's secret, the bot's token and the page's address.
    What is under `data_dir` is shown again next time, unless `fresh`. Raises `ConfigError` for a port that cannot be
    used.
    """
    playground = build(host, controls=controls, guests=guests)
    stop = stop or asyncio.Event()
    async with AsyncExitStack() as stack:
        if data_dir is not None:
            archive = Archive(playground.parts, data_dir)
            stack.push_async_callback(archive.close)
            await archive.open(fresh=fresh)
        runner, origin = await listen(playground, host, port)
        stack.push_async_callback(runner.cleanup)
        announce(f"DISCORD_API_URL={origin}{PREFIX}")
        announce(f"DISCORD_CLIENT_SECRET={playground.parts.signing_in.secret}")
        announce(f"DISCORD_TOKEN={ids.BOT_TOKEN}")
        announce(f"The local Discord is open at {origin}/")
        with _signals(stop):
            await stop.wait()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set the event, where this loop may listen to them."""
    loop = asyncio.get_running_loop()
    listened = []
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
            listened.append(number)
    try:
        yield
    finally:
        for number in listened:
            loop.remove_signal_handler(number)
