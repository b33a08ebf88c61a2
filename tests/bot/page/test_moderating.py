"""Moderating over real HTTP: cases are decided by the same rules as in Discord, and everything leaves its line."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import update

from bot.moderation.entries import Entry as FilterEntry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.page.signin import PACE
from bot.playground import ids
from bot.review.case import Ruling
from bot.store.audit import Act, Entry
from bot.store.cases import Decision as CaseDecision
from bot.store.schema import cases, jobs
from tests.bot.page.office import HOME, Browser, Office, open_office
from tests.bot.page.test_pages import HOSTILE
from tests.bot.town import labels
from tests.painter import Painter

pytestmark = pytest.mark.asyncio(loop_scope="module")

HARMLESS = "&lt;script&gt;alert"
DECIDING = ("review", "audit", "strikes")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A house in which every picture waits for a moderator."""
    painter = Painter()
    painter.kept_back = {0}
    async with open_office(tmp_path_factory.mktemp("office"), painter) as opened:
        rules = opened.bot.client.review.rules
        await rules.change(ids.GUILD_ID, ids.OLIVIA_ID, channel=ids.MODS_ID, pause_at=0, ban_at=0)
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def browser(office: Office) -> AsyncIterator[Browser]:
    office.watch.now += PACE.burst * PACE.interval
    async with office.moderator() as signed_in:
        yield signed_in


async def withheld(office: Office, prompt: str, person: int = ids.ADA_ID) -> int:
    """A case about a picture that somebody asked for, once moderators see it in Discord too."""
    before = await office.bot.house.desk.cases.waiting(ids.GUILD_ID)
    await office.town.invoke(person, "dream", prompt=prompt)

    async def queued() -> int | None:
        found = await office.bot.house.desk.cases.open_in(ids.GUILD_ID, 100)
        return found[-1].id if len(found) > before and found[-1].queue is not None else None

    return int(await office.town.until(queued))


async def rule(browser: Browser, case: int, ruling: str, **fields: str) -> str:
    """Send a ruling; what the page says then."""
    answer = await browser.post(f"{HOME}/review/{case}/rule", ruling=ruling, **fields)
    assert answer.status == 303
    return (await browser.get(answer.headers["Location"])).text


async def message_of(office: Office, case: int, words: str) -> dict:
    """The case's message in Discord once it says `words`."""

    async def look() -> dict | None:
        seen = await office.town.messages(ids.MILO_ID, ids.MODS_ID)
        return next((each for each in seen if f"**Case {case}**" in each["content"] and words in each["content"]), None)

    return dict(await office.town.until(look))


async def last_entry(office: Office) -> Entry:
    return replace((await office.bot.house.desk.audit.entries(ids.GUILD_ID, limit=1))[0], at=0.0)


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
        pages = await asyncio.gather(*(rule(each, case, "delete") for each in (browser, olivia) * 3))
    assert sum(f"Case {case}: deleted." in page for page in pages) <= 2  # a note of one session is read once
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


# -- strikes, artists, audit log -------------------------------------------------------------------------------------


