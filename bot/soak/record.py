"""What was seen in the local Discord: every message that stood for a job, every acknowledgement, every refusal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.outcome import MAYBE_ABOVE
from bot.playground.documents import Json
from bot.playground.ids import BOT_ID, created_at
from bot.press import Deed, Press
from bot.soak.town import Town

INVALID = (401, 403, 429)  # what Discord counts before it bans an address; shared limits are nobody's fault
INVALID_SPAN = 600.0  # seconds over which Discord counts


@dataclass(slots=True)
class Seen:
    """One message of the bot, and for which jobs it ever stood."""

    id: int
    channel_id: int
    audience: int | None  # the only person who sees it
    asked_by: int | None  # whose interaction it answers
    interaction_id: int | None = None  # and which
    results: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)
    custom_ids: list[str] = field(default_factory=list)  # those it has now
    content: str = ""
    mentions: list[int] = field(default_factory=list)  # whom it pings
    files: int = 0  # those it has now
    changed_at: float = 0.0  # epoch seconds
    thinking: bool = False
    exists: bool = True
    pictured: bool = False  # it showed the picture of a job at some time
    stray: bool = False  # it showed files at some time, with buttons of no job below them

    @property
    def is_ticket(self) -> bool:
        """Whether it still says that something is going to come."""
        return self.exists and any(deed is Deed.CANCEL for deed, _ in _presses(self.custom_ids))

    @property
    def is_question(self) -> bool:
        """Whether it asks, in place of a picture, if that stands above."""
        return MAYBE_ABOVE in self.content

    @property
    def is_picture(self) -> bool:
        """Whether it now shows the picture of a job."""
        return self.exists and self.files > 0 and bool(self.results)

    @property
    def is_notice(self) -> bool:
        """Whether it now tells that nothing came of the prompt that it ends with."""
        return not self.results and not self.is_ticket and "\n-# " in self.content

    @property
    def prompt(self) -> str:
        """What a notice ends with."""
        return self.content.rpartition("\n-# ")[2]


class Record:
    """Fills itself from the local Discord's journal and requests; read it often, they are bounded."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._journal = self._requests = 0  # numbers read so far
        self._more = asyncio.Event()
        self.messages: dict[int, Seen] = {}
        self.accepted: set[str] = set()  # jobs whose author was told so
        self.shown: list[tuple[str, int]] = []  # jobs with a picture and its message, in order
        self.waiting: dict[str, int] = {}  # jobs whose ticket has a button to cancel, and its message
        self.acknowledged: dict[int, float] = {}  # seconds, by interaction
        self.acknowledged_at: list[float] = []  # epoch seconds, in order
        self.invalid: list[float] = []  # epoch seconds
        self.statuses: Counter[int] = Counter()

    async def collect(self) -> None:
        """Read what is new."""
        entries = await self._town.journal(self._journal)
        for entry in entries:
            self._journal = entry["number"]
            if entry["author_id"] == str(BOT_ID):
                self._note(entry)
        for exchange in await self._town.requests(self._requests):
            self._requests = exchange["number"]
            self._count(exchange)

    async def reaches(self, jobs: int) -> None:
        """Wait until so many have been accepted."""
        while len(self.accepted) < jobs:
            self._more.clear()
            await self._more.wait()

    def asked_at(self, interaction: int) -> float:
        """Seconds since the epoch at which somebody asked."""
        return self._town.real(created_at(interaction))

    def most_invalid(self) -> int:
        """The most invalid requests in any ten minutes of real time."""
        first = most = 0
        for last, at in enumerate(self.invalid):
            while at - self.invalid[first] > INVALID_SPAN:
                first += 1
            most = max(most, last - first + 1)
        return most

    def _note(self, entry: Json) -> None:
        message_id = int(entry["id"])
        seen = self.messages.get(message_id)
        if seen is None:
            audience, asked_by, asked = (
                None if entry[key] is None else int(entry[key]) for key in ("audience", "asked_by", "interaction_id")
            )
            seen = Seen(message_id, int(entry["channel_id"]), audience, asked_by, asked)
            self.messages[message_id] = seen
        seen.content, seen.custom_ids, seen.thinking = entry["content"], entry["custom_ids"], entry["thinking"]
        seen.mentions = [int(each) for each in entry["mentions"]]
        seen.files, seen.exists, seen.changed_at = entry["files"], entry["exists"], self._town.real(entry["at"])
        presses = _presses(seen.custom_ids)
        deeds = {deed for deed, _ in presses}
        seen.pictured |= seen.files > 0 and Deed.DELETE in deeds
        seen.stray |= seen.files > 0 and not deeds & {Deed.DELETE, Deed.CANCEL}  # tickets have previews
        for deed, job in presses:
            if deed is Deed.CANCEL:
                seen.tickets.add(job)
                self.accepted.add(job)
                self._more.set()
                self.waiting[job] = message_id
            elif deed is Deed.DELETE and job not in seen.results:
                seen.results.add(job)
                self.shown.append((job, message_id))
                self.waiting.pop(job, None)
        if not seen.is_ticket:
            for job in seen.tickets:
                self.waiting.pop(job, None)

    def _count(self, exchange: Json) -> None:
        status, at = exchange["status"], self._town.real(exchange["at"])
        self.statuses[status] += 1
        if status in INVALID and exchange["scope"] != "shared":
            self.invalid.append(at)
        _, area, *rest = exchange["path"].split("/")
        heard = status < 300 and exchange["fault"] is None  # where the line was cut nothing says so in the status
        if area == "interactions" and rest[-1] == "callback" and heard:
            asked = int(rest[0])
            self.acknowledged_at.append(at)
            self.acknowledged.setdefault(asked, at - self._town.real(created_at(asked)))


def _presses(custom_ids: Iterable[str]) -> list[tuple[Deed, str]]:
    """What buttons stand for, without those of single pictures."""
    found = [Press.read(custom_id) for custom_id in custom_ids]
    return [(press.deed, press.job_id) for press in found if press is not None and press.index is None]
