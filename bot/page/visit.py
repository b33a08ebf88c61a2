"""One visit to a chapter: who, in which server, with which form; what chapters answer with is made here."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import discord
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.client import AtelierClient
from bot.desk import Desk
from bot.page.findings import Linter
from bot.page.names import Names
from bot.page.sessions import Note, Session
from bot.studio import Studio
from generation.errors import BadRequest

MOST_BODY: Final = 64 * 1024  # bytes; of a form without files
FOLDER: Final = Path(__file__).parent
MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Site:
    """What chapters draw on."""

    studio: Studio
    desk: Desk
    client: AtelierClient
    names: Names
    linter: Linter
    templates: Templates


class Templates:
    """The pages' templates, read and compiled once; values are always escaped."""

    def __init__(self) -> None:
        self.files = {path.name: path.read_bytes() for path in sorted((FOLDER / "static").iterdir())}
        version = hashlib.sha256(b"".join(self.files.values())).hexdigest()[:12]
        loader = FileSystemLoader(FOLDER / "templates")
        self._environment = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.globals |= {"version": version}
        self._environment.filters |= {"when": when, "ago": ago, "number": number}
        for name in loader.list_templates():
            self._environment.get_template(name)

    async def page(self, name: str, values: Mapping[str, Any], *, code: int = 200) -> web.Response:
        """A page; it is put together in a thread, since long lists take milliseconds."""
        text = await asyncio.to_thread(self._environment.get_template(name).render, values)
        return web.Response(status=code, text=text, content_type="text/html")


@dataclass(frozen=True, slots=True)
class Visit:
    """A moderator's request to a chapter of one of their servers."""

    site: Site
    request: web.Request
    session: Session
    guild: discord.Guild
    chapter: Chapter
    chapters: Sequence[Chapter]
    form: Mapping[str, str] = field(default_factory=dict)  # of a POST
    files: Mapping[str, bytes] = field(default_factory=dict)  # sent with it

    @property
    def moderator_id(self) -> int:
        """Who it is, for whatever keeps a record of who changed what."""
        return self.session.person.id

    @property
    def decides(self) -> bool:
        """Whether the person may also do what only those do who may manage messages or time members out."""
        return self.guild.id in self.session.rights.moderated

    async def page(self, template: str, **values: Any) -> web.Response:
        """Answer with a page of this chapter."""
        note = self.session.take_note()
        open_to = [each for each in self.chapters if self.decides or not each.deciding]
        common = {"session": self.session, "guild": self.guild, "chapter": self.chapter, "chapters": open_to}
        common |= {"at": f"/servers/{self.guild.id}", "note": note, "draft": note.draft if note else {}}
        common |= {
            "servers": {key: name for key, name in self.session.servers.items() if self.site.client.get_guild(key)}
        }
        return await self.site.templates.page(template, common | values)

    def done(self, sentence: str) -> web.Response:
        """Back to the chapter, which says what was done; reloading it does nothing twice."""
        self.session.note = Note(sentence)
        return self.back()

    def refused(self, sentence: str, path: str = "") -> web.Response:
        """Back to the chapter, which says why not and still knows what had been filled in."""
        draft = {name: value for name, value in self.form.items() if name != "csrf"}
        self.session.note = Note(sentence, well=False, draft=draft)
        return self.back(path)

    def back(self, path: str = "") -> web.Response:
        """To the chapter's first page, or to one below it."""
        return web.Response(status=303, headers={"Location": self.chapter.address(self.guild.id) + path})

    async def names(self, people: Sequence[int]) -> Mapping[int, str]:
        """People's names by id."""
        return await self.site.names.of(people)

    def channel(self, channel_id: int) -> str:
        """A channel's name with its sign; one that is gone is called so."""
        found = self.guild.get_channel_or_thread(channel_id)
        return f"#{found.name}" if found is not None else "a channel that is gone"

    def channels(self) -> list[tuple[int, str]]:
        """The channels in which pictures can be asked for, as Discord shows them."""
        found = (each for each in self.guild.channels if isinstance(each, discord.TextChannel | discord.VoiceChannel))
        return [(each.id, f"#{each.name}") for each in sorted(found, key=lambda each: (each.position, each.id))]

    def role(self, role_id: int) -> str:
        """A role's name with its sign."""
        found = self.guild.get_role(role_id)
        return f"@{found.name}" if found is not None else "a role that is gone"

    def roles(self) -> list[tuple[int, str]]:
        """The roles that members can have, the highest first."""
        return [(each.id, f"@{each.name}") for each in reversed(self.guild.roles) if not each.is_default()]

    def id_of(self, name: str) -> int:
        """An id in the form; 0 where nothing was chosen. Raises BadRequest."""
        return _id(self.form.get(name, ""))

    def id_in_query(self, name: str) -> int | None:
        """An id in the address; None where it has none. Raises BadRequest."""
        return _id(self.request.query.get(name, "")) or None

    def page_in_query(self) -> int:
        """Which page of a long list is asked for, from 0."""
        text = self.request.query.get("page", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0

    def optional(self, name: str, most: int) -> str:
        """A field of the form, trimmed, which may be empty; raises BadRequest when it is too long."""
        return self.asked(name, most) if self.form.get(name, "").strip() else ""

    def asked(self, name: str, most: int) -> str:
        """A field of the form, trimmed; raises BadRequest when it is empty or too long."""
        value = self.form.get(name, "").strip()
        if not value:
            raise BadRequest("Please fill in the field first.")
        if len(value) > most:
            raise BadRequest(f"That is longer than {most:,} characters; please shorten it.")
        return value


Answer = Callable[[Visit], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path below a chapter's own. A POST changes something, or asks something with words that no log should have."""

    method: str
    path: str
    answer: Answer
    most: int = MOST_BODY  # bytes that a form may have; more than usual where files are sent


@dataclass(frozen=True, slots=True)
class Chapter:
    """One entry of the navigation with everything below it."""

    slug: str  # empty for the first one
    title: str
    routes: tuple[Route, ...]
    deciding: bool = False  # only for those who may also decide cases, as in Discord

    def address(self, guild_id: int) -> str:
        """Its first page in a server."""
        return f"/servers/{guild_id}/{self.slug}" if self.slug else f"/servers/{guild_id}"


def _id(text: str) -> int:
    text = text.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        raise BadRequest("An id is a number of up to 19 digits; “Copy ID” in Discord gives it.")
    return int(text)


def when(moment: float) -> str:
    """A moment (epoch seconds) in words; UTC, since the page does not know where its reader is."""
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y, %H:%M} UTC"


def ago(moment: float) -> str:
    """How long ago a moment (epoch seconds) was, in one word and number."""
    seconds = max(0.0, time.time() - moment)
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"


def number(value: float) -> str:
    """A number as people write it: 1,234 or 0.5."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
