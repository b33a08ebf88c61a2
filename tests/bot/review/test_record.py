"""Changes of rules, settings and lists write their line in the audit log, whoever makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.desk import Desk
from bot.moderation.artists import Artist
from bot.moderation.entries import Entry as FilterEntry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.order import Member
from bot.review.case import Ruling
from bot.review.guild_rules import GuildRules
from bot.review.record import DEEDS, deed
from bot.sections import Moderation
from bot.store.artists import ACCEPTED, DECLINED
from bot.store.audit import Act
from generation.errors import BadRequest
from tests.house import open_house
from tests.orders import an_order
from tests.painter import Painter

GUILD, BY = 77, 9


async def lines(desk: Desk) -> list[tuple[str, str]]:
    """Actions and reasons, oldest first; every one of them is the moderator's."""
    entries = (await desk.audit.entries(GUILD))[::-1]
    assert {entry.actor_id for entry in entries} <= {BY}
    return [(entry.action, entry.reason) for entry in entries]


async def test_the_filter_tells_what_was_added_and_removed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        rules, desk = house.studio.rules, house.desk
        await rules.add(GUILD, "zebra*", BY)
        await rules.put(GUILD, [FilterEntry("cow", Decision.REVIEW, Scope(5, 6)), FilterEntry("=hen")], BY)
        assert await rules.remove(GUILD, "cow", BY, Scope(5, 6)) == 1
        assert await rules.remove(GUILD, "nobody", BY) == 0
        await rules.set_exempt(GUILD, [8], BY, exempt=True)
        await rules.set_exempt(GUILD, [8], BY, exempt=False)
        await rules.set_exempt(GUILD, [], BY, exempt=True)
        await rules.put(GUILD, [FilterEntry(f"word{number}") for number in range(500)], BY)
        *told, (act, many) = await lines(desk)
        assert told == [
            (Act.RULE_ADDED, "zebra*"),
            (Act.RULE_ADDED, "2 rules: review:cow (channel 5, role 6); =hen"),
            (Act.RULE_REMOVED, "cow (channel 5, role 6)"),
            (Act.EXEMPTED, "role 8"),
            (Act.BOUND, "role 8"),
        ]
        assert (act, many[:25], len(many) <= 300) == (Act.RULE_ADDED, "500 rules: word0; word1; ", True)
        with pytest.raises(BadRequest):  # what is refused is no change
            await rules.put(GUILD, [FilterEntry(f"more{number}") for number in range(1_000)], BY)
        assert len(await lines(desk)) == 6


async def test_policy_and_review_settings_tell_what_differs(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        book = house.studio.policies
        await book.change(GUILD, {"level": 1, "spoiler_from": 2}, BY)
        await book.change(GUILD, {"level": 1}, BY)  # no change
        await book.change(GUILD, {"restricted_level": 3}, BY, channel_id=50)
        await GuildRules(book, Moderation).change(GUILD, BY, channel=60, strike_days=1.5)
        await book.change(GUILD, {"level": None}, BY)
        assert await lines(house.desk) == [
            (Act.POLICY, "ordinary channels: low; spoiler from: medium"),
            (Act.POLICY, "channel 50; age-restricted channels: high"),
            (Act.SETTINGS, "review channel: channel 60; days of a warning: 1.5"),
            (Act.POLICY, "ordinary channels: as usual"),
        ]


async def test_artists_and_what_was_decided_of_their_requests(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        rules, artists = house.studio.rules, house.desk.artists
        await rules.add_artist(GUILD, Artist("Wilma Quandel", surname=True), BY)
        assert await rules.remove_artist(GUILD, "wilma quandel", BY)
        for state in (ACCEPTED, DECLINED):
            asked = await artists.ask(GUILD, "Jane Doe", "-", "-", 5)
            assert await artists.decide(GUILD, asked, state, BY) == "Jane Doe"
            assert await artists.decide(GUILD, asked, state, BY) is None
        assert await lines(house.desk) == [
            (Act.ARTIST_ADDED, "surname: Wilma Quandel"),
            (Act.ARTIST_REMOVED, "Wilma Quandel"),
            (Act.ARTIST_ACCEPTED, "Jane Doe"),
            (Act.ARTIST_DECLINED, "Jane Doe"),
        ]


async def test_a_moderator_who_cancels_is_named_and_an_author_is_not(tmp_path: Path) -> None:
    painter = Painter()
    painter.hold.clear()
    async with open_house(tmp_path, painter) as house:
        jobs = [await house.studio.submit(an_order(author, guild_id=GUILD)) for author in (1, 2)]
        await house.studio.cancel(jobs[0].job_id, Member(id=1, guild_id=GUILD))
        await house.studio.cancel(jobs[1].job_id, Member(id=BY, guild_id=GUILD, moderator=True))
        (entry,) = await house.desk.audit.entries(GUILD)
        assert (entry.action, entry.actor_id, entry.member_id) == (Act.CANCELLED, BY, 2)


def test_every_deed_has_plain_words_that_fit_the_column() -> None:
    assert set(DEEDS) == {*Act, *Ruling}
    assert all(len(action) <= 20 for action in DEEDS)
    assert deed("something older") == "something older"
