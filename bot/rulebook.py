"""The filter rules in force, compiled per guild and kept in memory so that a check never waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from bot.desk import Desk
from bot.hit_log import HitLog
from bot.instance_lists import read_artists, read_rules
from bot.moderation.absolute import is_refused
from bot.moderation.artists import Artist, artist_rules
from bot.moderation.entries import Entry, read_entry
from bot.moderation.filter import Filter, bidi
from bot.moderation.finding import CLEAR, FORBIDDEN, Finding, Kind, explained, final_text, graver, in_lora, in_negative
from bot.moderation.rules import Mode, RuleError, split_decision
from bot.moderation.scope import EVERYWHERE, Scope
from bot.moderation.verdict import GRAVITY, Decision
from bot.moderation.views import Readings
from bot.order import Place
from bot.sections import Filter as Settings
from bot.store.filters import Hit, HitCount
from generation.errors import BadRequest
from generation.request import Request

MOST_RULES: Final = 1000  # per guild, as in Discord's AutoMod
MOST_PATTERNS: Final = 100  # regular expressions among them
MOST_ARTISTS: Final = 1000  # per guild
MOST_EXEMPT: Final = 50  # roles per guild
INSTANCE: Final = 0  # the guild id under which the owner's lists stand
_NOTHING: Final = Filter([])


class RuleBook:
    """Rules and artists by guild; changes are stored first, then take effect at once."""

    def __init__(self, desk: Desk, settings: Settings | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings or Settings()
        self._store = desk.rules
        self._artist_store = desk.artists
        self._hits = desk.hits
        self._log = HitLog(desk.hits)
        self._clock = clock
        self._entries: dict[int, list[Entry]] = {}
        self._exempt: dict[int, frozenset[int]] = {}
        self._artists: dict[int, list[Artist]] = {}
        self._filters: dict[int, Filter] = {}
        self._artist_filters: dict[int, Filter] = {}
        self._own_artists: tuple[Artist, ...] = ()  # of the owner's file
        self._changing = asyncio.Lock()  # a change that takes effect late would undo the one after it

    async def open(self) -> None:
        """Load and compile everything that is stored and the owner's lists; raises ConfigError for a list in error."""
        await self.read_lists(self._settings)
        self._entries = await self._store.everything()
        self._exempt = await self._store.exempt()
        self._artists = await self._artist_store.everything()
        for guild_id in self._entries:
            await self._compile(guild_id)
        for gone in self._filters.keys() - self._entries.keys() - {INSTANCE}:
            del self._filters[gone]
        for guild_id in {INSTANCE, *self._artists}:
            await self._compile_artists(guild_id)

    async def read_lists(self, settings: Settings) -> None:
        """Take the owner's lists as they are now; raises ConfigError for one in error, and then nothing has changed."""
        rules = await asyncio.to_thread(read_rules, settings.rules)
        artists = await asyncio.to_thread(read_artists, settings.artists)
        self._filters[INSTANCE] = await asyncio.to_thread(Filter, rules)
        self._own_artists, self._settings = tuple(artists), settings
        await self._compile_artists(INSTANCE)

    async def read_again(self) -> None:
        """Another process may have changed rules or artists: what is different now is compiled again."""
        async with self._changing:
            before, self._entries = self._entries, await self._store.everything()
            self._exempt = await self._store.exempt()
            for guild_id in before.keys() | self._entries.keys():
                if before.get(guild_id, []) != self._entries.get(guild_id, []):
                    await self._reload(guild_id)
            listed, self._artists = self._artists, await self._artist_store.everything()
            for guild_id in listed.keys() | self._artists.keys():
                if listed.get(guild_id, []) != self._artists.get(guild_id, []):
                    await self._compile_artists(guild_id)

    async def close(self) -> None:
        """Write what is still to be written."""
        await self._log.close()

    # -- judging -----------------------------------------------------------------------------------------------------

    def check(self, place: Place, request: Request, *, patterns: bool = True) -> Finding:
        """The gravest that any list says of `request` at `place`. Blocking, and safe in a thread.

        Without `patterns` moderators' regular expressions are left out, whose cost is not ours to bound.
        """
        if is_refused(request):
            return FORBIDDEN
        finding = in_lora(self._look(place, final_text(request), patterns=patterns), request)
        if finding.blocks or not request.negative:
            return finding
        beside = self._look(place, request.negative, patterns=patterns, artists=False)
        return graver(finding, in_negative(beside, Decision(self._settings.negative)))

    async def examine(self, place: Place, request: Request) -> Finding:
        """`check` with everything; in a thread where patterns take part, so that nobody else waits for them."""
        if any(filter_.has_patterns for _, filter_ in self._lists(place)):
            return await asyncio.to_thread(self.check, place, request)
        return self.check(place, request)

    def _look(self, place: Place, text: str, *, patterns: bool, artists: bool = True) -> Finding:
        if (verdict := bidi(text)) is not None:
            return explained(verdict, Kind.TEXT)
        readings = Readings(text)
        gravest = CLEAR
        for kind, filter_ in self._lists(place):
            if kind is Kind.ARTIST and not artists:
                break  # whoever keeps a name out of a picture imitates nobody
            gravest = graver(gravest, explained(filter_.read(readings, place, patterns=patterns), kind))
            if gravest.blocks:
                break
        return gravest

    def _lists(self, place: Place) -> Iterator[tuple[Kind, Filter]]:
        """What counts at `place`: exempt roles are free of the guild's own rules and of nothing else."""
        guild_id = place.guild_id
        yield Kind.INSTANCE, self._filters.get(INSTANCE, _NOTHING)
        if guild_id is not None and not self._exempt.get(guild_id, frozenset()) & place.role_ids:
            yield Kind.GUILD, self._filters.get(guild_id, _NOTHING)
        yield Kind.ARTIST, self._artist_filters.get(INSTANCE, _NOTHING)
        if guild_id is not None:
            yield Kind.ARTIST, self._artist_filters.get(guild_id, _NOTHING)

    async def test(self, guild_id: int, text: str) -> list[Finding]:
        """What each list of the guild says of `text`, gravest first, whatever the scopes; empty when nothing does."""
        return await asyncio.to_thread(self._test, guild_id, text)

    def _test(self, guild_id: int, text: str) -> list[Finding]:
        if (verdict := bidi(text)) is not None:
            return [explained(verdict, Kind.TEXT)]
        readings = Readings(text)
        said = [(kind, filter_.read(readings)) for kind, filter_ in self._lists(Place(guild_id=guild_id))]
        findings = [explained(verdict, kind) for kind, verdict in said if verdict.verdict is not Decision.ALLOW]
        return sorted(findings, key=lambda finding: GRAVITY.index(finding.severity))

    def note(self, place: Place, member_id: int, finding: Finding) -> None:
        """Write down a hit, without what was asked; returns at once."""
        if finding.severity is Decision.ALLOW:
            return
        self._log.note(
            Hit(
                guild_id=place.guild_id or INSTANCE,
                member_id=member_id,
                kind=finding.kind.value,
                rule=finding.rule or "",
                severity=finding.severity.value,
                view=finding.view.value if finding.view else "",
                part=finding.part.value,
                at=self._clock(),
            )
        )

    async def counts(self, guild_id: int, since: float) -> list[HitCount]:
        """How often each rule was met in the guild since then (epoch seconds), to this moment."""
        await self._log.flush()
        return await self._hits.counts(guild_id, since)

    # -- a guild's rules ---------------------------------------------------------------------------------------------

    def entries(self, guild_id: int) -> list[Entry]:
        """The guild's rules, oldest first."""
        return [*self._entries.get(guild_id, [])]

    def exempt(self, guild_id: int) -> frozenset[int]:
        """Roles whose members the guild's rules do not bind."""
        return self._exempt.get(guild_id, frozenset())

    async def add(self, guild_id: int, rule: str, added_by: int, severity: Decision | None = None) -> None:
        """Add one rule for the whole guild; raises BadRequest with a sentence when it cannot be understood."""
        await self.put(guild_id, [understood(rule, severity)], added_by)

    async def put(self, guild_id: int, entries: Collection[Entry], added_by: int) -> None:
        """Add rules, replacing those with the same words in the same scope; raises BadRequest when it is too many."""
        async with self._changing:
            fresh = {(entry.text, entry.scope): entry for entry in entries}
            kept = {(entry.text, entry.scope): entry for entry in self._entries.get(guild_id, [])} | fresh
            await asyncio.to_thread(_refuse_too_many, kept.values())
            await self._store.put(guild_id, fresh.values(), added_by)
            await self._reload(guild_id)

    async def remove(self, guild_id: int, rule: str, removed_by: int, scope: Scope | None = None) -> int:
        """Remove a rule from one scope, or from all; returns in how many it was."""
        text = rule.strip()
        decision, body = split_decision(text)
        async with self._changing:
            text = text if decision is Decision.BLOCK else body
            removed = await self._store.remove(guild_id, text, scope, removed_by)
            await self._reload(guild_id)
        return removed

    async def set_exempt(self, guild_id: int, role_ids: Iterable[int], by: int, *, exempt: bool) -> None:
        """Let members with the roles pass by the guild's rules, or no longer."""
        role_ids = frozenset(role_ids)
        async with self._changing:
            if exempt and len(self.exempt(guild_id) | role_ids) > MOST_EXEMPT:
                raise BadRequest(f"At most {MOST_EXEMPT} roles can be exempt; the rules would bind hardly anybody.")
            await self._store.set_exempt(guild_id, role_ids, by, exempt=exempt)
            self._exempt = await self._store.exempt()

    async def _reload(self, guild_id: int) -> None:
        self._entries[guild_id] = (await self._store.everything(guild_id)).get(guild_id, [])
        await self._compile(guild_id)

    async def _compile(self, guild_id: int) -> None:
        # In a thread as a whole: reading a thousand rules alone takes a fifth of a second.
        self._filters[guild_id] = await asyncio.to_thread(_compiled, self._entries[guild_id])

    # -- artists -----------------------------------------------------------------------------------------------------

    def artists(self, guild_id: int) -> list[Artist]:
        """The guild's own list, by name."""
        return sorted(self._artists.get(guild_id, []))

    async def add_artist(self, guild_id: int, artist: Artist, added_by: int) -> None:
        """Honour somebody's wish not to be imitated from now on; raises BadRequest when the list is full."""
        async with self._changing:
            if len(self._artists.get(guild_id, [])) >= MOST_ARTISTS:
                raise BadRequest(f"There are already {MOST_ARTISTS:,} artists on the list; remove one first.")
            await self._artist_store.add(guild_id, artist, added_by)
            await self._reload_artists(guild_id)

    async def remove_artist(self, guild_id: int, name: str, removed_by: int) -> bool:
        """Take a name from the guild's list; False when it is not on it."""
        same = [artist.name for artist in self.artists(guild_id) if artist.name.casefold() == name.strip().casefold()]
        async with self._changing:
            gone = [await self._artist_store.remove(guild_id, each, removed_by) for each in same]
            await self._reload_artists(guild_id)
        return any(gone)

    async def _reload_artists(self, guild_id: int) -> None:
        self._artists = await self._artist_store.everything()
        await self._compile_artists(guild_id)

    async def _compile_artists(self, guild_id: int) -> None:
        own = self._own_artists if guild_id == INSTANCE else ()
        names = [*self._artists.get(guild_id, []), *own]
        self._artist_filters[guild_id] = await asyncio.to_thread(lambda: Filter(artist_rules(names)))


def understood(rule: str, severity: Decision | None = None, scope: Scope = EVERYWHERE, language: str = "") -> Entry:
    """What a moderator wrote as an entry; raises BadRequest with the sentence that helps them."""
    try:
        entry = read_entry(rule, severity, scope, language)
    except RuleError as error:
        raise BadRequest(str(error)) from error
    if entry is None:
        raise BadRequest("That rule is empty; write a word, word*, “two words”, near:A, B or re:… .")
    return entry


def _compiled(entries: Sequence[Entry]) -> Filter:
    return Filter([entry.rule() for entry in entries])


def _refuse_too_many(entries: Collection[Entry]) -> None:
    if len(entries) > MOST_RULES:
        raise BadRequest(
            f"At most {MOST_RULES:,} rules are possible; this would make {len(entries):,}, so remove some."
        )
    patterns = sum(entry.rule().mode is Mode.REGEX for entry in entries)
    if patterns > MOST_PATTERNS:
        raise BadRequest(
            f"At most {MOST_PATTERNS} patterns (re:…) are possible and this would make {patterns}; words cost less."
        )
