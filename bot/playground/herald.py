"""Tells everybody who may know what has happened: bots over the gateway, people on their pages."""

from __future__ import annotations

from typing import Protocol

from bot.playground import ids
from bot.playground.documents import Json
from bot.playground.messages import Message
from bot.playground.permissions import Permission
from bot.playground.places import Channel
from bot.playground.render import Renderer, emoji_json
from bot.playground.screens import Screens
from bot.playground.world import World


class Dispatcher(Protocol):
    """The part of the gateway that sends events."""

    def dispatch(self, event: str, data: Json, *, guild_id: int | None, user_ids: set[int] | None = None) -> None:
        """Sends an event to every client that may see it."""


class Herald:
    """Sends each event to those who see the channel; of ephemeral messages only their person hears."""

    def __init__(self, world: World, renderer: Renderer, gateway: Dispatcher, screens: Screens) -> None:
        self._world = world
        self._renderer = renderer
        self._gateway = gateway
        self._screens = screens

    def created(self, message: Message) -> None:
        """A message was posted."""
        self._tell(message, "MESSAGE_CREATE")

    def updated(self, message: Message) -> None:
        """A message was changed."""
        self._tell(message, "MESSAGE_UPDATE")

    def deleted(self, message: Message) -> None:
        """A message is gone."""
        channel = self._world.channel(message.channel_id)
        data: Json = {"id": str(message.id), "channel_id": str(message.channel_id)}
        self._screens.show(self._readers(message, channel), "MESSAGE_DELETE", data)
        if not message.is_ephemeral:
            self.to_bot("MESSAGE_DELETE", data, channel)

    def dismissed(self, message: Message, person_id: int) -> None:
        """One person does not want to see a message any more."""
        data = {"id": str(message.id), "channel_id": str(message.channel_id)}
        self._screens.show([person_id], "MESSAGE_DELETE", data)

    def reacted(self, message: Message, user_id: int, emoji: str, *, added: bool) -> None:
        """Somebody put a reaction under a message, or took it away."""
        channel = self._world.channel(message.channel_id)
        data: Json = {
            "user_id": str(user_id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "emoji": emoji_json(emoji),
            "burst": False,
            "type": 0,
        }
        name = "MESSAGE_REACTION_ADD" if added else "MESSAGE_REACTION_REMOVE"
        self._screens.show(self._world.viewers(channel), name.removeprefix("MESSAGE_"), data)
        more: Json = {}
        if added:
            more["message_author_id"] = str(message.author_id)
            if channel.guild_id is not None:
                more["member"] = self._world.member(user_id).as_json()
        self.to_bot(name, data | more, channel)
        self._show(message, channel, "MESSAGE_UPDATE")

    def cleared(self, message: Message, emoji: str | None) -> None:
        """All reactions under a message are gone, or all of one emoji."""
        channel = self._world.channel(message.channel_id)
        data: Json = {"channel_id": str(channel.id), "message_id": str(message.id)}
        if emoji is None:
            self.to_bot("MESSAGE_REACTION_REMOVE_ALL", data, channel)
        else:
            self.to_bot("MESSAGE_REACTION_REMOVE_EMOJI", {**data, "emoji": emoji_json(emoji)}, channel)
        self._show(message, channel, "MESSAGE_UPDATE")

    def thread(self, name: str, thread: Channel) -> None:
        """A thread came, changed or went."""
        data = thread.as_json()
        if name == "THREAD_CREATE":
            data["newly_created"] = True
        self.to_bot(name, data, thread)
        for person in self._world.viewers(thread):
            self._screens.show([person], "CHANNELS_UPDATE", {})

    def rearranged(self, channel: Channel) -> None:
        """A channel's settings have changed; the bot hears of channels that it may not see as well."""
        self._gateway.dispatch("CHANNEL_UPDATE", channel.as_json(), guild_id=channel.guild_id, user_ids={ids.BOT_ID})
        self._screens.show_all("CHANNELS_UPDATE", {})

    def typing(self, channel: Channel, user_id: int) -> None:
        """Somebody writes."""
        data: Json = {"channel_id": str(channel.id), "user_id": str(user_id)}
        self._screens.show(self._world.viewers(channel), "TYPING_START", data)
        more: Json = {"timestamp": int(self._world.clock.now())}
        if channel.guild_id is not None:
            more["member"] = self._world.member(user_id).as_json()
        self.to_bot("TYPING_START", data | more, channel)

    def interaction(self, payload: Json, guild_id: int | None) -> None:
        """The bot is asked something."""
        self._gateway.dispatch("INTERACTION_CREATE", payload, guild_id=guild_id, user_ids={ids.BOT_ID})

    def to_person(self, person_id: int, name: str, data: Json) -> None:
        """Tells one person's pages alone."""
        self._screens.show([person_id], name, data)

    def to_people(self, name: str, data: Json) -> None:
        """Tells every open page."""
        self._screens.show_all(name, data)

    def to_bot(self, name: str, data: Json, channel: Channel) -> None:
        """Tells the bot of something in a channel, if it may look there."""
        if not self._world.can(ids.BOT_ID, Permission.VIEW_CHANNEL, channel):
            return
        if channel.guild_id is not None:
            data = {**data, "guild_id": str(channel.guild_id)}
        self._gateway.dispatch(name, data, guild_id=channel.guild_id, user_ids={ids.BOT_ID})

    def _readers(self, message: Message, channel: Channel) -> list[int]:
        return self._world.viewers(channel) if message.audience is None else [message.audience]

    def _show(self, message: Message, channel: Channel, name: str) -> None:
        """One rendering for all, unless reactions have to say which are whose."""
        readers = self._screens.present(self._readers(message, channel))
        groups = [[reader] for reader in readers] if message.reactions else [readers]
        for group in groups:
            if group:
                self._screens.show(group, name, self._renderer.for_person(message, group[0]))

    def _tell(self, message: Message, name: str) -> None:
        channel = self._world.channel(message.channel_id)
        if not message.is_ephemeral:
            self.to_bot(name, self._renderer.event(message), channel)
        self._show(message, channel, name)
