"""/review, /strikes and /audit in the local Discord, and who may use them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from bot.playground.ids import ADA_ID, ART_ID, BEN_ID, DM_IDS, GUILD_ID, MILO_ID
from bot.review.case import Kind
from bot.review.record import as_csv, as_json
from bot.review.strikes import Ban, Strike
from bot.review.words import line_text
from bot.store.audit import THE_BOT, Act, Entry
from cogs.audit import SHOWN as AUDIT_SHOWN
from cogs.audit import audit_text
from cogs.review import NO_CHANNEL
from cogs.review import SHOWN as CASES_SHOWN
from cogs.strikes import standing_text
from tests.bot.review.test_words import a_case
from tests.bot.town import EPHEMERAL, open_both

ADA, BEN, MODERATOR = ADA_ID, BEN_ID, MILO_ID


async def test_warnings_and_bans_by_hand(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "strikes warn", member=str(ADA), reason="Be *kind*")
        assert (
            "1 active warning now. They were told directly."
            in (await town.told(MODERATOR, "1 active warning"))["content"]
        )
        assert "Be \\*kind\\*" in (await town.told(ADA, "warned you", DM_IDS[ADA]))["content"]
        await town.invoke(MODERATOR, "strikes ban", member=str(ADA), reason="enough", hours=2)
        await town.told(MODERATOR, "cannot paint here until <t:")
        await town.invoke(ADA, "dream", prompt="a tree")
        refused = await town.told(ADA, "You cannot paint here until <t:")
        assert refused["flags"] & EPHEMERAL
        assert "enough" in refused["content"]
        await town.invoke(BEN, "dream", prompt="a tree")
        await town.result()

        await town.invoke(MODERATOR, "strikes show", member=str(ADA))
        shown = (await town.told(MODERATOR, "1 active of 1 warning"))["content"]
        assert "**Cannot paint here** until" in shown
        await town.invoke(MODERATOR, "strikes unban", member=str(ADA))
        await town.told(MODERATOR, "can paint here again")
        await town.invoke(MODERATOR, "strikes unban", member=str(ADA))
        await town.told(MODERATOR, "Nothing keeps")
        await town.invoke(ADA, "dream", prompt="a bush")
        await town.result(2)
        await town.invoke(MODERATOR, "strikes clear", member=str(ADA), reason="sorry")
        await town.told(MODERATOR, "1 warning of")
        await town.invoke(MODERATOR, "audit", member=str(ADA))
        log = (await town.told(MODERATOR, "**took warnings back**"))["content"]
        assert [word for word in ("warned", "ended painting", "let paint again") if f"**{word}**" not in log] == []
        assert len(await bot.house.desk.audit.entries(GUILD_ID)) == 4


async def test_settings_hold_at_once_and_are_logged(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(MODERATOR, "review rules", report_threshold=0, pause_at=1, pause_hours=5)
        shown = (await town.told(MODERATOR, "Reports never remove"))["content"]
        assert "1 active warnings pause painting for 5 hours" in shown
        rules = bot.client.review.rules.rules_for(GUILD_ID)
        assert (rules.report_threshold, rules.pause_at, rules.ban_at) == (0, 1, 5)
        (entry,) = await bot.house.desk.audit.entries(GUILD_ID)
        assert (entry.action, entry.actor_id) == (Act.SETTINGS, MODERATOR)
        assert entry.reason == "reports that hide a picture: 0; warnings that pause: 1; hours of a pause: 5"
        await town._post(
            "invoke",
            {
                "as": str(MODERATOR),
                "channel_id": str(ART_ID),
                "command": "review channel",
                "options": {"channel": str(ART_ID)},
                "files": {},
            },
        )
        assert "everybody can read this channel" in (await town.told(MODERATOR, "Cases are shown"))["content"]
        await town.invoke(MODERATOR, "audit", export="json")
        exported = await town.told(MODERATOR, "2 entries")
        assert exported["attachments"][0]["filename"] == "audit.json"


def test_exports_are_complete_and_no_formula_survives():
    entries = [
        Entry(guild_id=1, actor_id=2**60, action="warn", member_id=3, case_id=4, reason="=cmd|' /C calc'!A0", at=0.0),
        Entry(guild_id=1, actor_id=THE_BOT, action=Act.HIDDEN, reason="3 reports, ümläute", at=1.5),
    ]
    rows = list(csv.DictReader(io.StringIO(as_csv(entries).decode("utf-8-sig"))))
    assert rows[0]["reason"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["actor_id"] == str(2**60)
    assert (rows[1]["actor_id"], rows[1]["reason"], rows[1]["at"]) == (
        "bot",
        "3 reports, ümläute",
        "1970-01-01T00:00:01+00:00",
    )
    told = json.loads(as_json(entries))
    assert told[0]["reason"] == entries[0].reason
    assert audit_text([]) == "Nothing is in the log yet."
    assert "\\=" not in audit_text(entries)


def test_the_longest_lists_fit_one_message():
    big, now = 10**19, 1_800_000_000.0
    entry = Entry(guild_id=1, actor_id=big, action=Act.SETTINGS, member_id=big, case_id=10**8, reason="*" * 500, at=now)
    assert len(audit_text([entry] * AUDIT_SHOWN)) <= 2000
    strike = Strike(id=1, case_id=10**8, given_by=big, reason="_" * 500, given_at=now, expires_at=now + 1)
    ban = Ban(id=1, given_by=big, reason="`" * 500, given_at=now, until=now)
    assert len(standing_text(big, [strike] * 50, ban, now)) <= 2000
    case = a_case(kind=Kind.REVIEW, round=2, queue=(big, big), guild_id=big)
    assert len("\n".join([*[line_text(case)] * CASES_SHOWN, "and more" * 5, f"-# {NO_CHANNEL}"])) <= 2000
