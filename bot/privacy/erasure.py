"""A person has everything deleted: jobs end first, then rows go, then files; nothing that comes late brings it back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.desk import Desk
from bot.order import Member
from bot.privacy.farewells import Farewells
from bot.studio import Studio
from generation.errors import BadRequest
from generation.job import JobState

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds that running pictures get to stop, and finished ones to arrive
LOOK = 0.1  # seconds between two looks at them
YOUNG = 60.0  # seconds; a younger file may be about to get another owner and is left to the sweeper
ENDED_BY_AUTHOR = "Deleted."


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a deletion came to."""

    requests: int
    files: int
    messages: int  # that are being deleted in Discord
    undecided: int = 0  # requests that go once moderators have decided about them


class Erasure:
    """Forgets people, one request at a time each."""

    def __init__(self, studio: Studio, desk: Desk, farewells: Farewells, patience: float = PATIENCE) -> None:
        self._studio = studio
        self._desk = desk
        self._farewells = farewells
        self._patience = patience
        self._busy: set[int] = set()

    async def forget(self, member: Member, *, messages: bool) -> Forgotten:
        """Delete everything about a person; with `messages` also those that show their results. Raises BadRequest."""
        if member.id in self._busy:
            raise BadRequest("Your data is being deleted already; please wait a moment.")
        self._busy.add(member.id)
        try:
            return await self._forget(member, messages=messages)
        finally:
            self._busy.discard(member.id)

    async def _forget(self, member: Member, *, messages: bool) -> Forgotten:
        await self._studio.cancel_all(member)
        await self._wait_for_ends(member.id)
        sent = await self._desk.archive.say_farewell(member.id) if messages else 0
        traces = await self._desk.archive.forget(member.id)
        files = 0
        now, privacy = self._studio.clock(), self._studio.config.privacy
        for shelf, digests in (("pictures", traces.files), ("held", traces.files), ("uploads", traces.uploads)):
            free = await self._desk.shelves.free(shelf, sorted(digests), privacy, now)
            files += await self._desk.shelves.remove(shelf, free, now - YOUNG)
        await self._desk.archive.tidy()
        self._farewells.wake()
        log.info("member %d: forgotten, with %d requests", member.id, traces.requests)
        return Forgotten(traces.requests, files, sent, traces.undecided)

    async def _wait_for_ends(self, member_id: int) -> None:
        """Until no job of the person is under way; those that do not stop are ended as they are."""
        left: list[str] = []
        for _ in range(round(self._patience / LOOK)):
            if not (left := await self._desk.archive.unfinished(member_id)):
                return
            await asyncio.sleep(LOOK)
        for job_id in left:
            unfinished = (JobState.ACCEPTED, JobState.RUNNING, JobState.RENDERED)
            await self._desk.jobs.end(job_id, JobState.CANCELLED, ENDED_BY_AUTHOR, only_from=unfinished, give_back=True)
            if (commission := await self._desk.jobs.get(job_id)) is not None:
                await self._studio.listeners.tell(self._studio.listeners.settled, commission)