async def test_somebody_is_warned_kept_from_painting_and_let_paint_again(office: Office, browser: Browser) -> None:
    async def send(deed: str, **fields: str) -> str:
        assert (await browser.post(f"{HOME}/strikes/{deed}", **fields)).status == 303
        return (await browser.get(f"{HOME}/strikes")).text

    who = str(ids.ERIC_ID) if hasattr(ids, "ERIC_ID") else str(ids.DANA_ID)
    strikes = office.bot.house.desk.strikes
    assert "1 warning that count" in await send("warn", member=who, reason=f"Be *kind* {HOSTILE}")
    await office.town.told(int(who), "warned you", ids.DM_IDS[int(who)])
    page = await send("ban", member=who, reason="enough", hours="2")
    assert "may not paint" in page
    assert "<script>alert" not in page
    ban = await strikes.ban_of(ids.GUILD_ID, int(who))
    assert ban is not None
    assert ban.until is not None
    assert 7_100 < ban.until - time.time() < 7_300
    assert (await last_entry(office)).reason == "enough"
    assert "can paint here again" in await send("unban", member=who, reason="sorry")
    assert "Nothing keeps this member" in await send("unban", member=who)
    assert "1 warning taken back" in await send("clear", member=who)
    assert (await strikes.active_in(ids.GUILD_ID)).get(int(who)) is None
    for fields, words in (
        ({"member": "", "reason": "x"}, "whom this is about"),
        ({"member": "someone", "reason": "x"}, "An id is a number"),
        ({"member": "999999999999999999", "reason": "x"}, "Discord knows nobody"),
        ({"member": str(ids.BOT_ID), "reason": "x"}, "Bots are not warned"),
        ({"member": who, "reason": ""}, "fill in the field"),
        ({"member": who, "reason": "x" * 501}, "longer than 500"),
    ):
        assert words in await send("warn", **fields)
    for hours in ("0", "-1", "1.5", "8761", "٣"):
        assert "whole number from 1 to 8,760" in await send("ban", member=who, reason="x", hours=hours)
    assert await strikes.ban_of(ids.GUILD_ID, int(who)) is None


async def test_artists_are_added_removed_and_requests_decided(office: Office, browser: Browser) -> None:
    rules, artists = office.bot.house.studio.rules, office.bot.house.desk.artists

    async def send(deed: str, **fields: str) -> str:
        assert (await browser.post(f"{HOME}/artists/{deed}", **fields)).status == 303
        return (await browser.get(f"{HOME}/artists")).text

    page = await send("add", name="Wilma <b>Quandel</b>", surname="on")
    assert "Wilma &lt;b&gt;Quandel" in page
    assert "surname too" in page
    assert [artist.surname for artist in rules.artists(ids.GUILD_ID)] == [True]
    assert "There is no name in this" in await send("add", name="---")
    await send("remove", name="Wilma <b>Quandel</b>")
    assert rules.artists(ids.GUILD_ID) == []
    assert "gone already" in await send("remove", name="Wilma")
    asked = [await artists.ask(ids.GUILD_ID, name, HOSTILE, HOSTILE, ids.ADA_ID) for name in ("Jane Doe", "Rob Roe")]
    page = (await browser.get(f"{HOME}/artists")).text
    assert "<script>alert" not in page
    assert page.count(HARMLESS) == 4
    assert "Jane Doe is on the list now" in await send("accept", request=str(asked[0]))
    assert "Declined: Rob Roe" in await send("decline", request=str(asked[1]))
    assert "decided already" in await send("accept", request=str(asked[1]))
    assert [artist.name for artist in rules.artists(ids.GUILD_ID)] == ["Jane Doe"]
    foreign = await artists.ask(ids.GUILD_ID + 1, "Ann Other", "-", "-", ids.ADA_ID)
    assert "decided already" in await send("accept", request=str(foreign))


async def test_what_the_page_changes_stands_in_the_log_and_in_its_table(office: Office, browser: Browser) -> None:
    art = str(ids.ART_ID)
    await browser.post(f"{HOME}/filter/add", rule="=walrus", channel=art)
    page = (await browser.get(f"{HOME}/audit")).text
    assert "<strong>added to the filter</strong>" in page
    assert "=walrus (#art)" in page  # by its name here, by its id in the log
    await browser.post(f"{HOME}/filter/remove", rule="=walrus", channel=art)
    await browser.post(f"{HOME}/policy/change", channel="0", level="1")
    await browser.post(f"{HOME}/artists/add", name="Logan Logg")
    log = await office.bot.house.desk.audit.entries(ids.GUILD_ID, limit=4)
    assert {each.actor_id for each in log} == {ids.MILO_ID}
    assert [each.action for each in log] == [Act.ARTIST_ADDED, Act.POLICY, Act.RULE_REMOVED, Act.RULE_ADDED]
    saved = await browser.get(f"{HOME}/audit/audit.csv?by={ids.MILO_ID}")
    assert saved.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in saved.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(saved.data.decode("utf-8-sig"))))
    assert {row["actor_id"] for row in rows} == {str(ids.MILO_ID)}
    assert next(row for row in rows if row["action"] == Act.RULE_ADDED)["reason"].startswith("'=walrus")
    only = (await browser.get(f"{HOME}/audit?member={ids.BEN_ID}")).text
    assert "timed out" in only
    assert "walrus" not in only


