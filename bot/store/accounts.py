"""Accounts of members, guilds and the house: charged in the transaction that admits a job, given back when we fail.

Credits come back hour by hour and bind only while others wait, so that no machine idles because of a rule. The day's
limits bind always. A member's day is one, however many servers they ask in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, bindparam, insert, select, update

from bot.store.lanes import lane_of
from bot.store.schema import budgets, members
from generation.errors import OutOfCredits
from generation.limits import Allowance, Budget, available, believed, charge, refund

_OF_MEMBER = select(members).where(members.c.member_id == bindparam("member_id"))
_OF_BUDGET = select(budgets).where(budgets.c.guild_id == bindparam("key"))
_INSERTS = {table: insert(table) for table in (members, budgets)}
_UPDATES = {
    table: update(table).where(*(column == bindparam(f"at_{column.name}") for column in table.primary_key))
    for table in (members, budgets)
}

HOUSE = 0  # key of the whole house in the budgets table


@dataclass(frozen=True, slots=True)
class Purses:
    """Budgets beside the members' own; None where the owner set none."""

    guild: Budget | None = None
    house: Budget | None = None
    weight: float = 1.0  # the guild's share among guilds


@dataclass(frozen=True, slots=True)
class Others:
    """Who else waits while somebody asks; hourly limits bind only then."""

    members: bool
    guilds: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One account as it will be written: its row, found or new, and the seconds that a refund subtracts."""

    table: Table
    key: dict[str, Any]
    new: bool
    values: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What an admission will come to; nothing is written before `book`."""

    member: Entry
    last_finish: float  # the member's finish tag so far
    guild: Entry | None
    house: Entry | None

    @property
    def charged(self) -> dict[str, float]:
        """The job's columns from which a refund is reckoned."""
        return {
            "charged": self.member.seconds,
            "guild_charged": self.guild.seconds if self.guild is not None else 0.0,
            "house_charged": self.house.seconds if self.house is not None else 0.0,
        }


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said to whoever meets the end of a budget."""

    day: str
    now: str


MEMBER = Wording("You have reached today's limit.", "You have used up your pictures for now.")
GUILD = Wording(
    "This server has reached its limit for today; that is nothing you did.",
    "This server has used up its pictures for now; that is nothing you did.",
)
WHOLE_HOUSE = Wording(
    "I have painted all I may paint today, for everybody together.",
    "I have painted all I may paint for now, for everybody together.",
)


def assess(
    connection: Connection,
    *,
    guild_id: int | None,
    member_id: int,
    cost: float,
    allowance: Allowance,
    purses: Purses,
    others: Others,
    now: float,
) -> Bill:
    """What `cost` credits come to; raises OutOfCredits, naming whose budget is spent. Writes nothing."""
    rows = accounts_of(connection, member_id)
    own = account_in(rows, guild_id)
    key = {"guild_id": lane_of(guild_id), "member_id": member_id}
    member = _entry(members, key, own, cost, allowance, others.members, now, MEMBER, spent_everywhere(rows, now))
    guild = house = None
    if purses.guild is not None and guild_id is not None:
        guild = _purse(connection, guild_id, cost, purses.guild, others.guilds, now, GUILD)
    if purses.house is not None:
        house = _purse(connection, HOUSE, cost, purses.house, others.members, now, WHOLE_HOUSE)
    return Bill(member, float(own.finish_tag) if own is not None else 0.0, guild, house)


def book(connection: Connection, bill: Bill, finish_tag: float) -> None:
    """Write what was assessed; the member's next job starts at `finish_tag` at the earliest."""
    bill.member.values["finish_tag"] = finish_tag
    for entry in (bill.member, bill.guild, bill.house):
        if entry is None:
            continue
        if entry.new:
            connection.execute(_INSERTS[entry.table], entry.key | entry.values)
        else:
            connection.execute(_UPDATES[entry.table], _at(entry.key) | entry.values)


