"""Tells Discord which commands there are, but only when that has changed: creations are limited to 200 a day."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import discord
from discord import app_commands

from bot.store.small import Notes
from bot.wire import Unavailable

log = logging.getLogger(__name__)

NOTE = "synced_commands"


async def sync_commands(client: discord.Client, tree: app_commands.CommandTree[Any], notes: Notes) -> bool:
    """Sync when our commands, or those that Discord holds, are not the ones of the last time; says whether it did."""
    assert client.application_id is not None, "commands are synced after the login"
    payload = [command.to_dict(tree) for command in tree.get_commands()]
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    held = await _held(client, client.application_id)
    if await notes.get(NOTE) == _noted(digest, held):
        log.info("Commands are unchanged")
        return False
    synced = await tree.sync()
    await notes.set(NOTE, _noted(digest, await _held(client, client.application_id)))
    log.info("%d commands synced", len(synced))
    return True


async def _held(client: discord.Client, application_id: int) -> dict[str, str]:
    commands = await client.http.get_global_commands(application_id)
    if not isinstance(commands, list):  # a page of something on the way, and no answer of Discord's
        raise Unavailable
    return {str(command["id"]): str(command["version"]) for command in commands}


def _noted(digest: str, held: dict[str, str]) -> str:
    return json.dumps({"hash": digest, "held": held}, sort_keys=True)
