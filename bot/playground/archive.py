"""Keeps the conversation over a restart: what changes is written a moment later, by a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.playground.messages import Message
from bot.playground.parts import Parts
from bot.playground.records import (
    attachment_record,
    message_record,
    read_attachment,
    read_message,
    read_thread,
    thread_record,
)
from bot.playground.shelf import Changes, Shelf, StoredMessage, forget

log = logging.getLogger(__name__)

FILE = "discord.sqlite3"
WRITE_AFTER = 0.5  # seconds in which changes are gathered, so that few previews are written on their way


class Archive:
    """Watches a world and keeps it on a shelf. What one person alone saw is not kept, as on Discord."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts = parts
        self._world = parts.world
        self._path = folder / FILE
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="archive")
        self._shelf: Shelf | None = None
        self._changed: dict[int, Message | None] = {}
        self._written: set[int] = set()  # files that are on the shelf
        self._commands_changed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    async def open(self, *, fresh: bool) -> None:
        """Puts back what was kept, unless `fresh`, and watches from now on. Raises `ConfigError`."""
        await self._in_thread(self._load, fresh)
        self._parts.composer.watch(self._note)
        self._world.commands.watch(self._note_commands)

    async def close(self) -> None:
        """Writes what is left."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._shelf is not None:
            if self._writing is not None:
                await self._writing
            await self._write()
            await self._in_thread(self._shelf.close)
        self._thread.shutdown()

    def _load(self, fresh: bool) -> None:
        if fresh:
            forget(self._path)
        self._shelf = shelf = Shelf(self._path)
        world = self._world
        world.commands.restore(shelf.fact("commands"))
        for record in shelf.fact("threads"):
            thread = read_thread(record)
            world.channels[thread.id] = thread
        for record, content in shelf.attachments():
            attachment = read_attachment(record, content)
            world.attachments.put(attachment)
            self._written.add(attachment.id)
        for record in shelf.messages():
            message = read_message(record)
            if message.channel_id in world.channels:
                self._parts.composer.restore(message)
        newest = [*(message.id for message in world.messages.everything()), *self._written, *world.channels]
        world.snowflakes.skip_past(max(newest, default=0))
        for command in world.commands.everything():
            world.snowflakes.skip_past(int(command["version"]))

    def _note(self, message: Message, exists: bool) -> None:
        if not message.is_ephemeral:
            self._changed[message.id] = message if exists else None
            self._write_soon()

    def _note_commands(self) -> None:
        self._commands_changed = True
        self._write_soon()

    def _write_soon(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(WRITE_AFTER, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._writing is not None and not self._writing.done():
            self._write_soon()
        else:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        assert self._shelf is not None
        changes = self._gather()
        try:
            await self._in_thread(self._shelf.write, changes)
        except sqlite3.Error as error:
            log.warning("The conversation could not be kept for the next start: %s", error)

    def _gather(self) -> Changes:
        """Everything that changed, as it is now: nothing of it is shared with the writing thread."""
        changes, changed = Changes(), self._changed
        self._changed = {}
        for message_id, message in changed.items():
            if message is None:
                changes.gone.append(message_id)
                continue
            ids = message.contents.attachments
            files = [each for each in self._world.attachments.of(ids) if each.id not in self._written]
            self._written.update(each.id for each in files)
            new = [(each.id, attachment_record(each), each.content) for each in files]
            changes.messages.append(StoredMessage(message_id, message_record(message), list(ids), new))
        changes.emptied = self._world.attachments.take_emptied()
        threads = [channel for channel in self._world.channels.values() if channel.is_thread]
        changes.facts["threads"] = [thread_record(thread) for thread in threads]
        if self._commands_changed:
            self._commands_changed = False
            changes.facts["commands"] = self._world.commands.everything()
        return changes

    async def _in_thread(self, work: Callable[..., object], *given: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
