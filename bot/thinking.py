"""An interaction's first answer: a message of its own that says “thinking …” and becomes whatever there is to say."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord

from bot.answer import ALREADY_ANSWERED, PRIVATE
from bot.calls import call
from bot.outages import is_outage

log = logging.getLogger(__name__)

LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between the looks for an answer while Discord is away


async def think(interaction: discord.Interaction[Any], *, private: bool) -> int:
    """Answer, to the person alone or to everybody; returns the id of the message.

    Unlike a follow-up, of which nobody knows after a crash whether it was sent, it may be changed as often as it takes.
    """
    interaction.extras[PRIVATE] = private
    try:
        with call() as this:
            thinking = await interaction.response.defer(ephemeral=private, thinking=True)
    except Exception as error:
        # Discord may have taken an answer though its own word got lost; it says so when discord.py answers again.
        again = isinstance(error, discord.HTTPException) and error.code == ALREADY_ANSWERED and this.in_doubt
        if not (again or is_outage(error)):
            raise
        return await _looked_up(interaction, error)
    if thinking is not None and thinking.message_id is not None:
        return thinking.message_id
    return (await interaction.original_response()).id


async def _looked_up(interaction: discord.Interaction[Any], error: Exception) -> int:
    """The message of an answer that Discord may have taken; raises `error` where it has not, or is away for long."""
    message_id = None
    for pause in LOOKS:
        await asyncio.sleep(pause)
        try:
            message_id = (await interaction.original_response()).id
            break
        except discord.NotFound:
            raise error from None
        except Exception as away:
            if not is_outage(away):
                raise
    if message_id is None:
        raise error
    log.info("interaction %d: its acknowledgement was taken (%r)", interaction.id, error)
    # discord.py has not noticed, and whatever is told from here on depends on it.
    interaction.response._response_type = discord.InteractionResponseType.deferred_channel_message
    return message_id
