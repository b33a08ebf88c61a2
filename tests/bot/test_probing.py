"""Probing the filter: pauses double, time forgives, a restart does not, and nothing can be learnt from a pause."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.order import Member
from bot.probing import FORGIVEN, FORGOTTEN, MINUTE, Record, after_refusal
from bot.sections import Probing as Settings
from generation.errors import Blocked, CoolingDown
from tests.house import open_house
from tests.orders import GUILD, a_request, an_order

NOW = 1_800_000_000.0
SETTINGS = Settings()


def probed(record: Record, times: int, now: float, pause: float = 1.0) -> tuple[Record, float]:
    for _ in range(times):
        record = after_refusal(record, now, SETTINGS)
        now = max(now + pause, record.until)
    return record, now


def test_a_few_refused_prompts_change_nothing_and_then_pauses_double_up_to_an_hour():
    record, now = probed(Record(), SETTINGS.refusals, NOW)
    assert record.until == 0.0
    pauses = []
    for _ in range(8):
        record = after_refusal(record, now, SETTINGS)
        pauses.append((record.until - now) / MINUTE if record.until > now else 0.0)
        now = max(now + 1, record.until)
    met = [pause for pause in pauses if pause]
    assert met[:3] == pytest.approx([1, 2, 4])
    assert max(met) <= SETTINGS.longest


def test_whoever_never_stops_is_paused_for_an_hour_at_a_time():
    record, now = Record(), NOW
    longest = 0.0
    for _ in range(200):
        record = after_refusal(record, now, SETTINGS)
        longest = max(longest, record.until - now)
        now = max(now, record.until)
    assert longest == pytest.approx(SETTINGS.longest * MINUTE)


def test_time_without_a_refusal_forgives():
    record, now = probed(Record(), SETTINGS.refusals + 3, NOW)
    assert record.level == 3
    later = after_refusal(record, now + 2 * FORGIVEN, SETTINGS)
    assert later.level == 1
    assert later.until == record.until  # and the bucket has room again
    assert after_refusal(record, now + FORGOTTEN, SETTINGS).level == 0


@given(st.lists(st.floats(0, 7200), max_size=60))
def test_no_pause_is_longer_than_the_longest_nor_comes_without_a_reason(pauses):
    record, now = Record(), NOW
    for refusals, pause in enumerate(pauses, 1):
        now = max(now + pause, record.until)
        record = after_refusal(record, now, SETTINGS)
        assert record.until <= now + SETTINGS.longest * MINUTE + 1e-6
        assert 0 <= record.level <= 12
        if refusals <= SETTINGS.refusals:
            assert record.until == 0.0


async def refused(house, prompt: str = "a turnip", member: int = 1, guild: int = GUILD) -> None:
    with pytest.raises(Blocked):
        await house.studio.submit(an_order(member, request=a_request(prompt=prompt), guild_id=guild))


async def test_a_pause_holds_for_every_prompt_and_survives_a_restart(tmp_path):
    told = []
    async with open_house(tmp_path) as house:
        await house.studio.rules.add(GUILD, "turnip", 99)
        house.studio.listeners.refused.append(lambda refusal: told.append(refusal.reason))
        for _ in range(SETTINGS.refusals + 1):
            await refused(house)
        for prompt in ("a turnip", "a red house"):  # both alike: nothing can be learnt
            with pytest.raises(CoolingDown, match="short break") as paused:
                await house.studio.submit(an_order(1, request=a_request(prompt=prompt)))
            assert 0 < paused.value.retry_at - house.studio.clock() <= MINUTE
        assert told == ["blocked"] * (SETTINGS.refusals + 1) + ["cooling_down"] * 2
        await house.studio.submit(an_order(2))  # nobody else pauses
    async with open_house(tmp_path) as house:
        with pytest.raises(CoolingDown):
            house.studio.check(an_order(1))
        now = house.studio.clock() + MINUTE
        house.studio.probing._clock = lambda: now
        house.studio.check(an_order(1))


async def test_what_is_forgiven_is_forgotten_in_the_store_too(tmp_path):
    async with open_house(tmp_path) as house:
        await house.studio.rules.add(GUILD, "turnip", 99)
        await refused(house, member=1)
        await house.studio.probing.close()
        assert [*await house.desk.probing.everything()] == [(GUILD, 1)]
        later = house.studio.clock() + FORGOTTEN + 1
        house.studio.probing._clock = lambda: later
        await refused(house, member=2)
        await house.studio.probing.close()
        assert [*await house.desk.probing.everything()] == [(GUILD, 2)]


async def test_each_server_counts_by_itself_and_mistakes_and_moderators_not_at_all(tmp_path):
    async with open_house(tmp_path) as house:
        await house.studio.rules.add(GUILD, "turnip", 99)
        order = an_order(7, request=a_request(prompt="a turnip"))
        keeper = replace(order, member=replace(order.member, moderator=True))
        for _ in range(SETTINGS.refusals * 2):
            with pytest.raises(Blocked):
                house.studio.check(keeper)
        for _ in range(SETTINGS.refusals + 1):
            await refused(house)
        elsewhere = an_order(1, guild_id=GUILD + 1)
        house.studio.check(replace(elsewhere, member=Member(id=1, guild_id=GUILD + 1)))


async def test_it_can_be_switched_off(tmp_path):
    async with open_house(tmp_path, probing={"refusals": 0}) as house:
        await house.studio.rules.add(GUILD, "turnip", 99)
        for _ in range(20):
            await refused(house)
        house.studio.check(an_order(1))
        assert await house.desk.probing.everything() == {}
