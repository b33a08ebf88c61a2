"""What pressing a button or sending a form does; who may do it is checked at that moment, from the store."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import discord

from bot.answer import PRIVATE, Interaction, answer, tell
from bot.card import recipe_json, recipe_text, single_rows, single_text
from bot.consent import Consent
from bot.courier import Courier, Parcel, WayClosed, custom_ids, translated
from bot.desk import Desk
from bot.forms import edit_form, edited, report_form, values_of
from bot.order import Action, Commission, Order, place_of
from bot.outcome import enclosure
from bot.packing import Packing
from bot.press import Deed, Press
from bot.privacy.erasure import Erasure
from bot.privacy.words import deleted_text, forget_press
from bot.review.review import Review
from bot.review.showing import covered
from bot.store.pictures import StoredPicture
from bot.studio import Studio
from bot.thinking import think
from bot.visitor import address_of, member_of
from generation.errors import BadRequest, NotAllowed
from generation.job import JobState
from generation.request import Request

log = logging.getLogger(__name__)

UNKNOWN = "This picture is no longer known here."
IN_LINE = "That is already in the line."
CHANGED = "This picture was changed or removed just now, so I took it back. Press again to see what is left of it."
BUSY = "There is too much to do right now; please press again in a moment."
ERASED = (
    "The words and settings of this picture were deleted for their age, so nothing can be made from it any more. "
    "Please type /dream with your words; /privacy show says how long what is kept."
)
TOO_LARGE = "This picture's file is larger than Discord takes here."
WORDLESS = (Deed.DELETE, Deed.REPORT)  # need nothing of a picture's recipe
LOOK_UP = 2.0  # seconds; a form must be shown within three

Deeds = dict[Deed, Callable[[Interaction, Press], Awaitable[None]]]


async def _think(interaction: Interaction, *, alone: bool = False) -> int:
    """Answer as `think` does, seen by those who see the pressed message, or by who presses."""
    message = interaction.message
    return await think(interaction, private=alone or (message is not None and message.flags.ephemeral))


def custom_id_of(interaction: Interaction) -> str:
    """What the pressed button or the sent form is called; empty for anything else."""
    return str(cast(Mapping[str, Any], interaction.data or {}).get("custom_id", ""))


class Presses:
    """Answers every button of every card, old or new."""

    def __init__(
        self, studio: Studio, desk: Desk, courier: Courier, erasure: Erasure, review: Review, packing: Packing
    ) -> None:
        self._packing = packing
        self._studio = studio
        self._desk = desk
        self._courier = courier
        self._erasure = erasure
        self._review = review
        self._showing: set[tuple[str, int]] = set()
        self._deeds: Deeds = {
            Deed.SINGLE: self._single,
            Deed.ALONE: self._single,
            Deed.VARY: self._vary,
            Deed.AGAIN: self._again,
            Deed.EDIT: self._open_edit,
            Deed.RECIPE: self._recipe,
            Deed.DELETE: self._delete,
            Deed.REPORT: self._open_report,
            Deed.CANCEL: self._cancel,
            Deed.AGREE: Consent(studio, desk).agree,
            Deed.FORGET: self._forget,
            Deed.VANISH: self._forget,
        }

    async def pressed(self, interaction: Interaction, press: Press | None) -> None:
        """Answer a pressed button."""
        try:
            if press is None:
                log.info("interaction %d: a button that nobody here has written", interaction.id)
                raise BadRequest(UNKNOWN)
            await self._deeds[press.deed](interaction, press)
        except Exception as error:  # a fault in one answer must not end the connection that all members share
            await answer(interaction, error)

    async def submitted(self, interaction: Interaction) -> None:
        """Answer a form that was sent."""
        try:
            press = Press.read(custom_id_of(interaction))
            values = values_of(cast(Mapping[str, Any], interaction.data or {}))
            if press is not None and press.deed is Deed.EDIT:
                await self._run_edited(interaction, press, values)
            elif press is not None and press.deed is Deed.REPORT:
                await self._report(interaction, press, values)
            else:
                raise BadRequest(UNKNOWN)
        except Exception as error:  # as above
            await answer(interaction, error)

    # -- new orders --------------------------------------------------------------------------------------------------

    async def _vary(self, interaction: Interaction, press: Press) -> None:
        ticket_id = await _think(interaction)
        commission = await self._commission(interaction, press)
        index = press.index or 0
        await self._shown(commission, index)
        request = self._studio.composer.vary(commission.request, index)
        await self._submit(interaction, commission, request, Action.VARIATION, index, ticket_id)

    async def _again(self, interaction: Interaction, press: Press) -> None:
        ticket_id = await _think(interaction)
        commission = await self._commission(interaction, press)
        request = self._studio.composer.again(commission.request)
        await self._submit(interaction, commission, request, Action.AGAIN, None, ticket_id)

    async def _open_edit(self, interaction: Interaction, press: Press) -> None:
        try:
            async with asyncio.timeout(LOOK_UP):  # the form cannot be shown before its contents are known
                commission = await self._commission(interaction, press)
        except TimeoutError as error:
            raise BadRequest(BUSY) from error
        await interaction.response.send_modal(edit_form(press, commission.request, self._studio.config.dream.max_steps))

    async def _run_edited(self, interaction: Interaction, press: Press, values: dict[str, str]) -> None:
        ticket_id = await _think(interaction)
        commission = await self._commission(interaction, press)
        request = edited(self._studio, commission, values)
        await self._submit(interaction, commission, request, Action.EDIT, None, ticket_id)

    async def _submit(
        self,
        interaction: Interaction,
        commission: Commission,
        request: Request,
        action: Action,
        index: int | None,
        ticket_id: int,
    ) -> None:
        now, private = self._studio.clock(), commission.address.private
        order = Order(
            request=request,
            member=member_of(interaction),
            address=address_of(interaction, now, private=private, ticket_id=ticket_id),
            action=action,
            parent=commission.id,
            parent_index=index,
        )
        admission = await self._studio.submit(order)
        if admission.repeated:
            await tell(interaction, IN_LINE)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def _single(self, interaction: Interaction, press: Press) -> None:
        key = (press.job_id, press.index or 0)
        if key in self._showing:
            await interaction.response.defer()
            commission = await self._commission(interaction, press)
            if key not in self._showing:  # it has come through meanwhile
                await self._is_here(interaction, commission, key[1])
            return
        self._showing.add(key)
        try:
            answer_id = await _think(interaction, alone=press.deed is Deed.ALONE)
            await self._show_single(interaction, await self._commission(interaction, press), key[1], answer_id)
        finally:
            self._showing.discard(key)

    async def _show_single(self, interaction: Interaction, commission: Commission, index: int, answer_id: int) -> None:
        kind, private = f"single{index}", commission.address.private
        if await self._is_here(interaction, commission, index):
            return
        address = address_of(interaction, self._studio.clock(), private=private)
        place = place_of(address, member_of(interaction).role_ids)
        stored = next((item for item in await self._desk.pictures.of(commission.id) if item.index == index), None)
        approved = await self._desk.pictures.load(commission.id, index)
        if stored is None or stored.sha256 is None:
            raise BadRequest(UNKNOWN)
        if approved is None:
            await self._repaint(interaction, commission, index, answer_id)
            return
        policy = self._studio.policies.of(place)
        if approved.level > policy.clearance(place):
            raise NotAllowed("This server does not show that picture in this channel.")
        limit = self._courier.size_limit(interaction.guild_id)
        approved = await self._packing.fitting(commission, approved, limit)
        if approved is None:
            raise BadRequest(TOO_LARGE)
        parcel = Parcel(
            text=single_text(commission, stored),
            enclosures=(enclosure(commission, policy, stored, approved),),
            rows=single_rows(commission, index),
        )
        behind_click = await self._review.covered(commission.id)
        if behind_click:
            parcel = covered(parcel)
        await self._desk.outbox.intend(commission.id, kind)
        sent = await self._courier.rewrite(address, answer_id, parcel)
        kept = await self._desk.outbox.sent(commission.id, kind, sent.channel_id, sent.message_id)
        self._showing.discard((commission.id, index))  # whoever presses again is told where it is
        # From here on whoever hides or removes the picture finds this message; what they did before is looked at now.
        try:
            if not kept or not await self._unchanged(commission.id, stored, covered=behind_click):
                raise BadRequest(CHANGED)
        except BadRequest:
            with suppress(WayClosed):
                await self._courier.remove(address, sent.message_id)
            raise

    async def _is_here(self, interaction: Interaction, commission: Commission, index: int) -> bool:
        """Whether everybody can see that picture already; then the person is told where."""
        before = await self._desk.outbox.message_of(commission.id, f"single{index}")
        if before is None or commission.address.private or not await self._courier.exists(*before):
            return False
        link = f"https://discord.com/channels/{interaction.guild_id or '@me'}/{before[0]}/{before[1]}"
        await tell(interaction, f"Picture {index + 1} is here already: {link}")
        return True

    async def _unchanged(self, job_id: str, before: StoredPicture, *, covered: bool) -> bool:
        """Whether the picture may still be shown as it was a moment ago; raises BadRequest while it is hidden."""
        if await self._review.covered(job_id) != covered:
            return False
        now = next((item for item in await self._desk.pictures.of(job_id) if item.index == before.index), None)
        return now is not None and now.sha256 == before.sha256

    async def _repaint(self, interaction: Interaction, commission: Commission, index: int, ticket_id: int) -> None:
        """Files are kept for some days only; the recipe paints the picture again, as an ordinary request."""
        request = self._studio.composer.same(commission.request, index)
        await self._submit(interaction, commission, request, Action.REPAINT, index, ticket_id)

    async def _recipe(self, interaction: Interaction, press: Press) -> None:
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        commission = await self._commission(interaction, press)
        if press.index is not None:
            commission = replace(commission, request=commission.request.single(press.index))
        pictures = await self._desk.pictures.of(commission.id)
        whole = discord.File(io.BytesIO(recipe_json(commission, pictures)), f"recipe-{commission.id}.json")
        await interaction.edit_original_response(content=recipe_text(commission, pictures), attachments=[whole])

    # -- order -------------------------------------------------------------------------------------------------------

    async def _delete(self, interaction: Interaction, press: Press) -> None:
        await interaction.response.defer()
        commission = await self._commission(interaction, press)
        member = member_of(interaction)
        if member.id != commission.author_id and not member.moderator:
            raise NotAllowed("Only the person who asked for this picture, or a moderator, can delete it.")
        assert interaction.message is not None, "a pressed button is on a message"
        try:
            with translated():
                await interaction.delete_original_response()
        except WayClosed:
            log.info("job %s: its message was deleted already", commission.id)
        if member.id == commission.author_id and press.index is None:
            await self._desk.shelves.drop(commission.id, self._studio.clock())

    async def _open_report(self, interaction: Interaction, press: Press) -> None:
        await interaction.response.send_modal(report_form(press))

    async def _report(self, interaction: Interaction, press: Press, values: dict[str, str]) -> None:
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        commission = await self._commission(interaction, press)
        await self._keep_report(interaction, commission, interaction.message, values.get("reason", ""))

    async def _keep_report(
        self, interaction: Interaction, commission: Commission, message: discord.Message | None, reason: str
    ) -> None:
        sentence = await self._review.reporting.report(
            commission,
            reporter_id=interaction.user.id,
            channel_id=interaction.channel_id or 0,
            message_id=message.id if message is not None else 0,
            reason=reason,
        )
        await tell(interaction, sentence)

    async def report_message(self, interaction: Interaction, message: discord.Message) -> None:
        """Report what a message of ours shows, whichever of its pictures that is; raises a Refusal."""
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        press = next(filter(None, map(Press.read, sorted(custom_ids(message)))), None)
        if press is None or message.author.id != interaction.application_id:
            raise BadRequest("That is not a picture of mine; pictures can be reported.")
        wish = replace(press, deed=Deed.REPORT)  # whichever button it was: a report needs no words and prolongs none
        commission = await self._commission(interaction, wish, message)
        await self._keep_report(interaction, commission, message, "")

    async def _cancel(self, interaction: Interaction, press: Press) -> None:
        try:
            await interaction.response.defer()
        except Exception as error:  # what was wanted is known, whatever became of saying so
            log.warning("interaction %d: pressing Cancel could not be acknowledged (%r)", interaction.id, error)
        await self._studio.cancel(press.job_id, member_of(interaction))

    async def _forget(self, interaction: Interaction, press: Press) -> None:
        if press != forget_press(press.deed, interaction.user.id):
            raise NotAllowed("Only the person whose data it is can delete it; type /privacy delete for your own.")
        await interaction.response.edit_message(content="Your data is being deleted …", view=None)
        forgotten = await self._erasure.forget(member_of(interaction), messages=press.deed is Deed.VANISH)
        await interaction.edit_original_response(content=deleted_text(forgotten))

    # -- who may -----------------------------------------------------------------------------------------------------

    async def _commission(
        self, interaction: Interaction, press: Press, message: discord.Message | None = None
    ) -> Commission:
        """The job behind a button, if it belongs to where it was pressed; raises BadRequest."""
        commission = await self._studio.get(press.job_id)
        message = message or interaction.message
        if commission is None or not _belongs(interaction, commission, message):
            log.info(
                "interaction %d: job %.20r is not known where its button was pressed", interaction.id, press.job_id
            )
            raise BadRequest(UNKNOWN)
        if commission.state in (JobState.ACCEPTED, JobState.RUNNING):
            raise BadRequest("This picture is not finished yet.")
        if press.deed not in WORDLESS:
            if commission.erased:
                raise BadRequest(ERASED)
            await self._desk.jobs.used(commission.id)
        return commission

    async def _shown(self, commission: Commission, index: int) -> None:
        pictures = await self._desk.pictures.of(commission.id)
        if not any(picture.index == index and picture.sha256 is not None for picture in pictures):
            raise BadRequest(UNKNOWN)


def _belongs(interaction: Interaction, commission: Commission, message: discord.Message | None) -> bool:
    address = commission.address
    if address.private and interaction.user.id != commission.author_id:
        return False
    if (address.guild_id, address.channel_id) == (interaction.guild_id, interaction.channel_id):
        return True
    # A result that found its channel closed was sent to its author directly. Discord's word for what that message
    # carries: our own memory of it may come a moment later than the first press.
    if interaction.guild_id is not None or interaction.user.id != commission.author_id or message is None:
        return False
    carried = filter(None, map(Press.read, custom_ids(message)))
    return message.author.id == interaction.application_id and any(each.job_id == commission.id for each in carried)