# -- filter and settings ---------------------------------------------------------------------------------------------


async def test_rules_have_severity_scope_and_language_and_go_from_one_scope_only(
    office: Office, browser: Browser
) -> None:
    rules = office.bot.house.studio.rules
    art, role = str(ids.ART_ID), str(ids.MODERATORS_ROLE_ID)
    await browser.post(f"{HOME}/filter/add", rule="badger")
    fields = {"severity": "review", "channel": art, "role": role, "language": "de"}
    await browser.post(f"{HOME}/filter/add", rule="badger", **fields)
    scoped = FilterEntry("badger", Decision.REVIEW, Scope(ids.ART_ID, ids.MODERATORS_ROLE_ID), "de")
    assert [each for each in rules.entries(ids.GUILD_ID) if each.text == "badger"] == [FilterEntry("badger"), scoped]
    page = (await browser.get(f"{HOME}/filter")).text
    assert page.index(">Blocked</h3>") < page.index(">Kept for review</h3>")
    assert "#art</span>" in page[page.index(">Kept for review</h3>") :]
    assert "@Moderators</span>" in page
    await browser.post(f"{HOME}/filter/remove", rule="review:badger", channel=art, role=role)
    assert [each for each in rules.entries(ids.GUILD_ID) if each.text == "badger"] == [FilterEntry("badger")]
    await browser.post(f"{HOME}/filter/remove", rule="badger", channel=art)
    assert "gone already" in (await browser.get(f"{HOME}/filter")).text
    await browser.post(f"{HOME}/filter/remove", rule="badger")
    assert not [each for each in rules.entries(ids.GUILD_ID) if each.text == "badger"]
    for wrong, words in (({"channel": "77"}, "not of this server"), ({"language": "?"}, "short tag")):
        await browser.post(f"{HOME}/filter/add", rule="otter", **wrong)
        page = (await browser.get(f"{HOME}/filter")).text
        assert words in page
        assert 'value="otter"' in page
    assert "otter" not in [each.text for each in rules.entries(ids.GUILD_ID)]


async def test_a_file_is_taken_in_whole_or_not_at_all_and_given_out_again(office: Office, browser: Browser) -> None:
    rules = office.bot.house.studio.rules

    async def send(content: bytes, csrf: str | None = None) -> tuple[int, str]:
        form = aiohttp.FormData()
        form.add_field("csrf", browser.csrf if csrf is None else csrf)
        form.add_field("file", content, filename="rules.txt", content_type="text/plain")
        headers = {"Origin": browser.origin}
        answer = await browser._ask("POST", f"{HOME}/filter/import", data=form, headers=headers)
        return answer.status, (await browser.get(f"{HOME}/filter")).text if answer.status == 303 else answer.text

    before = [each.line for each in rules.entries(ids.GUILD_ID)]
    status, page = await send(b"heron\nre:(\n<script>alert</script>*x*y\n")
    assert (status, "Nothing was changed" in page, "<script>alert" in page) == (303, True, False)
    assert (await send(b"heron", csrf="wrong"))[0] == 403
    assert "no UTF-8 text" in (await send(b"\xff\xfe\x00"))[1]
    assert "Choose a file" in (await send(b""))[1]
    assert (await send(b"x" * 700_000))[0] == 413
    assert [each.line for each in rules.entries(ids.GUILD_ID)] == before
    assert "Rules taken in: 2." in (await send(b"heron\nshadow:ibis\n"))[1]
    saved = json.loads((await browser.get(f"{HOME}/filter/filter.json")).text)
    assert {"rule": "ibis", "severity": "shadow"} in saved["rules"]
    saved["rules"] = [{"rule": "stork", "severity": "review", "channel": "77"}, {"rule": "crane", "severity": "review"}]
    page = (await send(json.dumps(saved).encode()))[1]
    assert "Rules taken in: 1. Left out, because their channel or role is not of this server: 1." in page