def give_back(connection: Connection, job: Row[Any], share: float) -> float:
    """Undo `share` (0 to 1) of what `job` was charged, in every account; returns the credits given back.

    The member's place in the fair order stays as it is.
    """
    share = min(max(share, 0.0), 1.0 - job.refunded / job.cost)
    back = share * job.cost
    for table, key, seconds in (
        (members, {"guild_id": lane_of(job.guild_id), "member_id": job.author_id}, job.charged),
        (budgets, {"guild_id": job.guild_id}, job.guild_charged),
        (budgets, {"guild_id": HOUSE}, job.house_charged),
    ):
        where = _keyed(table, key)
        row = connection.execute(select(table).where(where)).first()
        if row is None:
            continue
        values: dict[str, Any] = {"tat": refund(row.tat, row.full_since, share * seconds, job.accepted_at)}
        if row.day == _day(job.accepted_at):
            values["spent"] = max(0.0, row.spent - back)
        connection.execute(update(table).where(where).values(values))
    return float(back)


def accounts_of(connection: Connection, member_id: int) -> Sequence[Row[Any]]:
    """A member's rows, one for each guild they have asked in."""
    return connection.execute(_OF_MEMBER, {"member_id": member_id}).all()


def account_in(rows: Sequence[Row[Any]], guild_id: int | None) -> Row[Any] | None:
    """The one of a guild, or None for a newcomer."""
    return next((row for row in rows if row.guild_id == lane_of(guild_id)), None)


def purse_of(connection: Connection, key: int) -> Row[Any] | None:
    """The state of a guild's budget, or of the house's."""
    return connection.execute(_OF_BUDGET, {"key": key}).first()


def spent_everywhere(rows: Sequence[Row[Any]], now: float) -> float:
    """Credits a member has spent since midnight UTC in all guilds together."""
    return sum(spent_today(row, now) for row in rows)


def spent_today(row: Row[Any] | None, now: float) -> float:
    """Credits of one account spent since midnight UTC."""
    return float(row.spent) if row is not None and row.day == _day(now) else 0.0


def credits_left(row: Row[Any] | None, now: float, budget: Budget) -> tuple[float, float]:
    """Credits that can be spent now, and the moment (epoch seconds) at which the budget is full again."""
    tat = float(row.tat) if row is not None else 0.0
    return available(tat, now, budget), max(believed(tat, now, budget), now)


def _purse(
    connection: Connection, key: int, cost: float, budget: Budget, binding: bool, now: float, wording: Wording
) -> Entry:
    row = purse_of(connection, key)
    spent = spent_today(row, now)
    return _entry(budgets, {"guild_id": key}, row, cost, budget, binding, now, wording, spent)


def _entry(
    table: Table,
    key: dict[str, Any],
    row: Row[Any] | None,
    cost: float,
    budget: Budget,
    binding: bool,
    now: float,
    wording: Wording,
    spent: float,
) -> Entry:
    """The account after spending `cost`.

    `binding` False lets it go down to an empty budget instead of refusing: an idle machine serves whoever asks.
    """
    if spent + cost > budget.daily:
        if cost > budget.daily:
            raise OutOfCredits("That is more than a whole day's limit; choose fewer steps or fewer pictures.")
        raise OutOfCredits(wording.day, retry_at=_midnight(now))
    tat = float(row.tat) if row is not None else 0.0
    asked = charge(tat, cost, now, budget)
    if not asked.affordable and binding:
        if asked.retry_at is None:
            raise OutOfCredits("That is more than can be asked for at once; choose fewer steps or fewer pictures.")
        raise OutOfCredits(wording.now, retry_at=asked.retry_at)
    # A moment that is still to come is from before the clock was set back; a refund must not be lost by it.
    full_since = now if row is None or believed(tat, now, budget) <= now else min(float(row.full_since), now)
    values = {"tat": asked.tat, "full_since": full_since, "day": _day(now), "spent": spent_today(row, now) + cost}
    return Entry(table, key, row is None, values, asked.seconds)


def _at(key: dict[str, Any]) -> dict[str, Any]:
    return {f"at_{name}": value for name, value in key.items()}


def _keyed(table: Table, key: dict[str, Any]) -> Any:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _midnight(now: float) -> float:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1)).timestamp()
