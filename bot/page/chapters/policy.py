"""Policy: what may be shown in the server, and what is different in some of its channels."""

from __future__ import annotations

from typing import Any, Final

import discord
from aiohttp import web

from bot.moderation.policy import NAMES, ORDINARY_MOST, WORDS
from bot.page.visit import Chapter, Route, Visit
from bot.review.moderators import ONLY_MODERATORS
from bot.review.queue_channel import PUBLIC, check_usable, is_public
from bot.review.rules import MOST_DAYS, MOST_HOURS, MOST_PEOPLE
from bot.store.policies import WHOLE_GUILD
from generation.errors import BadRequest, NotAllowed
from generation.safety.level import Level

FIELDS: Final = ("level", "restricted_level", "spoiler_from")
LEVELS: Final = [(int(level), NAMES[level], WORDS[level]) for level in Level]
NUMBERS: Final = {  # title, least and most
    "report_threshold": ("Reports that hide a picture at once; 0: never", 0, MOST_PEOPLE),
    "strike_days": ("Days after which a warning counts no longer", 1, MOST_DAYS),
    "pause_at": ("Active warnings that pause painting; 0: never", 0, MOST_PEOPLE),
    "pause_hours": ("Hours of that pause", 1, MOST_HOURS),
    "ban_at": ("Active warnings that end painting until a moderator lifts it; 0: never", 0, MOST_PEOPLE),
}
NEVER: Final = (
    "Whatever is set here: pictures that may sexualise minors, and explicit pictures made from an uploaded one, are "
    "never shown, kept or reviewed."
)


async def show(visit: Visit) -> web.StreamResponse:
    """The server's levels, then every channel that has its own."""
    book, status = visit.site.studio.policies, visit.site.studio.status
    own = set(book.channels(visit.guild.id))
    places = [_place(visit, WHOLE_GUILD), *(_place(visit, channel_id) for channel_id in sorted(own))]
    return await visit.page(
        "policy.html",
        places=places,
        levels=LEVELS,
        new={"id": -1, "restricted": None, "set": dict.fromkeys(FIELDS)},
        ordinary=[each for each in LEVELS if each[0] <= ORDINARY_MOST],
        channels=[(key, name) for key, name in visit.channels() if key not in own],
        coverage=status.coverage if status is not None else None,
        never=NEVER,
        review=_review_fields(visit) if visit.decides else None,
    )


async def change(visit: Visit) -> web.StreamResponse:
    """Set the levels of the server or of one channel; a field left open follows what stands above it."""
    channel_id = _channel_id(visit)
    changes = {name: _level(visit.form.get(name, "")) for name in FIELDS if name in visit.form}
    if not changes:
        raise BadRequest("Choose what to change first.")
    if (changes.get("level") or Level.NEUTRAL) > ORDINARY_MOST:
        raise BadRequest(f"Ordinary channels show {NAMES[ORDINARY_MOST]} at most; mark the channel age-restricted.")
    book = visit.site.studio.policies
    if channel_id and not book.settings(visit.guild.id, channel_id) and set(changes.values()) == {None}:
        raise BadRequest("Choose what is different there first.")
    await book.change(visit.guild.id, changes, visit.moderator_id, channel_id=channel_id)
    return visit.done("Saved; it holds for everything that is not painted yet.")


async def review(visit: Visit) -> web.StreamResponse:
    """Where cases are shown, and what reports and warnings lead to."""
    if not visit.decides:
        raise NotAllowed(ONLY_MODERATORS)
    rules = visit.site.client.review
    before = rules.rules.rules_for(visit.guild.id)
    changes: dict[str, Any] = {
        name: _number(visit, name, least, most)
        for name, (_, least, most) in NUMBERS.items()
        if name in visit.form and visit.form[name].strip() != f"{getattr(before, name):g}"
    }
    note = ""
    if "review_channel" in visit.form and (visit.id_of("review_channel") or None) != before.channel:
        channel = _text_channel(visit)
        changes["channel"] = channel.id if channel is not None else None
        note = f" {PUBLIC}" if channel is not None and is_public(channel) else ""
    if changes:
        await rules.rules.change(visit.guild.id, visit.moderator_id, **changes)
    if changes.get("channel"):
        await rules.show_waiting(visit.guild.id)
    return visit.done(f"Saved.{note}")


async def reset(visit: Visit) -> web.StreamResponse:
    """Back to the strictest levels, or let a channel follow the server again."""
    channel_id = _channel_id(visit)
    await visit.site.studio.policies.change(
        visit.guild.id, dict.fromkeys(FIELDS), visit.moderator_id, channel_id=channel_id
    )
    followed = "That channel follows the server again." if channel_id else "The server has the strictest levels again."
    return visit.done(followed)


def _review_fields(visit: Visit) -> dict[str, object]:
    rules = visit.site.client.review.rules.rules_for(visit.guild.id)
    numbers = [
        {"name": name, "title": title, "least": least, "most": most, "value": f"{getattr(rules, name):g}"}
        for name, (title, least, most) in NUMBERS.items()
    ]
    channels = [(each.id, f"#{each.name}") for each in visit.guild.text_channels]
    if rules.channel is not None and rules.channel not in dict(channels):
        channels.append((rules.channel, visit.channel(rules.channel)))
    return {"channel": rules.channel, "channels": channels, "numbers": numbers}


def _number(visit: Visit, name: str, least: int, most: int) -> int:
    text = visit.form[name].strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 8 and least <= int(text) <= most):
        raise BadRequest(f"“{NUMBERS[name][0]}” is a whole number from {least} to {most:,}.")
    return int(text)


def _text_channel(visit: Visit) -> discord.TextChannel | None:
    """The channel chosen for cases, None for none; raises BadRequest where the bot cannot post."""
    channel_id = visit.id_of("review_channel")
    if not channel_id:
        return None
    channel = visit.guild.get_channel(channel_id)
    if not isinstance(channel, discord.TextChannel):
        raise BadRequest("There is no such text channel in this server.")
    check_usable(channel)
    return channel


def _place(visit: Visit, channel_id: int) -> dict[str, object]:
    settings = visit.site.studio.policies.settings(visit.guild.id, channel_id)
    channel = visit.guild.get_channel_or_thread(channel_id)
    restricted = isinstance(channel, discord.TextChannel | discord.VoiceChannel | discord.Thread) and channel.is_nsfw()
    return {
        "id": channel_id,
        "name": visit.channel(channel_id) if channel_id else "",
        "restricted": restricted,
        "set": {name: settings.get(name) for name in FIELDS},
    }


def _level(value: str) -> Level | None:
    """A level, or None for “as above”; raises BadRequest."""
    if value == "":
        return None
    try:
        return Level(int(value))
    except ValueError as error:
        raise BadRequest(f"There is no such level; choose one of {', '.join(NAMES.values())}.") from error


def _channel_id(visit: Visit) -> int:
    """The channel of the form; raises BadRequest for one that is neither in this server nor has settings."""
    given = visit.form.get("channel", "")
    if not given.isdecimal() or len(given) > 20:
        raise BadRequest("Choose a channel first.")
    channel_id = int(given)
    known = visit.guild.get_channel_or_thread(channel_id) is not None
    if channel_id and not known and channel_id not in visit.site.studio.policies.channels(visit.guild.id):
        raise BadRequest("There is no such channel in this server.")
    return channel_id


CHAPTER: Final = Chapter(
    "policy",
    "Policy",
    (
        Route("GET", "", show),
        Route("POST", "/change", change),
        Route("POST", "/review", review),
        Route("POST", "/reset", reset),
    ),
)
