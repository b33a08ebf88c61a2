"""What is kept, in which table, for how long, and what becomes of it when its person asks to be forgotten.

Every table is named here, or `tests/bot/privacy/test_register.py` fails: a table that nobody thought of is a table
that nobody ever empties. One line is enough for most:

    Kept(table=warnings, kind=MODERATION, since=warnings.c.at, about=(warnings.c.member_id,), guild=warnings.c.guild_id)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func

from bot.order import INTERACTION_TOKEN_LIFE
from bot.sections import Privacy
from bot.store import schema
from bot.store.schema import (
    acceptances,
    artist_requests,
    artists,
    audit,
    bans,
    budgets,
    carried,
    cases,
    departures,
    errands,
    farewells,
    filter_exempt,
    filter_hits,
    filter_rules,
    fingerprints,
    jobs,
    lanes,
    members,
    notes,
    outbox,
    pending_orders,
    pictures,
    policies,
    preferences,
    probing,
    processes,
    reports,
    strikes,
)

DAY, HOUR = 86_400.0, 3_600.0
PENDING_LIFE = INTERACTION_TOKEN_LIFE  # seconds; as long as a request that waits for somebody's word can go on
FAREWELL_LIFE = 14 * DAY  # seconds after which messages that could not be deleted are given up


class Fate(StrEnum):
    """What becomes of a row when its person asks to be forgotten."""

    ERASE = "is deleted"
    PSEUDONYM = "stays without your name"
    CARRY = "stays without your name until it ends"  # and comes back with the next request: nobody gains by leaving
    KEEP = "stays"  # a ban, say: it would end with the data otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of data as members are told of it."""

    title: str
    seconds: Callable[[Privacy], float | None]  # how long; None: no end by itself
    until: str  # what that time counts from, or what ends it
    endless: str = ""  # what ends it where the owner has set no end
    fate: Fate = Fate.ERASE


