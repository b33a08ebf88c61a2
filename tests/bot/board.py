"""A notice board in place of Discord: keeps messages, honours nonces, and fails or dies at a wish."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.courier import Parcel, Sent, Unavailable, WayClosed
from bot.order import Address, Commission, Place
from bot.outcome import MAYBE_ABOVE, MAYBE_TOLD
from bot.press import Deed, Press
from bot.whisper import COMING

DIRECT = 2_000_000  # channels of direct messages begin here


Known = Callable[[int], Awaitable[bool]]


class Died(BaseException):
    """The process was killed at this very point."""


@dataclass(slots=True)
class Posted:
    """A message that people see."""

    channel_id: int
    parcel: Parcel

    @property
    def marks(self) -> set[str]:
        """What its buttons stand for."""
        return {face.press.custom_id for row in self.parcel.rows for face in row}

    @property
    def is_sure(self) -> bool:
        """Whether it does not say that something like it may be there already."""
        return not any(doubt in self.parcel.text for doubt in (MAYBE_ABOVE, MAYBE_TOLD))

    @property
    def is_outcome(self) -> bool:
        """Whether it tells how a request ended: no ticket, and no line that is still empty."""
        presses = [face.press for row in self.parcel.rows for face in row]
        cancels = any(isinstance(press, Press) and press.deed is Deed.CANCEL for press in presses)
        return not cancels and self.parcel.text not in ("", COMING)


class Board:
    """Outlives every process that writes on it."""

    def __init__(self) -> None:
        self.messages: dict[int, Posted] = {}
        self.by_interaction: dict[int, set[int]] = {}  # messages of an interaction
        self.nonces: dict[str, Sent] = {}
        self.down = False
        self.closed: set[int] = set()  # channels that the bot may not use
        self.dies: str = ""  # "before" or "after" the next change, or after the next outcome is "shown"
        self.now = time.time()
        self._ids = itertools.count(1)

    def ticket(self, interaction_id: int, channel_id: int) -> int:
        """The first answer of an interaction."""
        return self.post(Posted(channel_id, Parcel(text="")), interaction_id).message_id

    def post(self, posted: Posted, interaction_id: int | None = None) -> Sent:
        message_id = next(self._ids)
        self.messages[message_id] = posted
        if interaction_id is not None:
            self.by_interaction.setdefault(interaction_id, set()).add(message_id)
        return Sent(posted.channel_id, message_id)


class BoardCourier:
    """The ways of bot.courier.Courier, ending on the board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def _before(self, channel_id: int | None = None) -> None:
        if self._board.dies == "before":
            self._board.dies = ""
            raise Died
        if self._board.down:
            raise Unavailable
        if channel_id in self._board.closed:
            raise WayClosed

    def _after(self, parcel: Parcel | None = None) -> None:
        shown = parcel is not None and Posted(0, parcel).is_outcome
        if self._board.dies == "after" or (self._board.dies == "shown" and shown):
            self._board.dies = ""
            raise Died

    def token_lives(self, address: Address) -> bool:
        return self._board.now < address.token_expires - 10

    def reopened(self) -> None:
        pass

    async def to_channel(self, channel_id: int, parcel: Parcel, nonce: str) -> Sent:
        self._before(channel_id)
        sent = self._board.nonces.get(nonce)
        if sent is None:
            sent = self._board.nonces[nonce] = self._board.post(Posted(channel_id, parcel))
        self._after(parcel)
        return sent

    async def to_person(self, person_id: int, parcel: Parcel, nonce: str) -> Sent:
        return await self.to_channel(await self.direct_channel(person_id), parcel, nonce)

    async def direct_channel(self, person_id: int) -> int:
        self._before()
        return DIRECT + person_id

    async def follow_up(self, address: Address, parcel: Parcel, *, ephemeral: bool) -> Sent:
        self._before()
        self._with_token(address)
        sent = self._board.post(Posted(address.channel_id, parcel), address.interaction_id)
        self._after(parcel)
        return sent

    async def rewrite(self, address: Address, message_id: int, parcel: Parcel) -> Sent:
        self._before()
        self._with_token(address)
        if message_id not in self._board.messages:
            raise WayClosed
        self._board.messages[message_id] = Posted(address.channel_id, parcel)
        self._after(parcel)
        return Sent(address.channel_id, message_id)

    async def remove(self, address: Address, message_id: int) -> None:
        if self.token_lives(address):
            self._before()
        else:
            self._before(address.channel_id)
            if address.private:
                raise WayClosed
        self._board.messages.pop(message_id, None)
        self._after()

    async def withdraw(self, channel_id: int, message_id: int) -> None:
        self._before(channel_id)
        self._board.messages.pop(message_id, None)

    async def find(self, channel_id: int, mark: str | None, text: str, since: float, known: Known) -> Sent | None:
        self._before(channel_id)
        for message_id, posted in list(self._board.messages.items()):
            alike = mark in posted.marks if mark is not None else posted.parcel.text == text
            if posted.channel_id == channel_id and alike and not await known(message_id):
                return Sent(channel_id, message_id)
        return None

    async def exists(self, channel_id: int, message_id: int) -> bool:
        self._before(channel_id)
        return message_id in self._board.messages

    def place_now(self, commission: Commission) -> Place:
        return commission.place

    def size_limit(self, guild_id: int | None) -> int:
        return 10 * 2**20

    def _with_token(self, address: Address) -> None:
        if not self.token_lives(address):
            raise WayClosed


def outcomes_of(board: Board, commission: Commission) -> list[Posted]:
    """The messages that tell how a request ended: by what they belong to, or by the nonce they were posted with."""
    own = set(board.by_interaction.get(commission.address.interaction_id, ()))
    own |= {sent.message_id for nonce, sent in board.nonces.items() if commission.id in nonce}
    shown = [board.messages[number] for number in sorted(own) if number in board.messages]
    return [posted for posted in shown if posted.is_outcome]
