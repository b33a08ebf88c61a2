"""Reads config.yaml again while the bot runs: what can take effect at once does, and the log says what cannot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from bot.app import App
from bot.config import Config
from generation.errors import ConfigError

log = logging.getLogger(__name__)

AT_ONCE = (
    "dream",
    "line",
    "limits",
    "budgets",
    "probing",
    "filter",
    "moderation",
    "previews",
    "privacy",
    "shutdown_grace",
)
PAINTERS = "previews."  # the painting process was told of them at its start
LONGEST = 80  # characters of a value in the log
ABSENT = "nothing"

Read = Callable[[], Config]


async def read_again(app: App, read: Read) -> None:
    """Take what `read` returns; a file in error changes nothing, and the log says why. Never raises ConfigError."""
    old = app.studio.config
    try:
        new = await asyncio.to_thread(read)
        await app.studio.rules.read_lists(new.filter)
    except ConfigError as error:
        log.error("The settings stay as they are. %s", error.sentence)
        return
    app.studio.config = old.model_copy(update={name: getattr(new, name) for name in AT_ONCE})
    app.sweeper.privacy = new.privacy
    for sentence in changes(old, new) or ["Nothing has changed in the settings."]:
        log.info("%s", sentence)
    if new.filter.rules or new.filter.artists:
        log.info("The lists of the owner's filter are read again.")
    if new.dream.styles != old.dream.styles:
        await app.client.menu_changed()


def changes(old: Config, new: Config) -> list[str]:
    """One sentence for every setting that differs; values are told only of those that take effect at once."""
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    names = [name for name in after | before if before.get(name, ABSENT) != after.get(name, ABSENT)]
    found = [_sentence(name, before.get(name, ABSENT), after.get(name, ABSENT)) for name in names]
    secrets = {"DISCORD_TOKEN": (old.token, new.token), "DISCORD_CLIENT_SECRET": (old.client_secret, new.client_secret)}
    return found + [_later(name) for name, (was, now) in secrets.items() if was != now]


def _sentence(name: str, before: object, after: object) -> str:
    if name.partition(".")[0] not in AT_ONCE:
        return _later(name)
    told = f"{name} is now {_shown(after)} (before: {_shown(before)})."
    return f"{told} The painting process follows at its next start." if name.startswith(PAINTERS) else told


def _later(name: str) -> str:
    return f"{name} has changed; that takes effect when the bot is started again."


def _shown(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _flat(section: Mapping[str, Any], above: str = "") -> dict[str, object]:
    """A section's values by their dotted names."""
    found: dict[str, object] = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value
    return found
