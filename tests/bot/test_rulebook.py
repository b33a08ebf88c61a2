"""The rules in force: lists, places, parts of a request, and what is written down about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.desk import Desk
from bot.moderation.artists import Artist
from bot.moderation.entries import Entry
from bot.moderation.filter import Filter
from bot.moderation.finding import Kind, Part
from bot.moderation.rules import Rule, parse_rule
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.order import Place
from bot.rulebook import MOST_PATTERNS, MOST_RULES, RuleBook, understood
from bot.sections import Filter as Settings
from bot.store.database import Database
from bot.store.filters import HitCount
from generation.errors import BadRequest, Blocked, ConfigError
from generation.request import Lora
from tests.house import open_house
from tests.orders import CHANNEL, GUILD, a_request, an_order
from tests.painter import Painter

MODERATOR = 99
HERE = Place(guild_id=GUILD, channel_ids=frozenset({CHANNEL}))


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[tuple[RuleBook, Desk]]:
    async with Database(f"sqlite+aiosqlite:///{folder / 'atelier.sqlite'}", folder) as database:
        desk = Desk.over(database, folder)
        book = RuleBook(desk, Settings(**settings))
        await book.open()
        yield book, desk
        await book.close()


async def test_a_slow_change_does_not_undo_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_when_small(rules: Any) -> Filter:
        each = [*rules]
        time.sleep(0.3 if len(each) == 1 else 0.0)
        return Filter(each)

    async with opened(tmp_path) as (book, _):
        monkeypatch.setattr("bot.rulebook.Filter", slow_when_small)
        first = asyncio.create_task(book.add(GUILD, "turnip", MODERATOR))
        await asyncio.sleep(0.1)
        await book.add(GUILD, "radish", MODERATOR)
        await first

        assert [entry.line for entry in book.entries(GUILD)] == ["turnip", "radish"]
        assert book.check(HERE, a_request(prompt="a turnip")).blocks
        assert book.check(HERE, a_request(prompt="a radish")).blocks


async def test_the_names_of_loras_are_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        await book.add(GUILD, "turnip", MODERATOR)
        await book.add(GUILD, "near:radish, house", MODERATOR)
        found = book.check(HERE, a_request(loras=(Lora("turnip_v2", 0.8),)))
        assert (found.blocks, found.part, found.match) == (True, Part.LORA, "turnip")
        assert "LoRA" in found.sentence
        pair = book.check(HERE, a_request(prompt="a red house", loras=(Lora("radish", 1.0),)))
        assert (pair.blocks, pair.rule) == (True, "near:radish, house")


@pytest.mark.parametrize(
    ("most", "block", "review"),
    [("review", "review", "review"), ("shadow", "shadow", "shadow"), ("block", "block", "review")],
)
async def test_a_hit_in_the_negative_prompt_weighs_less(tmp_path: Path, most: str, block: str, review: str) -> None:
    async with opened(tmp_path, negative=most) as (book, _):
        await book.add(GUILD, "turnip", MODERATOR)
        await book.add(GUILD, "review:radish", MODERATOR)
        grave = book.check(HERE, a_request(negative="t u r n i p"))
        assert (grave.severity, grave.part) == (block, Part.NEGATIVE)
        assert "negative prompt" in grave.sentence or most == "shadow"
        assert book.check(HERE, a_request(negative="radish")).severity == review
        assert book.check(HERE, a_request(prompt="a turnip", negative="turnip")).part is Part.PROMPT
        turned = book.check(HERE, a_request(negative="\u202eno"))
        assert (turned.blocks, turned.kind) == (True, Kind.TEXT)


async def test_roles_that_are_exempt_are_free_of_the_guilds_rules_alone(tmp_path: Path) -> None:
    rules, names = tmp_path / "rules.txt", tmp_path / "artists.txt"
    rules.write_text("swede\nallow:turnip\n", encoding="utf-8")
    names.write_text("Wilma Quandel\n", encoding="utf-8")
    free = Place(guild_id=GUILD, role_ids=frozenset({5}))
    async with opened(tmp_path, rules=str(rules), artists=str(names)) as (book, _):
        await book.add(GUILD, "turnip", MODERATOR)
        await book.add(GUILD, "allow:swede", MODERATOR)
        await book.set_exempt(GUILD, [5], MODERATOR, exempt=True)
        assert not book.check(free, a_request(prompt="a turnip")).blocks
        swede = book.check(free, a_request(prompt="a swede"))
        assert (swede.blocks, swede.kind) == (True, Kind.INSTANCE)  # the guild's allow: does not excuse it
        assert book.check(HERE, a_request(prompt="a turnip")).blocks  # nor the owner's the guild's
        assert book.check(Place(guild_id=None), a_request(prompt="a swede")).blocks
        artist = book.check(free, a_request(prompt="by W. Quandel"))
        assert (artist.blocks, artist.kind, artist.punishable) == (True, Kind.ARTIST, False)
        assert "Wilma Quandel has asked not to be imitated" in artist.sentence
        assert not book.check(free, a_request(negative="by W. Quandel")).blocks
        with pytest.raises(BadRequest, match="At most 50 roles"):
            await book.set_exempt(GUILD, range(100, 200), MODERATOR, exempt=True)
        await book.set_exempt(GUILD, [5], MODERATOR, exempt=False)
        assert book.check(free, a_request(prompt="a turnip")).blocks
    async with opened(tmp_path) as (book, _):
        assert book.exempt(GUILD) == frozenset()


async def test_lists_of_the_owner_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    bad = tmp_path / "rules.txt"
    bad.write_text("walnut\nwal*nut\n", encoding="utf-8")
    for settings in ({"rules": str(bad)}, {"artists": str(tmp_path / "none")}):
        with pytest.raises(ConfigError, match=r"line 2: A star|cannot be read"):
            async with opened(tmp_path, **settings):
                pass


async def test_the_same_rule_in_another_scope_is_another_rule(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        await book.put(GUILD, [understood("turnip", Decision.SHADOW)], MODERATOR)
        await book.put(GUILD, [understood("turnip", None, Scope(channel_id=CHANNEL), "en")], MODERATOR)
        assert book.check(HERE, a_request(prompt="turnip")).blocks
        assert book.check(Place(guild_id=GUILD), a_request(prompt="turnip")).severity is Decision.SHADOW
        await book.put(GUILD, [understood("review:turnip")], MODERATOR)  # the same place: replaced
        assert book.check(Place(guild_id=GUILD), a_request(prompt="turnip")).severity is Decision.REVIEW
    async with opened(tmp_path) as (book, _):
        assert {*book.entries(GUILD)} == {
            Entry("turnip", Decision.REVIEW),
            Entry("turnip", Decision.BLOCK, Scope(channel_id=CHANNEL), "en"),
        }
        assert await book.remove(GUILD, "turnip", MODERATOR, Scope(channel_id=CHANNEL)) == 1
        assert await book.remove(GUILD, "review:turnip", MODERATOR) == 1
        assert await book.remove(GUILD, "turnip", MODERATOR) == 0


async def test_there_is_an_end_to_rules_and_patterns(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        patterns = [understood(f"re:tur{number}nip") for number in range(MOST_PATTERNS)]
        await book.put(GUILD, patterns, MODERATOR)
        await book.put(GUILD, patterns, MODERATOR)  # the same ones again are not more
        with pytest.raises(BadRequest, match=r"At most 100 patterns"):
            await book.add(GUILD, "re:radish", MODERATOR)
        words = [understood(f"turnip{number}") for number in range(MOST_RULES - MOST_PATTERNS)]
        await book.put(GUILD, words, MODERATOR)
        with pytest.raises(BadRequest, match=r"At most 1,000 rules"):
            await book.add(GUILD, "radish", MODERATOR)
        assert len(book.entries(GUILD)) == MOST_RULES


async def test_slow_patterns_keep_nobody_else_waiting(tmp_path: Path) -> None:
    """A hundred patterns that blow up the automaton of each run beside the loop, which goes on turning."""
    async with opened(tmp_path) as (book, _):
        slow = [understood(f"re:[ab]*a[ab]{{{10 + number % 60}}}c{number}") for number in range(MOST_PATTERNS)]
        await book.put(GUILD, slow, MODERATOR)
        request = a_request(prompt="".join(Random(3).choices("ab", k=1000)))
        lags: list[float] = []

        async def turn() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0)
                lags.append(time.perf_counter() - before)

        turning = asyncio.create_task(turn())
        before = time.perf_counter()
        assert not (await book.examine(HERE, request)).blocks
        taken = time.perf_counter() - before
        turning.cancel()
        assert len(lags) > 20, (len(lags), taken)
        assert max(lags) < max(0.05, taken / 2), (max(lags), taken)
        assert not book.check(HERE, request, patterns=False).blocks


async def test_artists_are_kept_by_guild(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        await book.add_artist(GUILD, Artist("Wilma Quandel"), MODERATOR)
        assert not book.check(HERE, a_request(prompt="a quandel lake")).blocks
        await book.add_artist(GUILD, Artist("Wilma Quandel", surname=True), MODERATOR)
    async with opened(tmp_path) as (book, _):
        assert book.check(HERE, a_request(prompt="a quandel lake")).blocks
        assert not book.check(Place(guild_id=GUILD + 1), a_request(prompt="Wilma Quandel")).blocks
        assert book.artists(GUILD) == [Artist("Wilma Quandel", surname=True)]
        assert await book.remove_artist(GUILD, "wilma quandel ", MODERATOR)
        assert not await book.remove_artist(GUILD, "Wilma Quandel", MODERATOR)
        assert not book.check(HERE, a_request(prompt="by Wilma Quandel")).blocks


async def test_every_list_explains_itself(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        await book.put(GUILD, [understood("shadow:turnip", None, Scope(role_id=7))], MODERATOR)
        await book.add_artist(GUILD, Artist("Wilma Quandel"), MODERATOR)
        findings = await book.test(GUILD, "a t0rnip turn1p by Wilma Quandel")
        assert [(found.kind, found.severity) for found in findings] == [
            (Kind.ARTIST, Decision.BLOCK),
            (Kind.GUILD, Decision.SHADOW),
        ]
        assert (findings[1].scope, findings[1].match, findings[1].span) == (Scope(role_id=7), "turn1p", (9, 15))
        assert [found.kind for found in await book.test(GUILD, "\u202ex")] == [Kind.TEXT]


async def test_hits_are_counted_once_and_survive_the_end(tmp_path: Path) -> None:
    painter = Painter()
    async with open_house(tmp_path, painter) as house:
        rules = house.studio.rules
        for rule in ("turnip", "review:radish", "shadow:swede"):
            await rules.add(GUILD, rule, MODERATOR)
        for _ in range(2):
            with pytest.raises(Blocked) as refused:
                await house.studio.submit(an_order(1, request=a_request(prompt="a turnip")))
        assert refused.value.punishable
        house.painter.hold.clear()
        await house.studio.submit(an_order(2, request=a_request(prompt="a radish")))
        await house.studio.submit(an_order(3, request=a_request(prompt="a swede")))
        await rules.add(GUILD, "swede", MODERATOR)
        house.painter.hold.set()
        async with asyncio.timeout(10):
            while len(house.settled) < 2:
                await asyncio.sleep(0.01)
        assert {job.request.prompt: job.review for job in painter.painted}["a radish"] is True
        # Closed at once: what waits to be written is written.
    async with open_house(tmp_path) as house:
        counts = {(c.rule, c.severity): (c.times, c.members) for c in await house.desk.hits.counts(GUILD, 0)}
        assert counts[("turnip", "block")] == (2, 1)
        assert counts[("review:radish", "review")] == (1, 1)
        assert counts[("shadow:swede", "shadow")] == (1, 1)
        assert await house.desk.hits.counts(GUILD, 4e9) == []
        assert await house.desk.hits.counts(GUILD + 1, 0) == []


async def test_a_database_that_fails_loses_no_hit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as (book, desk):
        await book.add(GUILD, "turnip", MODERATOR)
        add, faults = type(desk.hits).add, [OSError("disk is full")]

        async def sometimes(self: Any, hits: Any) -> None:
            if faults:
                raise faults.pop()
            await add(self, hits)

        monkeypatch.setattr(type(desk.hits), "add", sometimes)
        book.note(HERE, 1, book.check(HERE, a_request(prompt="turnip")))
        async with asyncio.timeout(10):
            while faults:
                await asyncio.sleep(0.05)
        book.note(HERE, 2, book.check(HERE, a_request(prompt="turnip")))
        await book.close()
        expected = HitCount(rule="turnip", severity="block", kind="guild", times=2, members=2)
        assert await desk.hits.counts(GUILD, 0) == [expected]


async def test_no_words_are_kept_of_what_was_met(tmp_path: Path) -> None:
    async with opened(tmp_path) as (book, _):
        await book.add(GUILD, "turnip", MODERATOR)
        words = "nobody-reads-this"
        book.note(HERE, 1, book.check(HERE, a_request(prompt=f"turnip {words}")))
    assert not any(words.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_rule_keeps_what_its_moderator_wrote() -> None:
    rule: Rule | None = parse_rule("review:Walnut")
    assert rule is not None
    assert understood("review:Walnut").rule() == rule
