"""One place that answers errors: a member reads one sentence, the log keeps the cause under its reference."""

from __future__ import annotations

import contextlib
import logging
import math
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from bot.card import Face, Rows
from bot.courier import view_of
from bot.disk import SENTENCE
from bot.echo import plain
from bot.outages import is_outage
from bot.press import Deed, Press
from generation.errors import AtelierError, NotNow, Refusal, TermsNeeded

log = logging.getLogger(__name__)

PRIVATE = "private"  # key in an interaction's extras: its first answer is seen by one person alone
ALREADY_ANSWERED = 40060
UNKNOWN_INTERACTION = 10062  # more than 3 seconds have passed
SENTENCE_LENGTH = 1500  # characters

Interaction = discord.Interaction[Any]


async def tell(interaction: Interaction, sentence: str, rows: Rows = ()) -> None:
    """Say something to the person alone, whatever was answered before."""
    buttons: dict[str, Any] = {"view": view_of(rows)} if rows else {}
    if not interaction.response.is_done():
        await interaction.response.send_message(sentence, ephemeral=True, **buttons)
        return
    if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
        if interaction.extras.get(PRIVATE):
            await interaction.edit_original_response(content=sentence, **buttons)
            return
        with contextlib.suppress(discord.NotFound):
            await interaction.delete_original_response()  # first: a follow-up would fill the public “thinking…”
    await interaction.followup.send(sentence, ephemeral=True, **buttons)


async def answered(interaction: Interaction, work: Callable[[Interaction], Awaitable[None]]) -> None:
    """Do the work of one interaction; whatever goes wrong in it is answered like everywhere else."""
    try:
        await work(interaction)
    except Exception as error:  # a fault in one answer must not end the connection that all members share
        await answer(interaction, error)


async def answer(interaction: Interaction, error: BaseException) -> None:
    """Tell the person what `error` means for them; never raises because of Discord."""
    error = _cause(error)
    if isinstance(error, discord.HTTPException) and error.code in (ALREADY_ANSWERED, UNKNOWN_INTERACTION):
        log.warning("interaction %d could not be answered: %s", interaction.id, error.text)
        return
    if interaction.client.desk.disk.failed(error):  # the owner reads the cause once, wherever it comes up first
        error = NotNow(SENTENCE)
    try:
        if isinstance(error, TermsNeeded):
            await tell(interaction, error.sentence, ((Face(Press(Deed.AGREE, error.pending), "I agree"),),))
            return
        await tell(interaction, sentence_of(error, interaction.id))
    except Exception as second:  # whatever came instead of an answer: there is nobody left to tell
        cause = None if isinstance(second, discord.HTTPException) or is_outage(second) else second
        log.warning("interaction %d: its person could not be told (%r)", interaction.id, second, exc_info=cause)


def sentence_of(error: BaseException, interaction_id: int) -> str:
    """The sentence for a refusal; for anything else a reference under which the log has the cause."""
    if isinstance(error, NotNow) and error.retry_at is not None:
        return f"{error.sentence} Try again <t:{math.ceil(error.retry_at)}:R>."
    if isinstance(error, Refusal):
        return plain(error.sentence, SENTENCE_LENGTH)
    if isinstance(error, app_commands.NoPrivateMessage):
        return "That works only in a server."
    if isinstance(error, app_commands.CheckFailure):
        return "You may not do that."
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return "This command has just changed; please type it again in a minute."
    reference = secrets.token_hex(4)
    sentence = f" {error.sentence}" if isinstance(error, AtelierError) else ""
    log.error("reference %s, interaction %d", reference, interaction_id, exc_info=error)
    return f"Something went wrong on our side (reference {reference}).{sentence}"


def _cause(error: BaseException) -> BaseException:
    return error.original if isinstance(error, app_commands.CommandInvokeError) else error