async def test_hits_are_counted_and_refused_prompts_stand_in_the_overview(office: Office, browser: Browser) -> None:
    await browser.post(f"{HOME}/filter/add", rule="mongoose")
    for _ in range(3):
        await office.town.invoke(ids.ADA_ID, "dream", prompt="a mongoose")
    await office.town.told(ids.ADA_ID, "mongoose")
    await office.town.until(lambda: three_hits(office))
    page = (await browser.get(f"{HOME}/filter")).text
    assert re.search(r"<code>mongoose</code></td><td>block</td><td class=\"num\">3</td><td class=\"num\">1</td>", page)
    page = (await browser.get(HOME)).text
    assert re.search(r"<dt>Refused prompts</dt><dd>3</dd>", page)
    waiting = await office.bot.house.desk.cases.waiting(ids.GUILD_ID)
    assert re.search(rf"<dt>Cases waiting</dt><dd>{waiting}</dd>", page)


async def three_hits(office: Office) -> bool:
    counts = await office.bot.house.studio.rules.counts(ids.GUILD_ID, 0.0)
    return any(each.rule == "mongoose" and each.times == 3 for each in counts)


async def test_the_linter_knows_scopes_and_leaves_out_what_was_erased(office: Office, browser: Browser) -> None:
    await withheld(office, "a lynx in the snow")

    async def hit(**fields: str) -> list[str]:
        answer = await browser.post(f"{HOME}/filter/lint", rule="*e*", **fields)
        found: list[str] = json.loads(answer.text)["prompts"]
        return [each for each in found if "lynx" in each or "deleted" in each]

    assert await hit() == await hit(channel=str(ids.ART_ID)) == ["a lynx in the snow"]
    assert await hit(channel=str(ids.MODS_ID)) == await hit(role=str(ids.MODERATORS_ROLE_ID)) == []
    async with office.bot.house.desk.jobs._database.write() as connection:
        lynx = jobs.c.request["prompt"].as_string() == "a lynx in the snow"
        values = {"request": {"prompt": "(deleted)", "width": 64, "height": 64}, "erased_at": time.time()}
        await connection.execute(update(jobs).where(lynx).values(values))
    assert await hit() == []


async def test_review_settings_are_changed_and_bounded(office: Office, browser: Browser) -> None:
    rules = office.bot.client.review.rules

    async def send(**fields: str) -> str:
        assert (await browser.post(f"{HOME}/policy/review", **fields)).status == 303
        return (await browser.get(f"{HOME}/policy")).text

    before = rules.rules_for(ids.GUILD_ID)
    for name, wrong in (("ban_at", "101"), ("strike_days", "0"), ("pause_hours", "1.5"), ("report_threshold", "-1")):
        assert "is a whole number from" in await send(**{name: wrong})
    assert "no such text channel" in await send(review_channel="77")
    assert rules.rules_for(ids.GUILD_ID) == before
    page = await send(report_threshold="5", strike_days="30", review_channel=str(ids.ART_ID))
    assert "everybody can read this channel" in page
    assert rules.rules_for(ids.GUILD_ID) == replace(before, report_threshold=5, channel=ids.ART_ID)
    entry = await last_entry(office)
    assert (entry.action, entry.actor_id) == (Act.SETTINGS, ids.MILO_ID)
    assert entry.reason == f"reports that hide a picture: 5; review channel: channel {ids.ART_ID}"
    await send(review_channel="")
    assert rules.rules_for(ids.GUILD_ID).channel is None
