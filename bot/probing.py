"""Against probing the filter: refused prompts fill a small bucket, and whoever empties it pauses for a while.

Each pause is twice as long as the one before, and time without a refused prompt makes them shorter again. A pause holds
for every prompt alike, so nothing can be learnt from it. Kept in memory, because a check must never wait; every change
is stored behind it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.order import Member
from bot.sections import Probing as Settings
from bot.store.probing import ProbingStore
from generation.errors import CoolingDown
from generation.limits import SKEW, Budget, charge

log = logging.getLogger(__name__)

MINUTE = 60.0  # seconds
FORGIVEN = 3600.0  # seconds without a refused prompt that take one doubling back
MOST = 12  # doublings that are counted
FORGOTTEN = (MOST + 1) * FORGIVEN  # seconds after which nothing is left to remember
SENTENCE = "Several of your prompts could not be accepted here, so painting takes a short break for you."

Key = tuple[int, int]  # guild (0: direct messages) and member


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of one person in one guild."""

    tat: float = 0.0  # state of the bucket, see generation.limits
    level: int = 0  # pauses so far, less what time has forgiven
    refused_at: float = 0.0  # epoch seconds of the latest refused prompt
    until: float = 0.0  # epoch seconds at which the latest pause ends


def in_the_present(record: Record, now: float) -> Record:
    """A record from later than `now` is from before the clock was set back: it counts from now on, as long as meant."""
    late = record.refused_at - now
    if late <= SKEW:
        return record
    return replace(record, tat=record.tat - late, refused_at=now, until=record.until - late)


def after_refusal(record: Record, now: float, settings: Settings) -> Record:
    """The record after one more refused prompt at `now`."""
    record = in_the_present(record, now)
    forgiven = int((now - record.refused_at) / FORGIVEN)
    level = max(0, record.level - forgiven)
    bucket = Budget(burst=settings.refusals, per_hour=settings.per_hour, daily=float("inf"))
    asked = charge(record.tat, 1.0, now, bucket)
    calm = replace(record, tat=asked.tat, level=level, refused_at=now)
    if asked.affordable:
        return calm
    pause = min(settings.first * 2.0**level, settings.longest) * MINUTE
    return replace(calm, level=min(MOST, level + 1), until=now + pause)


class Probing:
    """Who probes, and until when they pause."""

    def __init__(
        self, settings: Callable[[], Settings], store: ProbingStore, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._records: dict[Key, Record] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Load what a former process knew and is not forgiven yet."""
        await self._store.forget_before(self._clock() - FORGOTTEN)
        self._records = {key: Record(*values) for key, values in (await self._store.everything()).items()}
        self.bring_back()

    def bring_back(self) -> None:
        """The clock was set back: nobody pauses for longer because of it."""
        now = self._clock()
        self._records = {key: in_the_present(record, now) for key, record in self._records.items()}

    async def close(self) -> None:
        """Until everything is stored."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    def check(self, member: Member) -> None:
        """Raise CoolingDown while `member` pauses; looks at no prompt, and never waits."""
        record = self._records.get(_key(member))
        if record is not None and record.until > self._clock():
            raise CoolingDown(SENTENCE, retry_at=record.until)

    def note(self, member: Member) -> None:
        """The filter refused a prompt of `member`; what is stored of it is stored behind the answer.

        Moderators are left out: they try their own rules.
        """
        if not self._settings().refusals or member.moderator:
            return
        key, now = _key(member), self._clock()
        record = after_refusal(self._records.get(key, Record()), now, self._settings())
        self._records = {each: old for each, old in self._records.items() if old.refused_at > now - FORGOTTEN}
        self._records[key] = record
        task = asyncio.create_task(self._keep(key, record), name="probing")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _keep(self, key: Key, record: Record) -> None:
        try:
            await self._store.keep(*key, record.tat, record.level, record.refused_at, record.until)
            await self._store.forget_before(record.refused_at - FORGOTTEN)
        except Exception:  # it still holds until the next start; the next refused prompt stores it again
            log.exception("A pause could not be stored")


def _key(member: Member) -> Key:
    return member.guild_id or 0, member.id