WORDS = Kind(
    title="words and settings of your requests",
    seconds=lambda privacy: privacy.prompts_days * DAY or None,
    until="after a button of the picture was last used; then only a keyed hash",
    endless="until you delete them",
)
FILES = Kind(
    title="picture files on this machine (Discord keeps what was posted)",
    seconds=lambda privacy: privacy.files_days * DAY,
    until="after the request ended",
)
UPLOADS = Kind(
    title="pictures you gave to start from",
    seconds=lambda privacy: privacy.uploads_hours * HOUR,
    until="after the request ended",
)
EVIDENCE = Kind(
    title="withheld and reported pictures",
    seconds=lambda privacy: privacy.evidence_days * DAY,
    until="after the request, or until moderators have decided",
)
TOKENS = Kind(
    title="Discord's keys for answering you",
    seconds=lambda _: INTERACTION_TOKEN_LIFE,
    until="after you asked",
)
RECORDS = Kind(
    title="that you asked, where and when, and where the result is, without your words",
    seconds=lambda privacy: privacy.records_days * DAY,
    until="after the request ended",
)
QUOTA = Kind(
    title="what you have spent of your allowance",
    seconds=lambda privacy: privacy.quota_hours * HOUR,
    until="after it has come back",
    fate=Fate.CARRY,
)
MODERATION = Kind(
    title="reports and what moderators did",
    seconds=lambda privacy: privacy.moderation_days * DAY,
    until="after it happened; warnings and bans after they have ended",
    fate=Fate.PSEUDONYM,
)
TERMS = Kind(title="which model rules you agreed to", seconds=lambda _: None, until="until you delete your data")
CHOICES = Kind(title="what you chose with /preferences", seconds=lambda _: None, until="until you delete your data")
WAITING = Kind(
    title="a request that waits until you agree to a model's rules",
    seconds=lambda _: PENDING_LIFE,
    until="after you asked",
)
SETTINGS = Kind(
    title="a server's settings and filter rules, with who made them",
    seconds=lambda _: None,
    until="until its moderators change them, or the bot has left",
    fate=Fate.PSEUDONYM,
)
MARKS = Kind(
    title="marks by which a picture is known to be ours, without a person",
    seconds=lambda privacy: privacy.records_days * DAY,
    until="after it was made",
    fate=Fate.KEEP,
)
HOUSE = Kind(title="the bot's own notes, about nobody", seconds=lambda _: None, until="as long as it runs")
FAREWELLS = Kind(
    title="which messages you asked to have deleted",
    seconds=lambda _: FAREWELL_LIFE,
    until="after you asked, or until it is done",
)
LOGS = Kind(
    title="the log, with ids and without words",
    seconds=lambda privacy: privacy.logs_days * DAY,
    until="after it was written",
    fate=Fate.KEEP,
)
TOLD = (
    WORDS,
    FILES,
    UPLOADS,
    EVIDENCE,
    TOKENS,
    RECORDS,
    QUOTA,
    MODERATION,
    TERMS,
    CHOICES,
    WAITING,
    SETTINGS,
    MARKS,
    LOGS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One table: whose data it has, since when, and how it ends."""

    table: Table
    kind: Kind
    since: ColumnElement[Any] | None = None  # epoch seconds from which its age counts; NULL: not yet
    about: tuple[Column[Any], ...] = ()  # ids of the people it is about
    guild: Column[Any] | None = None  # goes some time after the bot has left that guild
    job: Column[Any] | None = None  # belongs to a job and goes with it
    fate: Fate | None = None  # where it differs from that of its kind
    words: tuple[tuple[Column[Any], Column[Any]], ...] = ()  # free text, and the column of `about` with who wrote it
    blank: tuple[Column[Any], ...] = ()  # free text that goes when its person is forgotten
    hidden: tuple[Column[Any], ...] = ()  # not for an export, such as keys of Discord's

    @property
    def on_request(self) -> Fate:
        """What becomes of a person's rows when they ask."""
        return self.fate or self.kind.fate


_UNSEEN = (pictures.c.held, pictures.c.evidence, pictures.c.checked_by)  # the last may name a moderator

REGISTER: tuple[Kept, ...] = (
    # Its words and its token end earlier than the row, see bot.store.ageing.
    Kept(
        table=jobs,
        kind=RECORDS,
        since=jobs.c.ended_at,
        about=(jobs.c.author_id,),
        guild=jobs.c.guild_id,
        hidden=(jobs.c.token, jobs.c.press),
    ),
    # Its files, and what is known of withheld ones, end earlier: see bot.store.shelves and bot.store.ageing.
    Kept(table=pictures, kind=RECORDS, job=pictures.c.job_id, hidden=_UNSEEN),
    Kept(table=outbox, kind=RECORDS, job=outbox.c.job_id),
    Kept(table=members, kind=QUOTA, since=members.c.tat, about=(members.c.member_id,), guild=members.c.guild_id),
    # A pause for probing the filter would end with the data otherwise; it lasts hours, not days.
    Kept(
        table=probing,
        kind=QUOTA,
        since=probing.c.refused_at,
        about=(probing.c.member_id,),
        guild=probing.c.guild_id,
        fate=Fate.KEEP,
    ),
    Kept(table=lanes, kind=HOUSE, guild=lanes.c.guild_id),
    Kept(table=budgets, kind=HOUSE, guild=budgets.c.guild_id),
    Kept(table=carried, kind=QUOTA, since=carried.c.carried_at, fate=Fate.KEEP),
    Kept(
        table=reports,
        kind=MODERATION,
        since=reports.c.reported_at,
        about=(reports.c.reporter_id,),
        guild=reports.c.guild_id,
        blank=(reports.c.reason,),
    ),
    Kept(table=filter_rules, kind=SETTINGS, about=(filter_rules.c.added_by,), guild=filter_rules.c.guild_id),
    Kept(table=filter_exempt, kind=SETTINGS, about=(filter_exempt.c.added_by,), guild=filter_exempt.c.guild_id),
    Kept(
        table=filter_hits,
        kind=MODERATION,
        since=filter_hits.c.at,
        about=(filter_hits.c.member_id,),
        guild=filter_hits.c.guild_id,
    ),
    Kept(table=artists, kind=SETTINGS, about=(artists.c.added_by,), guild=artists.c.guild_id),
    Kept(
        table=artist_requests,
        kind=MODERATION,
        since=artist_requests.c.requested_at,
        about=(artist_requests.c.requested_by, artist_requests.c.decided_by),
        guild=artist_requests.c.guild_id,
        words=(
            (artist_requests.c.contact, artist_requests.c.requested_by),
            (artist_requests.c.relation, artist_requests.c.requested_by),
        ),
        blank=(artist_requests.c.contact, artist_requests.c.relation),
    ),
    Kept(
        table=cases,
        kind=MODERATION,
        since=cases.c.opened_at,
        about=(cases.c.author_id, cases.c.ruled_by, cases.c.contested_by),
        guild=cases.c.guild_id,
        words=((cases.c.appeal, cases.c.author_id),),
        blank=(cases.c.appeal,),
    ),
    Kept(table=errands, kind=MODERATION, since=errands.c.done_at, fate=Fate.KEEP),
    Kept(
        table=audit,
        kind=MODERATION,
        since=audit.c.at,
        about=(audit.c.actor_id, audit.c.member_id),
        guild=audit.c.guild_id,
        words=((audit.c.reason, audit.c.actor_id),),
    ),
    # Whoever could have them deleted would be rid of them.
    Kept(
        table=strikes,
        kind=MODERATION,
        since=strikes.c.expires_at,
        about=(strikes.c.member_id, strikes.c.given_by),
        guild=strikes.c.guild_id,
        fate=Fate.KEEP,
    ),
    Kept(
        table=bans,
        kind=MODERATION,
        since=func.coalesce(bans.c.lifted_at, bans.c.until),
        about=(bans.c.member_id, bans.c.given_by),
        guild=bans.c.guild_id,
        fate=Fate.KEEP,
    ),
    Kept(table=policies, kind=SETTINGS, about=(policies.c.changed_by,), guild=policies.c.guild_id),
    Kept(table=fingerprints, kind=MARKS, since=fingerprints.c.made_at),
    Kept(table=preferences, kind=CHOICES, about=(preferences.c.member_id,)),
    Kept(table=acceptances, kind=TERMS, about=(acceptances.c.member_id,)),
    Kept(
        table=pending_orders,
        kind=WAITING,
        since=pending_orders.c.asked_at,
        about=(pending_orders.c.member_id,),
        guild=pending_orders.c.guild_id,
        hidden=(pending_orders.c.order,),
    ),
    Kept(table=farewells, kind=FAREWELLS, since=farewells.c.asked_at),
    Kept(table=departures, kind=HOUSE),
    Kept(table=processes, kind=HOUSE),
    Kept(table=notes, kind=HOUSE),
)


def unregistered() -> list[str]:
    """Names of tables that this register forgets; always empty."""
    named = {kept.table.name for kept in REGISTER}
    return sorted(set(schema.metadata.tables) - named)
