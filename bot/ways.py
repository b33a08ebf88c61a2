"""The ways by which an outcome reaches its author, in their order, and never by two of them.

What may already be there because of an earlier attempt, of this process or a former one, is looked for where that
attempt was made: the outbox says where, if it was not the outcome's own channel. Where nobody can look any more only a
question is sent, without a picture, and nothing is written down of that: it may be asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from discord.utils import snowflake_time

from bot.courier import Courier, Parcel, Sent, Unavailable, WayClosed
from bot.order import Commission
from bot.outcome import Outcome, hint_of, max_level, unsure
from bot.store.outbox import Outbox, OutboxEntry
from bot.whisper import whisper
from bot.wire import TokensHeldBack
from generation.safety.level import Level

log = logging.getLogger(__name__)

NONCE_WINDOW = 120.0  # seconds in which Discord surely knows a nonce; its own word is "the past few minutes"


class Passage:
    """One attempt to bring one outcome to its author."""

    def __init__(
        self,
        courier: Courier,
        outbox: Outbox,
        clock: Callable[[], float],
        *,
        commission: Commission,
        outcome: Outcome,
        ticket_id: int | None,
        entry: OutboxEntry,
        since: float | None,
    ) -> None:
        """`since`: from when on (epoch seconds) it may stand where it was begun; None: it is there for certain not."""
        self._courier = courier
        self._outbox = outbox
        self._clock = clock
        self._commission = commission
        self._address = commission.address
        self._outcome = self._full = outcome  # a question in its place is another one
        self._ticket_id = ticket_id
        self._entry = entry
        self._since = since
        self._held_back = False  # whether its token was not tried, since so many others have ended
        self._hidden: int | None = None  # a channel where it may stand and nobody can look

    async def go(self) -> Sent:
        """Send it by the first way that is open; raises WayClosed when none is, and what a courier raises."""
        sent = await self._go_on() or await self._look() or await self._into_own_channel()
        sent = sent or await self._into_ticket() or await self._by_token() or await self._into_second_channel()
        return sent or await self._to_author()

    # -- what an earlier attempt has begun ---------------------------------------------------------------------------

    async def _go_on(self) -> Sent | None:
        """Fill the message that was begun to be filled: doing it twice changes nothing."""
        message_id = self._entry.message_id
        if message_id is None:
            return None
        try:
            if message_id == self._ticket_id:
                return await self._courier.rewrite(self._address, message_id, self._quiet(self._outcome))
            return await self._whisper(self._outcome)
        except WayClosed:
            log.info("job %s: what was begun cannot be changed any more", self._commission.id)
        self._outcome = unsure(self._outcome)  # it may have been filled
        return None

    async def _look(self) -> Sent | None:
        place = self._begun_in
        if self._since is None or place is None or self._entry.message_id is not None:
            return None
        try:
            return await self._found_in(place, self._outcome, self._since)
        except WayClosed:
            self._hidden = place
            return None

    async def _found_in(self, channel_id: int, outcome: Outcome, since: float) -> Sent | None:
        # By Discord's clock it cannot be older than what it answers; this machine's may have been wrong.
        since = min(since, snowflake_time(self._address.interaction_id).timestamp())
        text, known = outcome.parcel.text, self._outbox.knows
        return await self._courier.find(channel_id, outcome.mark, text, since, known)

    @property
    def _begun_in(self) -> int | None:
        """The channel in which an earlier attempt has posted it, if one has."""
        own = self._address.channel_id if self._outcome.in_channel and self._may_post else None
        return self._entry.channel_id or own

    # -- ways --------------------------------------------------------------------------------------------------------

    @property
    def _may_post(self) -> bool:
        return self._address.channel_reachable and not self._alone

    @property
    def _alone(self) -> bool:
        return self._address.private or self._outcome.author_alone

    async def _into_own_channel(self) -> Sent | None:
        return await self._into_channel() if self._outcome.in_channel else None

    async def _into_second_channel(self) -> Sent | None:
        return None if self._outcome.in_channel else await self._into_channel()

    async def _into_channel(self) -> Sent | None:
        if not self._may_post:
            return None
        try:
            return await self._post(self._address.channel_id)
        except WayClosed:
            log.info("job %s: its channel is closed to the bot", self._commission.id)
            return None

    async def _into_ticket(self) -> Sent | None:
        """Make the ticket into it; that this was begun is written down for as long as it may have happened."""
        entry, ticket_id = self._entry, self._ticket_id
        if ticket_id is None or not self._outcome.in_ticket or entry.message_id is not None:
            return None
        outcome = self._said()
        sure = outcome is self._full
        if sure and not await self._outbox.hold(entry, self._address.channel_id, ticket_id):
            raise Unavailable  # another process is at it
        try:
            return await self._courier.rewrite(self._address, ticket_id, self._quiet(outcome))
        except (WayClosed, Unavailable) as error:
            if sure and not (isinstance(error, Unavailable) and error.in_doubt):
                await self._outbox.let_go(entry)
            if isinstance(error, Unavailable):
                raise
            log.info("job %s: its ticket cannot be changed any more", self._commission.id)
            return None

    async def _by_token(self) -> Sent | None:
        outcome = self._said()
        try:
            if outcome is self._full:
                return await self._whisper(outcome)
            return await self._courier.follow_up(self._address, self._quiet(outcome), ephemeral=self._alone)
        except WayClosed as error:
            log.info("job %s: its interaction has ended", self._commission.id)
            self._held_back = isinstance(error.__cause__, TokensHeldBack) and self._alone
            return None

    async def _whisper(self, outcome: Outcome) -> Sent:
        parcel = self._quiet(outcome)
        return await whisper(self._courier, self._outbox, self._address, self._entry, parcel, ephemeral=self._alone)

    async def _to_author(self) -> Sent:
        try:
            if max_level(self._said()) > Level.NEUTRAL:
                raise WayClosed("What only its channel may show is not sent elsewhere.")
            return await self._post(await self._courier.direct_channel(self._commission.author_id))
        except WayClosed:
            if self._held_back:
                raise Unavailable from None  # the token opens again
            if not (self._alone and self._address.channel_reachable):
                raise
        return await self._hint()

    async def _hint(self) -> Sent:
        channel_id, hint = self._address.channel_id, hint_of(self._commission, self._outcome)
        if self._since is not None:
            with suppress(WayClosed):
                if (found := await self._found_in(channel_id, hint, self._since)) is not None:
                    return found
        return await self._courier.to_channel(channel_id, hint.parcel, hint.nonce)

    async def _post(self, channel_id: int) -> Sent:
        outcome = self._said(channel_id)
        if outcome is not self._full and self._since is not None and channel_id != self._hidden:
            with suppress(WayClosed):  # a question may have been asked already
                if (found := await self._found_in(channel_id, outcome, self._since)) is not None:
                    return found
        if outcome is self._full and channel_id != self._begun_in:
            if not await self._outbox.hold(self._entry, channel_id, None):
                raise Unavailable  # another process is at it
            self._entry = replace(self._entry, channel_id=channel_id)
        return await self._courier.to_channel(channel_id, outcome.parcel, outcome.nonce)

    # -- words -------------------------------------------------------------------------------------------------------

    def _said(self, channel_id: int | None = None) -> Outcome:
        """What may be said in a channel, or by the token: a question where it may stand elsewhere already.

        In the very channel where it may stand its nonce keeps it single, for a while.
        """
        if self._hidden is None or self._since is None:
            return self._outcome
        guarded = channel_id == self._hidden and self._clock() - self._since <= NONCE_WINDOW
        return self._outcome if guarded else unsure(self._outcome)

    @staticmethod
    def _quiet(outcome: Outcome) -> Parcel:
        return replace(outcome.parcel, text=outcome.quiet_text, mention=None)
