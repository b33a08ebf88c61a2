"""The button “I agree”: keeps a person's word and goes on with the request that waited for it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from bot.answer import Interaction, tell
from bot.courier import Rejected, Unavailable, WayClosed, translated
from bot.desk import Desk
from bot.press import Press
from bot.studio import Studio
from bot.thinking import think
from bot.visitor import address_of, member_of
from generation.errors import BadRequest

log = logging.getLogger(__name__)

TOO_LATE = (
    "This request is no longer waiting: it has gone on already, or it was asked more than 15 minutes ago. "
    "Please ask for the picture again."
)
BUSY = "There is too much to do right now; please press again in a moment."
LOOK_UP = 2.0  # seconds; a press must be answered within three
THANKS = "Thank you, noted. You will not be asked again for this model's rules; your request is in the line."


class Consent:
    """Answers the button under a model's rules."""

    def __init__(self, studio: Studio, desk: Desk) -> None:
        self._studio = studio
        self._desk = desk

    async def agree(self, interaction: Interaction, press: Press) -> None:
        """Accept the rules and submit the waiting order, from here and now; only its own person can do so."""
        try:
            async with asyncio.timeout(LOOK_UP):  # who sees the answer must be known before it
                waiting = await self._desk.pending.get(press.job_id, interaction.user.id)
        except TimeoutError as error:
            raise BadRequest(BUSY) from error
        if waiting is None:
            raise BadRequest(TOO_LATE)
        order, terms = waiting
        private = order.address.private
        ticket_id = await think(interaction, private=private)
        await self._desk.acceptances.add(order.member.id, terms)
        log.info("member %d agreed to the rules of a model", interaction.user.id)
        # The interaction that asked stays the key of the job: pressing twice makes no second one.
        here = address_of(interaction, self._studio.clock(), private=private, ticket_id=ticket_id)
        address = replace(here, interaction_id=order.address.interaction_id)
        admission = await self._studio.submit(replace(order, member=member_of(interaction), address=address))
        await self._desk.pending.remove(press.job_id)
        if admission.repeated:
            await tell(interaction, TOO_LATE)
            return
        assert interaction.message is not None, "a pressed button is on a message"
        with suppress(WayClosed, Rejected, Unavailable), translated():  # nobody misses it
            await interaction.followup.edit_message(interaction.message.id, content=THANKS, view=None)
