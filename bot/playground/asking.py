"""People asking the application something: commands, components, autocompletion and modals, checked and sent."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.playground import ids
from bot.playground.attachments import MAX_FILE
from bot.playground.cdn import Cdn
from bot.playground.documents import ApiError, Json, snowflake
from bot.playground.herald import Herald
from bot.playground.interaction import ACKNOWLEDGE_WITHIN, Asked, Interaction, Ledger, Modal, Stage, owners
from bot.playground.messages import Message
from bot.playground.permissions import Permission
from bot.playground.places import Channel
from bot.playground.render import Renderer
from bot.playground.resolving import Resolver, UnresolvableError
from bot.playground.rules.answers import (
    WrongAnswerError,
    check_form,
    check_options,
    check_selected,
    find_declared,
    focused_option,
)
from bot.playground.rules.command import CHAT_INPUT, MESSAGE, USER
from bot.playground.rules.controls import SELECTS, Kind, walk
from bot.playground.uploads import Uploads
from bot.playground.world import World

MOST_MODALS = 20  # open on one person's screens


def refuse(sentence: str, *, status: int = 400, code: int = 0) -> ApiError:
    """What a person's own client says instead of sending anything."""
    return ApiError(status, code, sentence)


class Asking:
    """Makes interactions of what people do, and follows each until the application has answered or has not."""

    def __init__(
        self, world: World, ledger: Ledger, herald: Herald, renderer: Renderer, uploads: Uploads, cdn: Cdn
    ) -> None:
        self._world = world
        self._ledger = ledger
        self._herald = herald
        self._renderer = renderer
        self._uploads = uploads
        self._cdn = cdn
        self._modals: dict[int, list[Modal]] = {}

    def usable(self, person_id: int, channel: Channel | None = None) -> list[Json]:
        """Commands the person may use: anywhere in the guild, or in one channel."""
        return [command for command in self._world.commands.everything() if self._may_use(person_id, command, channel)]

    def modals(self, person_id: int) -> list[Modal]:
        """What is open on the person's screens, oldest first."""
        return list(self._modals.get(person_id, ()))

    def open_modal(self, interaction: Interaction, form: Json) -> Modal:
        """Puts a form on the screen of who asked."""
        modal = Modal(self._world.snowflakes.next(), interaction, form)
        opened = self._modals.setdefault(interaction.person.id, [])
        opened.append(modal)
        del opened[:-MOST_MODALS]
        self._herald.to_person(interaction.person.id, "MODAL_OPEN", modal.as_json())
        return modal

    def close_modal(self, modal: Modal) -> None:
        """It was filled in and taken."""
        opened = self._modals.get(modal.opened_by.person.id, [])
        opened[:] = [each for each in opened if each.id != modal.id]

    async def ask(self, person_id: int, wish: Json) -> Json:
        """What the page posts to /client/interactions, answered the same. Raises `ApiError`."""
        channel = self._world.visible_channel(snowflake(wish.get("channel_id")), person_id)
        data = wish.get("data")
        if not isinstance(data, dict):
            raise refuse("An interaction needs data.")
        nonce = str(wish.get("nonce") or "")
        try:
            match wish.get("type"):
                case 2:
                    interaction = self._command(person_id, channel, data, nonce)
                case 3:
                    interaction = self._component(person_id, channel, wish, nonce)
                case 4:
                    return await self._complete(person_id, channel, data, nonce)
                case 5:
                    interaction = self._submit(person_id, wish, nonce)
                case _:
                    raise refuse("There is no such kind of interaction.")
        except (WrongAnswerError, UnresolvableError) as error:
            raise refuse(str(error)) from error
        return {"id": str(interaction.id)}

    def _command(self, person_id: int, channel: Channel, data: Json, nonce: str) -> Interaction:
        command = self._wanted(person_id, channel, data)
        resolver = self._resolver(person_id, channel)
        sent: Json = {"id": command["id"], "name": command["name"], "type": command["type"]}
        target: Json = {}
        if command["type"] == CHAT_INPUT:
            sent["options"] = check_options(command.get("options", []), data.get("options") or [], resolver)
        else:
            target = self._target(person_id, channel, command, data, resolver)
            sent["target_id"] = str(data["target_id"])
        if resolver.as_json():
            sent["resolved"] = resolver.as_json()
        if "guild_id" in command:
            sent["guild_id"] = command["guild_id"]
        return self._send(Asked.COMMAND, person_id, channel, nonce, sent, command_name=command["name"], target=target)

    def _target(self, person_id: int, channel: Channel, command: Json, data: Json, resolver: Resolver) -> Json:
        target_id = snowflake(data.get("target_id"))
        if command["type"] == USER:
            resolver.add("user", target_id)
            return {"target_user": self._world.user(target_id or 0).as_json()}
        assert command["type"] == MESSAGE, command["type"]
        message = self._message(person_id, target_id)
        if message.is_ephemeral or message.channel_id != channel.id:
            raise refuse("Commands cannot be used on this message.")
        resolver.put("messages", message.id, self._renderer.message(message))
        return {"target_message_id": str(message.id)}

    async def _complete(self, person_id: int, channel: Channel, data: Json, nonce: str) -> Json:
        command = self._wanted(person_id, channel, data)
        resolver = self._resolver(person_id, channel)
        declared = command.get("options", [])
        options = check_options(declared, data.get("options") or [], resolver, typing=True)
        option = find_declared(declared, options) if focused_option(options) else None
        if option is None or not option.get("autocomplete"):
            raise refuse("This option has no autocompletion.")
        sent: Json = {"id": command["id"], "name": command["name"], "type": command["type"], "options": options}
        if resolver.as_json():
            sent["resolved"] = resolver.as_json()
        if "guild_id" in command:
            sent["guild_id"] = command["guild_id"]
        interaction = self._send(Asked.AUTOCOMPLETE, person_id, channel, nonce, sent, command_name=command["name"])
        assert interaction.choices is not None
        return {"choices": await interaction.choices}

    def _component(self, person_id: int, channel: Channel, wish: Json, nonce: str) -> Interaction:
        message = self._message(person_id, snowflake(wish.get("message_id")))
        custom_id = wish["data"].get("custom_id")
        component = next(
            (each for each in walk(message.contents.components) if each.get("custom_id") == custom_id), None
        )
        if custom_id is None or component is None or message.channel_id != channel.id:
            raise refuse("This is no longer on the message.", status=404)
        if component.get("disabled"):
            raise refuse("This is disabled.")
        resolver = self._resolver(person_id, channel)
        kind = Kind(component["type"])
        sent: Json = {"custom_id": custom_id, "component_type": int(kind), "id": component["id"]}
        if kind in SELECTS:
            sent["values"] = check_selected(component, wish["data"].get("values"), resolver)
            if resolver.as_json():
                sent["resolved"] = resolver.as_json()
        return self._send(Asked.COMPONENT, person_id, channel, nonce, sent, source_id=message.id)

    def _submit(self, person_id: int, wish: Json, nonce: str) -> Interaction:
        modal_id = snowflake(wish.get("modal_id"))
        modal = next((each for each in self.modals(person_id) if each.id == modal_id), None)
        if modal is None:
            raise refuse("This form is no longer open.", status=404)
        cause = modal.opened_by
        resolver = self._resolver(person_id, cause.channel)
        components = check_form(modal.form, wish["data"].get("components"), resolver)
        sent: Json = {"custom_id": modal.form["custom_id"], "components": components}
        if resolver.as_json():
            sent["resolved"] = resolver.as_json()
        self.close_modal(modal)
        about: Json = {"cause": cause, "source_id": cause.source_id}
        return self._send(Asked.MODAL, person_id, cause.channel, nonce, sent, **about)

    def _send(self, kind: Asked, person_id: int, channel: Channel, nonce: str, data: Json, **about: Any) -> Interaction:
        interaction = self._ledger.open(
            self._world.snowflakes.next(),
            kind=kind,
            person=self._world.user(person_id),
            channel=channel,
            nonce=nonce,
            data=data,
            **about,
        )
        if kind is Asked.AUTOCOMPLETE:
            interaction.choices = asyncio.get_running_loop().create_future()
        interaction.deadline = self._world.clock.call_later(ACKNOWLEDGE_WITHIN, self._give_up, interaction)
        if kind is not Asked.AUTOCOMPLETE:
            about_it = {"id": str(interaction.id), "nonce": nonce}
            self._herald.to_person(person_id, "INTERACTION_CREATE", about_it)
        self._herald.interaction(self._payload(interaction), channel.guild_id)
        return interaction

    def _give_up(self, interaction: Interaction) -> None:
        """Three seconds have passed."""
        if interaction.stage is not Stage.WAITING:
            return
        interaction.stage = Stage.FAILED
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_exception(ApiError(504, 0, "Loading options failed."))
            return
        about: Json = {"id": str(interaction.id), "nonce": interaction.nonce, "reason": "timeout"}
        self._herald.to_person(interaction.person.id, "INTERACTION_FAILURE", about)

    def _payload(self, interaction: Interaction) -> Json:
        """The INTERACTION_CREATE event, complete."""
        channel, person = interaction.channel, interaction.person
        granted = str(self._world.permissions_in(person.id, channel))
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(ids.APPLICATION_ID),
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": {**self._world.channel_json(channel, ids.BOT_ID), "permissions": granted},
            "locale": "en-US",
            "app_permissions": str(self._world.permissions_in(ids.BOT_ID, channel)),
            "authorizing_integration_owners": owners(channel),
            "context": 1 if channel.is_direct else 0,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": MAX_FILE,
        }
        if channel.guild_id is None:
            payload["user"] = person.as_json()
        else:
            member = self._world.member(person.id).as_json()
            payload |= {"guild_id": str(channel.guild_id), "guild_locale": "en-US"}
            payload["guild"] = {"id": str(channel.guild_id), "locale": "en-US", "features": []}
            payload["member"] = {**member, "permissions": granted}
        source = self._world.messages.get(interaction.source_id or 0)
        if source is not None:
            payload["message"] = self._renderer.message(source)
        return payload

    def _resolver(self, person_id: int, channel: Channel) -> Resolver:
        return Resolver(self._world, self._uploads, self._cdn, person_id, channel)

    def _wanted(self, person_id: int, channel: Channel, data: Json) -> Json:
        command = self._world.commands.find(snowflake(data.get("id")) or 0)
        if command is None:
            raise refuse(
                "There is no such command any more; it may have been changed just now.", status=404, code=10063
            )
        reason = _unfit(command, channel)
        if reason is not None:
            raise refuse(reason, status=403)
        if not self._may_use(person_id, command, channel):
            raise refuse("You do not have permission to use this command here.", status=403, code=50013)
        return command

    def _may_use(self, person_id: int, command: Json, channel: Channel | None) -> bool:
        """In one channel, or as a member of the guild; permissions say nothing about direct messages."""
        if channel is not None and _unfit(command, channel) is not None:
            return False
        if channel is not None and channel.is_direct:
            return True
        world = self._world
        granted = world.guild_permissions(person_id) if channel is None else world.permissions_in(person_id, channel)
        if granted & Permission.ADMINISTRATOR:
            return True
        needed = command["default_member_permissions"]
        if not granted & Permission.USE_APPLICATION_COMMANDS or needed == "0":
            return False
        return needed is None or granted & int(needed) == int(needed)

    def _message(self, person_id: int, message_id: int | None) -> Message:
        message = self._world.messages.get(message_id or 0)
        if message is None or message.audience not in (None, person_id):
            raise refuse("This message is gone.", status=404, code=10008)
        self._world.visible_channel(message.channel_id, person_id)
        return message


def _unfit(command: Json, channel: Channel) -> str | None:
    """Why a command cannot be used in such a channel by anybody."""
    if channel.is_direct:
        contexts = command.get("contexts")
        direct_too = command.get("dm_permission", True) if contexts is None else 1 in contexts
        if "guild_id" in command or not direct_too:
            return "This command cannot be used in direct messages."
        return None
    if command.get("contexts") is not None and 0 not in command["contexts"]:
        return "This command can only be used in direct messages."
    if command.get("nsfw") and not channel.nsfw:
        return "This command can only be used in age-restricted channels."
    return None
