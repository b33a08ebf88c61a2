"""What moderators look at before they decide: never more of a picture than the place in which they look may show."""

from __future__ import annotations

from dataclasses import dataclass

from bot.courier import Courier
from bot.desk import Desk
from bot.order import Commission
from bot.outcome import NOTICE
from bot.review.case import Case, Kind
from bot.review.guild_rules import GuildRules
from bot.review.telling import TOLD
from generation.safety.approved import Approved
from generation.safety.level import Level

EXPLICIT = "This picture is too explicit for this channel."
JUDGE = " Open the message to judge it: {link}"
ALONE = " /review open shows it to you alone in an age-restricted channel."
PUBLIC = "Everybody can read this channel, so the picture is not shown here; /review open shows it to you alone."


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is shown with a case, and a sentence where that is not the picture itself; 250 characters at most."""

    pictures: tuple[Approved, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """From where a case is looked at."""

    alone: bool = False  # False: in the queue, where everybody looks who can read its channel
    age_restricted: bool = False


QUEUE = Seat()


@dataclass(frozen=True, slots=True)
class _Shown:
    picture: Approved
    place: int
    removed: bool


class Evidence:
    """Finds what may be shown of a case."""

    def __init__(self, desk: Desk, courier: Courier, rules: GuildRules) -> None:
        self._desk = desk
        self._courier = courier
        self._rules = rules

    async def of(self, case: Case, commission: Commission, seat: Seat = QUEUE) -> Exhibit:
        """The blurred likeness of what was kept back; the picture itself of what was shown and is harmless."""
        if case.kind is not Kind.REPORTED:
            blurred = await self._desk.pictures.load_evidence(case.job_id, case.place)
            return Exhibit((blurred,) if blurred is not None else ())
        shown = await self._shown(case)
        if shown is None:
            return Exhibit()
        likeness = await self._desk.pictures.load_likeness(case.job_id, shown.place)
        explicit = shown.picture.level > Level.NEUTRAL or likeness is not None  # or was, until a moderator approved it
        if seat.alone and (seat.age_restricted or not explicit):
            return Exhibit((shown.picture,))
        if explicit:
            link = None if case.hidden or shown.removed else await self._link(commission)
            way = ALONE if link is None else JUDGE.format(link=link)
            return Exhibit((likeness,) if likeness is not None else (), EXPLICIT + way)
        channel_id = self._rules.of_case(case, commission).channel
        if channel_id is not None and not self._courier.discreet(channel_id):
            return Exhibit(remark=PUBLIC)
        return Exhibit((shown.picture,))

    async def _shown(self, case: Case) -> _Shown | None:
        """What members saw, the whole set if there is one, whether or not it was removed meanwhile."""
        pictures = self._desk.pictures
        places = [picture.index for picture in await pictures.of(case.job_id)]  # the grid is first
        for load, removed in ((pictures.load, False), (pictures.load_removed, True)):
            for place in places:
                found = await load(case.job_id, place)
                if found is not None:
                    return _Shown(found, place, removed)
        return None

    async def _link(self, commission: Commission) -> str | None:
        """Where moderators can see what the job has shown; None where it is seen by its author alone."""
        address = commission.address
        if address.private or address.guild_id is None:
            return None
        for kind, (channel_id, message_id) in (await self._desk.outbox.messages_of(commission.id)).items():
            if kind != NOTICE and not kind.startswith(TOLD):
                return f"https://discord.com/channels/{address.guild_id}/{channel_id}/{message_id}"
        return None
