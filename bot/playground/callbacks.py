"""The application's answers to interactions: the callback, the original response, follow-ups."""

from __future__ import annotations

from typing import Any

from bot.playground import ids
from bot.playground.asking import Asking
from bot.playground.bodies import Upload
from bot.playground.composer import Composer
from bot.playground.documents import ApiError, Json, Problems, unknown
from bot.playground.herald import Herald
from bot.playground.interaction import TOKEN_LIFETIME, Asked, Interaction, Ledger, Stage
from bot.playground.messages import Message, MessageFlag, MessageKind
from bot.playground.render import Renderer
from bot.playground.rules.answers import find_declared
from bot.playground.rules.form import Form
from bot.playground.rules.message import Draft, read_draft
from bot.playground.rules.modal import read_modal
from bot.playground.rules.option import read_choices
from bot.playground.world import World

MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
_EPHEMERAL = int(MessageFlag.EPHEMERAL)


class Callbacks:
    """Does what the application answers, within its deadlines and once only."""

    def __init__(
        self, world: World, ledger: Ledger, asking: Asking, composer: Composer, herald: Herald, renderer: Renderer
    ) -> None:
        self._world = world
        self._ledger = ledger
        self._asking = asking
        self._composer = composer
        self._herald = herald
        self._renderer = renderer

    def awaiting(self, interaction_id: int | None, token: str) -> Interaction:
        """The interaction that waits for its callback. Raises `ApiError` 10062 or 40060."""
        interaction = self._ledger.find(token)
        if interaction is None or interaction.id != interaction_id:
            raise unknown("interaction", 10062)
        if interaction.stage is Stage.ANSWERED:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if interaction.stage is Stage.FAILED or not self._ledger.is_fresh(interaction):
            raise unknown("interaction", 10062)
        return interaction

    def answer(self, interaction: Interaction, payload: Any, uploads: list[Upload]) -> Json:
        """The callback. Returns what `with_response` asks for. Raises `ApiError`."""
        problems = Problems()
        form = Form(payload, problems)
        kind = form.choice("type", _allowed(interaction))
        problems.raise_if_any()
        data = form.document.get("data")
        match kind:
            case 4:
                message = self._respond(interaction, data, uploads)
            case 5:
                message = self._defer(interaction, data)
            case 7:
                message = self._update(interaction, data, uploads)
            case 6:
                message = self._source(interaction)
                interaction.response_id = message.id
            case 8:
                self._choose(interaction, data)
                return self._acknowledged(interaction, None, None)
            case _:
                problems = Problems()
                modal = read_modal(Form(data, problems, ("data",)))
                problems.raise_if_any()
                self._settle(interaction)
                self._asking.open_modal(interaction, modal)
                return self._acknowledged(interaction, None, None)
        self._settle(interaction)
        return self._acknowledged(interaction, message, kind)

    def opened(self, application_id: int | None, token: str) -> Interaction:
        """The interaction behind a webhook token. Raises `ApiError` 10015 or 50027."""
        if application_id != ids.APPLICATION_ID:
            raise unknown("Webhook", 10015)
        interaction = self._ledger.find(token)
        if interaction is None or not self._ledger.is_fresh(interaction):
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if interaction.stage is not Stage.ANSWERED or interaction.kind is Asked.AUTOCOMPLETE:
            raise unknown("Webhook", 10015)
        return interaction

    def message(self, interaction: Interaction, name: str) -> Message:
        """A message this token opens, by id or as @original. Raises `ApiError` 10008."""
        key = interaction.response_id if name == "@original" else int(name) if name.isdecimal() else None
        allowed = {interaction.response_id, interaction.source_id, *interaction.message_ids}
        message = self._world.messages.get(key or 0) if key in allowed else None
        if message is None:
            raise unknown("Message", 10008)
        return message

    def follow_up(self, interaction: Interaction, payload: Any, uploads: list[Upload]) -> Message:
        """Another message; the first after a deferred one finishes that instead. Raises `ApiError`."""
        original = self._world.messages.get(interaction.response_id or 0)
        if original is not None and original.is_loading and original.author_id == ids.BOT_ID:
            return self.edit(original, payload, uploads)
        draft = read_draft(payload, uploads, also_flags=_EPHEMERAL)
        reference = (interaction.channel.id, original.id) if original is not None else None
        message = self._post(interaction, draft, MessageKind.REPLY, reference)
        interaction.message_ids.add(message.id)
        return message

    def edit(self, message: Message, payload: Any, uploads: list[Upload]) -> Message:
        """Changes one of the application's messages. Raises `ApiError`."""
        kept = self._world.attachments.of(message.contents.attachments)
        return self._composer.edit(message, read_draft(payload, uploads, before=message.contents, kept=kept))

    def expire(self, interaction_id: int | None) -> int:
        """Makes one interaction's token, or all of them, too old; returns how many there were."""
        found = [
            each
            for each in self._ledger.everything()
            if interaction_id in (None, each.id) and self._ledger.is_fresh(each)
        ]
        for interaction in found:
            interaction.is_expired = True
            self._grow_old(interaction)
        return len(found)

    def _respond(self, interaction: Interaction, data: Any, uploads: list[Upload]) -> Message:
        draft = read_draft(data, uploads, also_flags=_EPHEMERAL)
        message = self._post(interaction, draft, *self._as_response(interaction))
        interaction.response_id = message.id
        return message

    def _defer(self, interaction: Interaction, data: Any) -> Message:
        problems = Problems()
        form = Form({} if data is None else data, problems)
        flags = form.number("flags", 0, 2**31 - 1) or 0
        problems.raise_if_any()
        draft = Draft(frozenset(), flags=flags & _EPHEMERAL | MessageFlag.LOADING)
        message = self._post(interaction, draft, *self._as_response(interaction))
        interaction.response_id = message.id
        left = TOKEN_LIFETIME - (self._world.clock.monotonic() - interaction.created)
        self._world.clock.call_later(left, self._grow_old, interaction)
        return message

    def _update(self, interaction: Interaction, data: Any, uploads: list[Upload]) -> Message:
        message = self.edit(self._source(interaction), data, uploads)
        interaction.response_id = message.id
        return message

    def _source(self, interaction: Interaction) -> Message:
        message = self._world.messages.get(interaction.source_id or 0)
        if message is None:
            raise unknown("Message", 10008)
        return message

    def _choose(self, interaction: Interaction, data: Any) -> None:
        command = self._world.commands.find(int(interaction.data["id"]))
        options = interaction.data["options"]
        declared = find_declared(command.get("options", []), options) if command else None
        problems = Problems()
        choices = read_choices(Form(data, problems, ("data",)), declared["type"] if declared else 3)
        problems.raise_if_any()
        self._settle(interaction)
        if interaction.choices is not None and not interaction.choices.done():
            interaction.choices.set_result(choices)

    def _post(
        self, interaction: Interaction, draft: Draft, kind: MessageKind, reference: tuple[int, int] | None
    ) -> Message:
        is_first = kind in (MessageKind.CHAT_INPUT_COMMAND, MessageKind.CONTEXT_MENU_COMMAND)
        metadata = interaction.metadata()
        if interaction.response_id is not None:
            metadata["original_response_message_id"] = str(interaction.response_id)
        return self._composer.post(
            draft,
            interaction.channel,
            ids.BOT_ID,
            kind=kind,
            audience=interaction.person.id if draft.flags & _EPHEMERAL else None,
            interaction=metadata,
            command_name=interaction.command_name if is_first else None,
            reference=reference,
            is_webhook=True,
        )

    def _as_response(self, interaction: Interaction) -> tuple[MessageKind, tuple[int, int] | None]:
        if interaction.kind is Asked.COMMAND:
            is_slash = interaction.data["type"] == 1
            return MessageKind.CHAT_INPUT_COMMAND if is_slash else MessageKind.CONTEXT_MENU_COMMAND, None
        source = self._world.messages.get(interaction.source_id or 0)
        if source is None:
            return MessageKind.DEFAULT, None
        return MessageKind.REPLY, (source.channel_id, source.id)

    def _settle(self, interaction: Interaction) -> None:
        interaction.stage = Stage.ANSWERED
        if interaction.deadline is not None:
            interaction.deadline.cancel()
        if interaction.kind is not Asked.AUTOCOMPLETE:
            about: Json = {"id": str(interaction.id), "nonce": interaction.nonce}
            self._herald.to_person(interaction.person.id, "INTERACTION_SUCCESS", about)

    def _grow_old(self, interaction: Interaction) -> None:
        """Nothing will finish a message that is still loading now."""
        message = self._world.messages.get(interaction.response_id or 0)
        if message is not None and message.is_loading and not message.gave_up:
            message.gave_up = True
            self._composer.touch(message)

    def _acknowledged(self, interaction: Interaction, message: Message | None, kind: int | None) -> Json:
        about: Json = {"id": str(interaction.id), "type": int(interaction.kind)}
        about["channel_id"] = str(interaction.channel.id)
        if interaction.channel.guild_id is not None:
            about["guild_id"] = str(interaction.channel.guild_id)
        document: Json = {"interaction": about}
        if message is not None:
            about["response_message_id"] = str(message.id)
            about["response_message_loading"] = message.is_loading
            about["response_message_ephemeral"] = message.is_ephemeral
            if kind in (MESSAGE, UPDATE):
                document["resource"] = {"type": kind, "message": self._renderer.message(message)}
        return document


def _allowed(interaction: Interaction) -> tuple[int, ...]:
    """Callback types that fit what was asked."""
    match interaction.kind:
        case Asked.COMMAND:
            return MESSAGE, DEFERRED_MESSAGE, MODAL
        case Asked.COMPONENT:
            return MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL
        case Asked.AUTOCOMPLETE:
            return (CHOICES,)
    updates = (DEFERRED_UPDATE, UPDATE) if interaction.source_id is not None else ()
    return MESSAGE, DEFERRED_MESSAGE, *updates
