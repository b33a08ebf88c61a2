"""A studio over a real SQLite file with a painter of fixed speed, opened as one context."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.config import Config
from bot.desk import Desk
from bot.order import Commission
from bot.policybook import PolicyBook
from bot.review.review import unless_banned
from bot.rulebook import RuleBook
from bot.store.database import Database
from bot.studio import Studio
from tests.painter import CARD, Painter


@dataclass
class House:
    """What a test needs at hand."""

    studio: Studio
    desk: Desk
    painter: Painter
    settled: list[Commission]


@asynccontextmanager
async def open_house(
    folder: Path, painter: Painter | None = None, *, alone: bool = True, **settings: Any
) -> AsyncIterator[House]:
    """The front desk as the app wires it, painting from the start; nothing is shown to anybody."""
    painter = painter or Painter()
    config = Config(data_dir=folder, **settings)
    async with Database(config.database, folder) as database:
        desk = Desk.over(database, folder)
        rules = RuleBook(desk, config.filter)
        await rules.open()
        policies = PolicyBook(desk.policies)
        await policies.open()
        await desk.strikes.open()
        studio = Studio(
            config,
            desk=desk,
            rules=rules,
            policies=policies,
            workers=(painter,),
            card=CARD,
            alone=alone,
            conditions=(unless_banned(desk.strikes),),
        )
        settled: list[Commission] = []

        async def remember(commission: Commission) -> None:
            settled.append(commission)

        studio.listeners.settled.append(remember)
        await studio.start()
        try:
            yield House(studio, desk, painter, settled)
        finally:
            painter.hold.set()
            await studio.close(grace=1.0)
            await rules.close()
