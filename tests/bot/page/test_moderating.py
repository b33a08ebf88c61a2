"""Moderating over real HTTP: cases are decided by the same rules as in Discord, and everything leaves its line."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.page.signin import PACE
from bot.playground import ids
from bot.review.case import Ruling
from bot.store.audit import Act, Entry
from bot.store.cases import Decision as CaseDecision
from bot.store.schema import cases
from tests.bot.page.office import HOME, Browser, Office
from tests.bot.page.queue import HARMLESS, browser, last_entry, message_of, office, rule, withheld
from tests.bot.page.test_pages import HOSTILE
from tests.bot.town import labels

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "office"]  # fixtures

DECIDING = ("review", "audit", "strikes")


# -- review ----------------------------------------------------------------------------------------------------------


async def test_a_case_is_shown_with_everything_and_hostile_words_are_harmless(office: Office, browser: Browser) -> None:
    strike = Entry(
        guild_id=ids.GUILD_ID, actor_id=ids.OLIVIA_ID, action=Act.WARNED, member_id=ids.ADA_ID, reason=HOSTILE
    )
    await office.bot.house.desk.strikes.warn(strike, office.bot.client.review.rules.rules_for(ids.GUILD_ID))
    case = await withheld(office, HOSTILE)
    for path in ("", f"/{case}"):
        page = (await browser.get(f"{HOME}/review{path}")).text
        assert "<script>alert" not in page
        assert page.count(HARMLESS) >= 2  # the prompt and the earlier warning
        assert "Ada" in page
        assert "#art" in page
        assert "test checker: 0.97" in page
        assert "Warnings: 1 active, 1 in all" in page
        values = re.findall(r'name="ruling" value="([a-z]+)"', page)
        assert values[:5] == ["approve", "spoiler", "delete", "warn", "timeout"]
    evidence = await browser.get(f"{HOME}/review/{case}/evidence")
    kept = await office.bot.house.desk.cases.get(case)
    blurred = await office.bot.house.desk.pictures.load_evidence(kept.job_id, kept.place)
    assert blurred is not None
    assert evidence.data == blurred.data
    assert "sandbox" in evidence.headers["Content-Security-Policy"]
    assert evidence.headers["Cache-Control"] == "no-store"
    await rule(browser, case, "delete", reason=HOSTILE)
    assert (await browser.get(f"{HOME}/review/{case}/evidence")).status == 404  # nobody has to decide about it now
    for path in (f"review/{case}", "review/decided", "audit", "strikes"):
        page = (await browser.get(f"{HOME}/{path}")).text
        assert HARMLESS in page
        assert "<script>alert" not in page


async def test_approving_here_shows_the_picture_there_and_takes_the_buttons_away(
    office: Office, browser: Browser
) -> None:
    case = await withheld(office, "a tree to approve")
    assert labels(await message_of(office, case, "a tree to approve"))
    assert f"Case {case}: approved." in await rule(browser, case, "approve")
    await office.town.result()
    decided = await message_of(office, case, f"**Decided** by <@{ids.MILO_ID}>: approved")
    assert labels(decided) == []
    entry = await last_entry(office)
    assert (entry.actor_id, entry.action, entry.case_id) == (ids.MILO_ID, Ruling.APPROVE, case)


async def test_the_first_moderator_wins_wherever_they_are(office: Office, browser: Browser) -> None:
    case = await withheld(office, "a tree that two look at")
    await office.town.click(ids.OLIVIA_ID, await message_of(office, case, "two look at"), "Delete")
    await message_of(office, case, f"**Decided** by <@{ids.OLIVIA_ID}>")
    assert "Olivia has decided this case already: deleted." in await rule(browser, case, "warn", reason="late")
    stands = await office.bot.house.desk.cases.get(case)
    assert (stands.ruled_by, stands.ruling, stands.reason) == (ids.OLIVIA_ID, Ruling.DELETE, "")
    case = await withheld(office, "a tree that many look at")
    async with office.moderator(ids.OLIVIA_ID) as olivia:
        await asyncio.gather(*(rule(each, case, "delete") for each in (browser, olivia) * 3))
    log = await office.bot.house.desk.audit.entries(ids.GUILD_ID)
    assert len([each for each in log if each.case_id == case and each.action == Ruling.DELETE]) == 1


async def test_warnings_and_time_outs_carry_their_reason_and_hours(office: Office, browser: Browser) -> None:
    case = await withheld(office, "a tree to warn about", ids.BEN_ID)
    page = await rule(browser, case, "timeout", reason="rude", hours="999")
    assert "at most 672 hours" in page
    assert 'value="rude"' in page  # what was filled in is not lost
    assert (await office.bot.house.desk.cases.get(case)).open
    for wrong in ("", "uphold", "everything"):
        page = await rule(browser, case, wrong)
        assert 'role="alert"' in page
    assert (await office.bot.house.desk.cases.get(case)).open
    await rule(browser, case, "timeout", reason="rude", hours="2,5")
    ruled = await office.bot.house.desk.cases.get(case)
    assert (ruled.ruling, ruled.reason, ruled.hours) == (Ruling.TIMEOUT, "rude", 2.5)
    (strike,) = await office.bot.house.desk.strikes.of(ids.GUILD_ID, ids.BEN_ID)
    assert (strike.reason, strike.given_by, strike.case_id) == ("rude", ids.MILO_ID, case)
    await office.town.told(ids.BEN_ID, "A time-out of 2.5 hours was asked for")
    await office.town.until(lambda: timed_out(office, ids.BEN_ID))


async def timed_out(office: Office, person: int) -> bool:
    asked = await office.town.requests()
    return any(each["method"] == "PATCH" and f"/members/{person}" in each["path"] for each in asked)


async def test_an_appeal_is_decided_by_somebody_else(office: Office, browser: Browser) -> None:
    case = await withheld(office, "a tree to fight for", ids.CLEO_ID)
    await rule(browser, case, "delete", reason="no trees")
    await office.bot.house.desk.cases.appeal(case, ids.CLEO_ID, HOSTILE)
    page = (await browser.get(f"{HOME}/review/{case}")).text
    assert "appeal</span>" in page
    assert HARMLESS in page
    assert "First decided by Milo: deleted" in page
    assert "You made the decision that is appealed" in page
    assert 'name="ruling"' not in page
    assert "You made the decision that is appealed" in await rule(browser, case, "overturn")
    assert (await office.bot.house.desk.cases.get(case)).open
    async with office.moderator(ids.OLIVIA_ID) as olivia:
        page = (await olivia.get(f"{HOME}/review/{case}")).text
        assert re.findall(r'name="ruling" value="([a-z]+)"', page) == ["uphold", "overturn"]
        assert "appeal looked at, decision kept" in await rule(olivia, case, "uphold")
    assert (await last_entry(office)).action == Ruling.UPHOLD


async def test_decided_cases_are_filtered(office: Office, browser: Browser) -> None:
    first, second = (
        await withheld(office, "one to keep", ids.DANA_ID),
        await withheld(office, "one to lose", ids.DANA_ID),
    )
    await rule(browser, first, "spoiler")
    decision = CaseDecision(ruling=Ruling.DELETE, by=ids.OLIVIA_ID)
    await office.bot.client.review.deciding.rule(await office.bot.house.desk.cases.get(second), decision)

    async def listed(**query: object) -> set[str]:
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = (await browser.get(f"{HOME}/review/decided?{asked}")).text
        return {prompt for prompt in ("one to keep", "one to lose") if prompt in page}

    assert await listed() == await listed(member=ids.DANA_ID) == {"one to keep", "one to lose"}
    assert await listed(ruling="spoiler") == await listed(by=ids.MILO_ID, member=ids.DANA_ID) == {"one to keep"}
    assert await listed(by=ids.OLIVIA_ID, kind="withheld") == {"one to lose"}
    assert await listed(kind="reported") == await listed(page=9) == await listed(member=1) == set()
    assert await listed(kind="nonsense", page="x") == {"one to keep", "one to lose"}
    answer = await browser.get(f"{HOME}/review/decided?member=me")
    assert answer.status == 400
    assert "An id is a number" in answer.text


async def test_cases_of_other_servers_are_not_found(office: Office, browser: Browser) -> None:
    case = await withheld(office, "a foreign tree")
    database = office.bot.house.desk.jobs._database
    for elsewhere in (ids.GUILD_ID + 1, None):
        async with database.write() as connection:
            await connection.execute(update(cases).where(cases.c.id == case).values(guild_id=elsewhere))
        for path in (f"review/{case}", f"review/{case}/evidence"):
            assert (await browser.get(f"{HOME}/{path}")).status == 404
        assert (await browser.post(f"{HOME}/review/{case}/rule", ruling="approve")).status == 404
        assert "a foreign tree" not in (await browser.get(f"{HOME}/review")).text
    async with database.write() as connection:
        await connection.execute(update(cases).where(cases.c.id == case).values(guild_id=ids.GUILD_ID))
    assert (await browser.get(f"{HOME}/review/{10**8}")).status == 404
    assert (await office.bot.house.desk.cases.get(case)).open


async def test_a_reported_picture_is_veiled_and_its_reasons_are_harmless(office: Office, browser: Browser) -> None:
    painter = office.bot.house.painter
    painter.kept_back = set()
    seen = len(await office.town.results())
    await office.town.invoke(ids.ADA_ID, "dream", prompt="a tree that was reported")
    message = await office.town.result(seen + 1)
    painter.kept_back = {0}
    await office.town.click(ids.BEN_ID, message, "Report")
    await office.town.submit(ids.BEN_ID, reason=HOSTILE)
    await office.town.told(ids.BEN_ID, "Thank you. The report is kept")
    case = (await office.bot.house.desk.cases.open_in(ids.GUILD_ID, 100))[-1].id
    page = (await browser.get(f"{HOME}/review/{case}")).text
    assert "Reported by 1 member" in page
    assert "<script>alert" not in page
    assert HARMLESS in page
    assert 'class="thumb veiled"' in page
    assert (await browser.get(f"{HOME}/review/{case}/evidence")).headers["Content-Type"] == "image/webp"
    await rule(browser, case, "approve")


async def test_who_may_manage_the_server_but_not_moderate_sees_none_of_it(office: Office, monkeypatch) -> None:
    case = await withheld(office, "a tree for moderators")
    discord = office.page._door._discord
    rights = discord.rights

    async def without_moderating(token):
        return replace(await rights(token), moderated=frozenset())

    monkeypatch.setattr(discord, "rights", without_moderating)
    office.watch.now += PACE.burst * PACE.interval
    async with office.moderator() as manager:
        page = (await manager.get(HOME)).text
        assert "Policy</a>" in page
        assert [slug for slug in DECIDING if f'href="{HOME}/{slug}"' in page] == []
        for path in ("review", f"review/{case}", f"review/{case}/evidence", "audit", "audit/audit.csv", "strikes"):
            answer = await manager.get(f"{HOME}/{path}")
            assert answer.status == 403, path
            assert "Only moderators" in answer.text
        for path in (f"review/{case}/rule", "strikes/warn", "strikes/unban"):
            assert (await manager.post(f"{HOME}/{path}", ruling="approve", member="1", reason="x")).status == 403
        assert "Reviews and warnings" not in (await manager.get(f"{HOME}/policy")).text
        await manager.post(f"{HOME}/policy/review", ban_at="1")
    assert office.bot.client.review.rules.rules_for(ids.GUILD_ID).ban_at == 0
    assert (await office.bot.house.desk.cases.get(case)).open
