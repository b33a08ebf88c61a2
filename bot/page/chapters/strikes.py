"""Strikes: members with warnings that count, and those who may not paint."""

from __future__ import annotations

import secrets
from typing import Final

import discord
from aiohttp import web

from bot.page.visit import Chapter, Route, Visit
from bot.review.standing import MOST_HOURS, REASON, check_person, counted, deed_of
from bot.review.strikes import HOUR
from bot.store.audit import THE_BOT, Act, Entry
from generation.errors import BadRequest

MOST: Final = 200  # members that are shown


async def show(visit: Visit) -> web.StreamResponse:
    """Whoever was banned or warned last comes first."""
    store = visit.site.desk.strikes
    warned, banned = await store.active_in(visit.guild.id), await store.bans_in(visit.guild.id)
    members = [*dict.fromkeys([*banned, *warned])]
    givers = [strike.given_by for each in members[:MOST] for strike in warned.get(each, [])]
    givers += [ban.given_by for ban in banned.values()]
    names = {**await visit.names([*members[:MOST], *(each for each in givers if each != THE_BOT)]), THE_BOT: "the bot"}
    rows = [
        {
            "id": member,
            "who": names[member],
            "warnings": [(strike, names[strike.given_by]) for strike in warned.get(member, [])],
            "ban": banned.get(member),
            "banned_by": names[banned[member].given_by] if member in banned else "",
        }
        for member in members[:MOST]
    ]
    more = len(members) - len(rows)
    return await visit.page("strikes.html", rows=rows, more=more, longest=REASON, most_hours=MOST_HOURS)


async def warn(visit: Visit) -> web.StreamResponse:
    """Warn somebody, who is told; enough warnings pause their painting."""
    member = await _person(visit)
    entry = _entry(visit, Act.WARNED, member.id, visit.asked("reason", REASON))
    count, told = await visit.site.client.review.standing.warn(visit.guild, entry, f"aw{secrets.token_hex(8)}")
    return visit.done(f"{member.display_name} has {counted(count)} that count now.{told}")


async def ban(visit: Visit) -> web.StreamResponse:
    """Keep somebody from painting here, for a while or until it is lifted."""
    member = await _person(visit)
    entry = _entry(visit, Act.BANNED, member.id, visit.asked("reason", REASON))
    hours = _hours(visit)
    until = visit.site.studio.clock() + hours * HOUR if hours is not None else None
    await visit.site.client.review.standing.ban(entry, until)
    return visit.done(f"{member.display_name} cannot paint here now; they are told when they try.")


async def clear(visit: Visit) -> web.StreamResponse:
    """Take all that count back, with the pauses they led to."""
    entry = _entry(visit, Act.CLEARED, _member_id(visit), visit.optional("reason", REASON))
    return visit.done(f"{counted(await visit.site.client.review.standing.clear(entry))} taken back.".capitalize())


async def unban(visit: Visit) -> web.StreamResponse:
    """Let somebody paint again; their warnings stay."""
    entry = _entry(visit, Act.UNBANNED, _member_id(visit), visit.optional("reason", REASON))
    await visit.site.client.review.standing.unban(entry)
    return visit.done("They can paint here again.")


def _entry(visit: Visit, act: Act, member_id: int, reason: str) -> Entry:
    return deed_of(visit.guild.id, visit.moderator_id, act, member_id, reason)


def _member_id(visit: Visit) -> int:
    member_id = visit.id_of("member")
    if not member_id:
        raise BadRequest("Say whom this is about first.")
    return member_id


async def _person(visit: Visit) -> discord.User:
    """Whom the form is about, as Discord knows them; raises BadRequest."""
    try:
        person = await visit.site.client.fetch_user(_member_id(visit))
    except discord.NotFound as error:
        raise BadRequest("Discord knows nobody with this id; “Copy User ID” in Discord gives it.") from error
    except (discord.HTTPException, OSError, TimeoutError) as error:
        raise BadRequest("Discord does not answer right now; please try again in a moment.") from error
    check_person(person)
    return person


def _hours(visit: Visit) -> int | None:
    """Hours of a ban; None for one without an end."""
    text = visit.form.get("hours", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST_HOURS):
        raise BadRequest(f"Hours are a whole number from 1 to {MOST_HOURS:,}; leave it empty for no end.")
    return int(text)


CHAPTER: Final = Chapter(
    "strikes",
    "Strikes",
    (
        Route("GET", "", show),
        Route("POST", "/warn", warn),
        Route("POST", "/ban", ban),
        Route("POST", "/clear", clear),
        Route("POST", "/unban", unban),
    ),
    deciding=True,
)
