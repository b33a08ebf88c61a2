"""What crosses the front desk: who asks, where the answer goes, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from generation.job import JobState
from generation.request import Request

INTERACTION_TOKEN_LIFE = 15 * 60.0  # seconds; Discord, "Receiving and Responding to Interactions"


class Action(StrEnum):
    """How a job came about."""

    DREAM = "dream"
    VARIATION = "variation"
    AGAIN = "again"
    EDIT = "edit"
    REPAINT = "repaint"  # one picture of a set again, its file being gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is asked, as far as rules and policies distinguish places."""

    guild_id: int | None  # None in direct messages
    channel_ids: frozenset[int] = frozenset()  # the channel and, of a thread, the channel it hangs on
    role_ids: frozenset[int] = frozenset()  # of the person who asks
    age_restricted: bool = False  # Discord's own flag of the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The person who asks, as far as limits and permissions go."""

    id: int
    guild_id: int | None  # None in direct messages
    role_names: frozenset[str] = frozenset()
    role_ids: frozenset[int] = frozenset()
    moderator: bool = False  # may manage messages where they ask
    created_at: float = 0.0  # of the account, epoch seconds
    joined_at: float | None = None  # of the guild, epoch seconds; None outside of guilds


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the answer goes: ids only, so that it survives a restart."""

    channel_id: int
    guild_id: int | None
    interaction_id: int
    token: str = field(repr=False)  # of the interaction; good for 15 minutes
    token_expires: float  # epoch seconds
    application_id: int
    private: bool = False
    ticket_id: int | None = None  # message id of the ticket, once Discord has told it
    parent_channel_id: int | None = None  # of a thread: the channel it hangs on, whose rules hold in it
    age_restricted: bool = False  # Discord's own flag of the channel, at the moment of asking
    channel_reachable: bool = True  # False where the bot has no place in the channel (user-installed, foreign DM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request with its person and its address, ready to be checked and admitted."""

    request: Request
    member: Member
    address: Address
    action: Action = Action.DREAM
    parent: str | None = None  # job whose picture this one starts from
    parent_index: int | None = None
    image: bytes | None = field(default=None, repr=False)  # an uploaded picture, already made safe

    @property
    def place(self) -> Place:
        """Where it is asked, and by whom."""
        return place_of(self.address, self.member.role_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands now."""

    state: JobState
    ahead: int  # jobs that will be painted before it; 0: being painted or next
    seconds: float | None  # honest estimate until it is finished; None while nobody can know
    elsewhere: bool = False  # another process paints it, and follows its ticket
    words: str = ""  # why nothing is painted now, and what the owner wants to be read; a line each


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer to an accepted order; the job is committed before this exists."""

    job_id: str
    repeated: bool = False  # the same press was already accepted: this is that job, not a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """A stored job with its address: what tickets, delivery and buttons work with."""

    id: str
    state: JobState
    request: Request
    author_id: int
    address: Address
    action: Action
    parent: str | None
    parent_index: int | None
    reason: str  # why it failed, was cancelled or blocked; a sentence
    accepted_at: float  # epoch seconds
    recipe: dict[str, object]
    seconds: float  # painting time; 0 until rendered
    role_ids: frozenset[int] = frozenset()  # that the author had when they asked
    erased: bool = False  # its words and settings were deleted for their age; `request` says nothing any more
    cost: float = 0.0  # credits charged when it was admitted
    refunded: float = 0.0  # credits of them that were given back
    holder: str | None = None  # the process that follows it, paints it or shows its outcome
    stopping: bool = False  # somebody asked the process that paints it to stop

    @property
    def place(self) -> Place:
        """Where it was asked, and by whom."""
        return place_of(self.address, self.role_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a member may still spend."""

    available: float  # credits now
    burst: float
    per_hour: float
    spent_today: float  # credits, in all servers together
    daily: float
    waiting: int  # own jobs waiting or running
    waiting_limit: int
    full_at: float  # epoch seconds at which the allowance is full again
    guild_left: float | None = None  # credits the server may still spend now; None: it has no budget
    house_left: float | None = None  # the same of everybody together
    tier: str = "member"  # what the owner called it
    newcomer_until: float | None = None  # epoch seconds at which a newcomer's smaller tier ends; None: no newcomer


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """One job of the line as /queue shows it."""

    job_id: str
    author_id: int
    state: JobState
    ahead: int
    prompt: str
    channel_id: int


def place_of(address: Address, role_ids: frozenset[int]) -> Place:
    """The place of an address."""
    channels = frozenset(channel for channel in (address.channel_id, address.parent_channel_id) if channel is not None)
    return Place(
        guild_id=address.guild_id, channel_ids=channels, role_ids=role_ids, age_restricted=address.age_restricted
    )
