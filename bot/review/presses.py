"""What pressing a button of a case does; who may do it is checked at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import discord

from bot.answer import PRIVATE, Interaction, answer, tell
from bot.courier import view_of
from bot.desk import Desk
from bot.forms import values_of
from bot.press import CaseDeed, CasePress
from bot.review.case import STRIKING, Case, Ruling
from bot.review.deciding import Deciding
from bot.review.forms import appeal_form, hours_of, ruling_form
from bot.review.guild_rules import GuildRules
from bot.review.moderators import check_may_decide, check_may_time_out, check_outranks
from bot.review.runner import Runner
from bot.review.words import decided_text
from bot.review.work import CaseWork
from bot.store.cases import APPEALED, FINAL, Decision
from generation.errors import BadRequest, NotAllowed

LOOK_UP = 2.0  # seconds; a form must be shown within three
BUSY = "There is too much to do right now; please press again in a moment."
APPEAL_TAKEN = "Thank you. Somebody other than the moderator who decided will look at it again, and you will be told."
NOT_YOURS = "Only the person whose picture this is about can see that."
RULINGS = {CaseDeed(ruling.value): ruling for ruling in Ruling}


class CasePresses:
    """Answers every button and form of every case, old or new."""

    def __init__(self, desk: Desk, work: CaseWork, deciding: Deciding, rules: GuildRules, runner: Runner) -> None:
        self._desk = desk
        self._work = work
        self._deciding = deciding
        self._rules = rules
        self._runner = runner

    async def pressed(self, interaction: Interaction, press: CasePress) -> None:
        """Answer a pressed button."""
        try:
            if press.deed is CaseDeed.APPEAL:
                await self._open_appeal(interaction, press)
            elif press.deed is CaseDeed.DETAILS:
                await self._details(interaction, press)
            elif RULINGS[press.deed] in STRIKING:
                await self._open_ruling(interaction, press)
            else:
                await interaction.response.defer()
                await self._rule(interaction, press, {})
        except Exception as error:  # a fault in one answer must not end the connection that all members share
            await answer(interaction, error)

    async def submitted(self, interaction: Interaction, press: CasePress) -> None:
        """Answer a form that was sent."""
        try:
            values = values_of(cast(Mapping[str, Any], interaction.data or {}))
            if press.deed is CaseDeed.APPEAL:
                await self._appeal(interaction, press, values)
            else:
                await interaction.response.defer()
                await self._rule(interaction, press, values)
        except Exception as error:  # as above
            await answer(interaction, error)

    # -- moderators --------------------------------------------------------------------------------------------------

    async def _open_ruling(self, interaction: Interaction, press: CasePress) -> None:
        case = await self._quickly(press)
        check_may_decide(interaction, case, self._rules)
        if press.deed is CaseDeed.TIMEOUT:
            check_may_time_out(interaction, case)
        if RULINGS[press.deed] not in case.choices:
            raise BadRequest(decided_text(case))
        await interaction.response.send_modal(ruling_form(press))

    async def _rule(self, interaction: Interaction, press: CasePress, values: dict[str, str]) -> None:
        case = await self._desk.cases.get(press.case_id)
        check_may_decide(interaction, case, self._rules)
        ruling = RULINGS[press.deed]
        if ruling is Ruling.TIMEOUT:
            check_may_time_out(interaction, case)
            await check_outranks(interaction, case)
        decision = Decision(
            ruling=ruling,
            by=interaction.user.id,
            reason=values.get("reason", "").strip(),
            hours=hours_of(values) if ruling is Ruling.TIMEOUT else None,
        )
        case, decided = await self._deciding.rule(case, decision)
        if not decided:
            await tell(interaction, decided_text(case))
            return
        await self._close(interaction, case)

    async def _close(self, interaction: Interaction, case: Case) -> None:
        """The queue's own message is changed by an errand; any other copy that was pressed is changed here."""
        message = interaction.message
        if message is not None and (case.queue is None or message.id != case.queue[1]):
            commission = await self._desk.jobs.get(case.job_id)
            text = (await self._work.parcel(case, commission)).text if commission is not None else decided_text(case)
            none = discord.AllowedMentions.none()
            await interaction.edit_original_response(content=text, attachments=[], view=None, allowed_mentions=none)

    # -- members -----------------------------------------------------------------------------------------------------

    async def _open_appeal(self, interaction: Interaction, press: CasePress) -> None:
        case = await self._quickly(press)
        self._check_own(interaction, case)
        if not case.appealable(interaction.created_at.timestamp()):
            raise BadRequest(APPEALED if case.round > 1 else FINAL)
        await interaction.response.send_modal(appeal_form(press))

    async def _appeal(self, interaction: Interaction, press: CasePress, values: dict[str, str]) -> None:
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        case = await self._desk.cases.appeal(press.case_id, interaction.user.id, values.get("words", "").strip())
        self._runner.wake(case.id)
        await tell(interaction, APPEAL_TAKEN)

    async def _details(self, interaction: Interaction, press: CasePress) -> None:
        interaction.extras[PRIVATE] = True
        await interaction.response.defer(ephemeral=True, thinking=True)
        case = await self._desk.cases.get(press.case_id)
        self._check_own(interaction, case)
        commission = await self._desk.jobs.get(case.job_id)
        if commission is None or case.open:
            raise BadRequest("The moderators are looking at it again; you will be told.")
        parcel = await self._work.told(case, commission)
        view = view_of(parcel.rows) if parcel.rows else None
        none = discord.AllowedMentions.none()
        await interaction.edit_original_response(content=parcel.text, view=view, allowed_mentions=none)

    def _check_own(self, interaction: Interaction, case: Case) -> None:
        if interaction.user.id != case.author_id:
            raise NotAllowed(NOT_YOURS)

    async def _quickly(self, press: CasePress) -> Case:
        try:
            async with asyncio.timeout(LOOK_UP):  # a form cannot be shown before it is known whether it may be
                return await self._desk.cases.get(press.case_id)
        except TimeoutError as error:
            raise BadRequest(BUSY) from error
