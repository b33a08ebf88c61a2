"""Wires the house once, as one async context: stores, studio, engine, Discord edge, figures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bot import thrift
from bot.client import AtelierClient
from bot.clock import Clock
from bot.config import Config
from bot.desk import Desk
from bot.metrics import Metrics
from bot.page.server import ModeratorsPage
from bot.policybook import PolicyBook
from bot.privacy.sweeper import Sweeper, stop
from bot.review.review import unless_banned
from bot.rounds import Rounds
from bot.rulebook import RuleBook
from bot.sections import is_loopback
from bot.store.database import Database
from bot.store.stamps import bring_back
from bot.studio import Studio
from generation.errors import ConfigError, ModelUnavailable
from generation.models import ModelCard, describe
from generation.provenance.keyring import FOLDER, Keyring
from generation.provenance.watermark import check_folder
from generation.workers.child import ChildWorker
from generation.workers.worker import Worker

log = logging.getLogger(__name__)

DATABASE_PATIENCE = 60.0  # seconds; a machine that starts may start its PostgreSQL after the bot


@dataclass(frozen=True, slots=True)
class App:
    """The running house."""

    studio: Studio
    client: AtelierClient
    metrics: Metrics
    page: ModeratorsPage
    sweeper: Sweeper


def only_this_machine(config: Config) -> bool:
    """Whether nobody but this machine's own user can be reached.

    The Discord spoken to and, should it be the local one, the address it listens on are both on loopback.
    """
    return is_loopback(urlsplit(config.api_url).hostname or "") and is_loopback(config.playground.host)


@asynccontextmanager
async def opened(config: Config, workers: tuple[Worker, ...] | None = None) -> AsyncIterator[App]:
    """The whole house, painting and ready to connect; everything is closed in reverse order."""
    alone = only_this_machine(config)
    card = _described("model", config.model)
    if config.files.watermark:
        await asyncio.to_thread(check_folder, Path(config.files.watermark))
    others = {name: _named(name, _described(f"models.{name}", place)) for name, place in config.models.items()}
    async with AsyncExitStack() as stack:
        opening = Database(config.database, config.data_dir, patience=DATABASE_PATIENCE)
        database = await stack.enter_async_context(opening)
        desk = Desk.over(database, config.data_dir)
        await desk.processes.join(config.data_dir)  # before anything is done in a folder that may be the wrong one
        stack.push_async_callback(desk.processes.leave)
        identity = await asyncio.to_thread(Keyring(config.data_dir / FOLDER).open)
        if workers is None:
            workers = (ChildWorker(replace(config.engine_settings(alone=alone), identity=identity)),)
        clock = Clock(desk.troubles)
        await bring_back(database, clock())
        rules = RuleBook(desk, config.filter)
        await rules.open()
        stack.push_async_callback(rules.close)
        policies = PolicyBook(desk.policies)
        await policies.open()
        await desk.strikes.open()
        studio = Studio(
            config,
            desk=desk,
            rules=rules,
            policies=policies,
            workers=workers,
            card=card,
            others=others,
            alone=alone,
            conditions=(unless_banned(desk.strikes),),
        )
        client = AtelierClient(studio, desk, identity=identity)
        metrics = await stack.enter_async_context(Metrics(config, studio, desk, client.is_ready))
        refused, unshown = "atelier_discord_refused_requests", "atelier_outcomes_unshown"
        metrics.show(refused, "Requests that Discord refused in the last ten minutes", lambda: client.restraint.refused)
        metrics.show(unshown, "Outcomes that are on their way to Discord", lambda: client.delivery.unshown)
        page = await stack.enter_async_context(ModeratorsPage(config, studio, desk, client))
        stack.push_async_callback(client.close)
        sweeper = Sweeper(database, config.data_dir, config.privacy, trusted=lambda: clock.trusted)
        sweeper.forgotten += [rules.open, policies.open]
        stack.push_async_callback(stop, asyncio.create_task(sweeper.run(), name="sweeper"))
        clock.set_back.append(lambda: _set_back(database, studio, desk))
        stack.push_async_callback(stop, asyncio.create_task(clock.watch(desk.notes), name="clock"))
        stack.push_async_callback(stop, asyncio.create_task(thrift.go_on(), name="thrift"))
        rounds = Rounds(config, desk.troubles, lambda: clock.trusted)
        await stack.enter_async_context(rounds)
        await studio.start()
        stack.push_async_callback(studio.close, grace=config.shutdown_grace)
        yield App(studio, client, metrics, page, sweeper)


async def _set_back(database: Database, studio: Studio, desk: Desk) -> None:
    """The clock was set back: nobody is to wait for a moment that a wrong clock named."""
    await bring_back(database, studio.clock())
    desk.strikes.changed()
    studio.probing.bring_back()


def _described(setting: str, model: str) -> ModelCard:
    try:
        return describe(model)
    except ModelUnavailable as error:
        raise ConfigError(f"{setting}: {error.sentence}") from error


def _named(name: str, card: ModelCard) -> ModelCard:
    return replace(card, name=name)
