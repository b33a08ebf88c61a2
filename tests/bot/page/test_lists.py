"""The chapters of strikes, artists, the log, the filter and the review settings over real HTTP."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from dataclasses import replace

import aiohttp
import pytest
from sqlalchemy import update

from bot.moderation.entries import Entry as FilterEntry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.playground import ids
from bot.store.audit import Act
from bot.store.schema import jobs
from tests.bot.page.office import HOME, Browser, Office
from tests.bot.page.queue import HARMLESS, browser, last_entry, office, rule, withheld
from tests.bot.page.test_pages import HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="module")
__all__ = ["browser", "office"]  # fixtures


# -- strikes, artists, audit log -------------------------------------------------------------------------------------


async def test_somebody_is_warned_kept_from_painting_and_let_paint_again(office: Office, browser: Browser) -> None:
    async def send(deed: str, **fields: str) -> str:
        assert (await browser.post(f"{HOME}/strikes/{deed}", **fields)).status == 303
        return (await browser.get(f"{HOME}/strikes")).text

    who = str(ids.DANA_ID)
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
    await rule(browser, await withheld(office, "a tree of Ben's", ids.BEN_ID), "timeout")
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
    await office.town.told(ids.ADA_ID, "filter does not allow")
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
        answer = await browser.post(f"{HOME}/filter/lint", rule="re:lynx|deleted", **fields)
        found: list[str] = json.loads(answer.text)["prompts"]
        return found

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
    assert entry.reason == f"review channel: channel {ids.ART_ID}; reports that hide a picture: 5"
    await send(review_channel="")
    assert rules.rules_for(ids.GUILD_ID).channel is None
