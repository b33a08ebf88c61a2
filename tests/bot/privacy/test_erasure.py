"""/privacy delete in the local Discord: while jobs run and wait, with messages, and without refilling anything."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from bot.card import Face
from bot.courier import Parcel
from bot.moderation.entries import Entry
from bot.playground.ids import DM_IDS
from bot.press import Deed
from bot.privacy import farewells
from bot.privacy.erasure import Erasure
from bot.privacy.words import forget_press
from bot.store.database import Database
from bot.store.outbox import Forgotten
from bot.store.register import REGISTER
from bot.store.reports import Report
from bot.store.schema import acceptances, carried, filter_rules, jobs, members, outbox, pictures, reports
from generation.errors import OutOfCredits
from tests.bot.town import ADA, BEN, Bot, Town, labels, open_bot, open_both, open_town
from tests.house import House, open_house
from tests.orders import GUILD, an_order
from tests.painter import Painter

DELETE, VANISH = "Delete my data", "Delete my data and my pictures’ messages"


def _database(bot: Bot) -> Database:
    return bot.house.desk.jobs._database


async def _rows_about(database: Database, person: int) -> dict[str, int]:
    """How many rows of each table still name the person."""
    found = {}
    async with database.read() as connection:
        for kept in REGISTER:
            for column in kept.about:
                rows = await connection.execute(select(func.count()).select_from(kept.table).where(column == person))
                if count := rows.scalar_one():
                    found[kept.table.name] = count
    return found


async def _delete(town: Town, button: str = DELETE, person: int = ADA) -> dict[str, Any]:
    await town.invoke(person, "privacy delete")
    asked = await town.told(person, "Delete everything that is kept about you")
    assert labels(asked) == [DELETE, VANISH]
    await town.click(person, asked, button)
    return await town.told(person, "Done:")


def _files(bot: Bot) -> list[Path]:
    folder = bot.house.studio.config.data_dir
    return [path for name in ("pictures", "held", "uploads") for path in (folder / name).rglob("*") if path.is_file()]


async def test_deleting_while_a_job_runs_and_others_wait(tmp_path: Path) -> None:
    painter = Painter(step_seconds=0.01)
    async with open_both(tmp_path, painter) as (town, bot):
        await town.invoke(ADA, "dream", prompt="done before")
        await town.result()
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="running one")
        await town.told(ADA, "step 1 of 20")
        await town.invoke(ADA, "dream", prompt="waiting one")
        await town.invoke(BEN, "dream", prompt="of somebody else")
        await town.until(lambda: bot.has(posted=1, running=1, accepted=2))

        said = await _delete(town)
        assert "3 requests deleted" in said["content"]
        assert await _rows_about(_database(bot), ADA) == {}
        await town.result(2)  # only Ben's was painted after that
        await town.until(lambda: bot.has(posted=1))
        assert [job.request.prompt for job in painter.painted] == ["done before", "of somebody else"]
        await asyncio.sleep(0.3)
        assert await _rows_about(_database(bot), ADA) == {}, "nothing came back"
        assert [m["content"] for m in await town.messages() if "🎨" in m["content"]] == [], "no ticket is left"
        async with _database(bot).read() as connection:
            assert {row.job_id for row in await connection.execute(select(outbox))} == {
                row.id for row in await connection.execute(select(jobs))
            }
        raw = b"".join(path.read_bytes() for path in (tmp_path / "house").glob("atelier.sqlite*"))
        assert not [words for words in (b"done before", b"running one", b"waiting one") if words in raw]
        assert b"of somebody else" in raw


async def test_a_painter_that_does_not_stop_brings_nothing_back(tmp_path: Path, database_url: str) -> None:
    """The picture arrives after its person was forgotten."""

    class Deaf(Painter):
        def cancel(self, job_id: str) -> None:
            pass

    painter = Deaf(step_seconds=0.01)
    async with open_house(tmp_path, painter, database_url=database_url) as house:
        painter.hold.clear()
        order = an_order(1)
        await house.studio.submit(order)
        await _until_state(house, "running")

        class Nothing:
            def wake(self) -> None:
                pass

        erasure = Erasure(house.studio, house.desk, Nothing(), patience=0.3)  # type: ignore[arg-type]
        forgotten = await erasure.forget(order.member, messages=False)
        assert forgotten.requests == 1
        painter.hold.set()
        await _until(lambda: bool(painter.painted))
        await asyncio.sleep(0.2)

        await _nothing_is_left(house)


async def test_a_picture_that_arrives_after_its_job_is_gone_is_an_orphan(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url=database_url) as house:
        house.painter.hold.clear()
        await house.studio.submit(an_order(1))
        await _until_state(house, "running")
        await house.desk.archive.forget(1)
        house.painter.hold.set()
        await _until(lambda: bool(house.painter.painted))
        await asyncio.sleep(0.2)

        await _nothing_is_left(house)
        now = time.time() + 2 * 3600
        left = [each async for each in house.desk.shelves.unneeded("pictures", house.studio.config.privacy, now)]
        assert len([digest for group in left for digest in group]) == 1, "its file is the sweeper's"


async def _nothing_is_left(house: House) -> None:
    async with house.desk.jobs._database.read() as connection:
        for table in (pictures, outbox, jobs):
            assert (await connection.execute(select(table))).first() is None


async def _until(look: Any) -> None:
    async with asyncio.timeout(10):
        while not look():
            await asyncio.sleep(0.01)


async def _until_state(house: House, state: str) -> None:
    async with asyncio.timeout(10):
        while state not in await house.desk.jobs.counts():
            await asyncio.sleep(0.01)


async def test_messages_go_too_when_wanted_and_others_stay(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        bot.client.farewells._pace = 0.01
        await town.invoke(ADA, "dream", prompt="mine")
        mine = await town.result()
        await town.invoke(ADA, "dream", prompt="in private", channel=DM_IDS[ADA])
        await town.result(channel=DM_IDS[ADA])
        await town.click(BEN, mine, "V1")
        await town.result(2)
        await town.until(lambda: bot.has(posted=3))

        said = await _delete(town, VANISH)
        assert "2 messages are being deleted" in said["content"]
        await town.until(lambda: _none(town))
        left = await town.results()
        assert len(left) == 1
        assert "Variations of picture 1" in left[0]["content"]
        await town.until(lambda: _all_said(bot))
        assert await town.results(channel=DM_IDS[ADA]) == []


async def _all_said(bot: Bot) -> bool:
    return await bot.house.desk.archive.next_farewell() is None


async def _none(town: Town) -> bool:
    return len(await town.results()) == 1 and await town.results(channel=DM_IDS[ADA]) == []


async def test_messages_that_a_restart_kept_from_going_go_after_it(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        async with open_bot(town, tmp_path) as bot:
            await town.invoke(ADA, "dream", prompt="mine")
            await town.result()
            await town.until(lambda: bot.has(posted=1))
            await town.breaks("status", method="DELETE", path="/channels/*/messages/*", status=503)
            await _delete(town, VANISH)
            assert len(await town.results()) == 1
        await town.mends()
        async with open_bot(town, tmp_path) as bot:
            await town.until(lambda: _all_said(bot))
            assert await town.results() == []


async def test_an_old_button_under_a_deleted_picture_says_so(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="mine")
        mine = await town.result()
        await _delete(town)
        await town.click(ADA, mine, "V1")
        await town.told(ADA, "no longer known here")
        assert len(bot.house.painter.painted) == 1


async def test_nobody_deletes_for_somebody_else_and_forged_buttons_do_nothing(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="mine")
        await town.result()
        channel = int((await town.messages())[0]["channel_id"])
        button = Face(forget_press(Deed.FORGET, ADA), "Win a prize")
        await bot.client.courier.to_channel(channel, Parcel(text="Look", rows=((button,),)), "n1")
        await town.click(BEN, await town.told(BEN, "Look"), "Win a prize")
        await town.told(BEN, "Only the person whose data it is")
        assert "jobs" in await _rows_about(_database(bot), ADA)


def _report(job_id: str, message_id: int, reason: str) -> Report:
    return Report(job_id=job_id, guild_id=GUILD, channel_id=5, message_id=message_id, reporter_id=1, reason=reason)


async def test_what_others_need_stays_without_a_name(tmp_path: Path, database_url: str) -> None:
    async with open_house(tmp_path, database_url=database_url) as house:
        database, desk = house.desk.jobs._database, house.desk
        painted = [await house.studio.submit(an_order(2)) for _ in range(2)]
        for message_id, job in enumerate(painted, start=1):
            report = _report(job.job_id, message_id, "words of mine")
            await desk.reports.add(report, threshold=0, per_hour=9)
        await desk.rules.put(GUILD, [Entry("word")], 1)
        await desk.acceptances.add(1, "openrail-m 1 text 1")
        await desk.archive.forget(1)
        again = _report(painted[0].job_id, 1, "once more")  # the same message again, later
        await desk.reports.add(again, threshold=0, per_hour=9)
        await desk.archive.forget(1)

        assert await _rows_about(database, 1) == {}
        async with database.read() as connection:
            told = (await connection.execute(select(reports))).all()
            assert {row.message_id for row in told} == {1, 2}
            assert len({row.reporter_id for row in told}) == 1
            assert told[0].reporter_id < 0
            assert [row.reason for row in told] == ["", ""]
            assert (await connection.execute(select(filter_rules.c.rule))).scalar_one() == "word"
            assert (await connection.execute(select(acceptances))).first() is None


async def test_being_forgotten_refills_nothing(tmp_path: Path) -> None:
    limits = {"member": {"burst": 2, "per_hour": 1, "daily": 2, "waiting": 9}}
    async with open_house(tmp_path, limits=limits) as house:
        database = house.desk.jobs._database
        for _ in range(2):
            await house.studio.submit(an_order(1))
        await _until(lambda: len(house.settled) == 2)
        await house.desk.archive.forget(1)
        assert await _rows_about(database, 1) == {}
        async with database.read() as connection:
            kept = (await connection.execute(select(carried))).one()
        assert kept.pseudonym < 0
        assert "1" not in {str(value) for key, value in kept.row.items() if key.endswith("member_id")}

        assert (await house.studio.quota(an_order(1).member)).spent_today == pytest.approx(1.25 * 2, rel=0.5)
        with pytest.raises(OutOfCredits):  # the allowance of the day is spent, forgotten or not
            await house.studio.submit(an_order(1))
        await house.studio.submit(an_order(2))
        async with database.read() as connection:
            assert (await connection.execute(select(carried))).first() is None
            assert len((await connection.execute(select(members))).all()) == 2


async def test_what_was_spent_before_and_after_being_forgotten_adds_up(tmp_path: Path, database_url: str) -> None:
    """Whoever asks again while they are being forgotten has a fresh account already when the old one comes back."""
    async with open_house(tmp_path, database_url=database_url) as house:
        database = house.desk.jobs._database
        for _ in range(2):
            await house.studio.submit(an_order(1))
        await _until(lambda: len(house.settled) == 2)
        async with database.read() as connection:
            before = (await connection.execute(select(members))).one()
        await house.desk.archive.forget(1)
        async with database.write() as connection:
            fresh = dict(before._mapping) | {"tat": time.time() + 100.0, "spent": 1.0}
            await connection.execute(insert(members).values(fresh))
        await house.desk.archive.take_up(1)
        async with database.read() as connection:
            after = (await connection.execute(select(members))).one()
            assert (await connection.execute(select(carried))).first() is None
        assert after.spent == pytest.approx(before.spent + 1.0)
        assert after.tat == pytest.approx(before.tat + 100.0, abs=5.0)


async def test_files_of_a_forgotten_person_go_but_not_those_that_others_have_too(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="same picture", seed=5)
        await town.invoke(BEN, "dream", prompt="same picture", seed=5)
        await town.invoke(ADA, "dream", prompt="another", seed=9)
        await town.result(3)
        await town.until(lambda: bot.has(posted=3))
        assert len(_files(bot)) == 2
        for path in _files(bot):
            os.utime(path, (time.time() - 120, time.time() - 120))
        await _delete(town)
        assert len(_files(bot)) == 1
        async with _database(bot).read() as connection:
            row = (await connection.execute(select(pictures))).one()
        assert _files(bot)[0].name == row.sha256


@pytest.mark.parametrize("away", [False, True])
async def test_a_result_on_its_way_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: bool) -> None:
    """Its person is forgotten between the moment Discord has the message and the moment we note it."""
    monkeypatch.setattr(farewells, "LOOK", 0.5)
    async with open_both(tmp_path) as (town, bot):
        if away:
            await town.breaks("status", method="DELETE", path="/channels/*/messages/*", status=503, count=1)
        archive, outbox_store = bot.house.desk.archive, bot.client.delivery._desk.outbox
        real = outbox_store.sent

        async def forgotten_first(job_id: str, kind: str, channel_id: int, message_id: int) -> bool:
            async with _database(bot).write() as connection:
                await connection.execute(update(jobs).values(state="posted"))
            await archive.forget(ADA)
            return await real(job_id, kind, channel_id, message_id)

        outbox_store.sent = forgotten_first  # type: ignore[method-assign]
        await town.invoke(ADA, "dream", prompt="late")
        await town.until(lambda: bot.has())

        async def nothing_seen() -> bool:
            return await town.messages() == []

        await town.until(nothing_seen)
        assert await _rows_about(_database(bot), ADA) == {}


async def test_a_job_that_is_forgotten_before_its_message_is_meant_writes_nothing(
    tmp_path: Path, database_url: str
) -> None:
    async with open_house(tmp_path, database_url=database_url) as house:
        with pytest.raises(Forgotten):
            await house.desk.outbox.intend("0" * 16, "result")
        async with house.desk.jobs._database.write() as connection:
            assert (await connection.execute(select(outbox))).first() is None
