"""What people should not send: each gets one clear sentence, nothing pings, and the queue goes on."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.playground import asking, ids, uploads
from bot.playground.resolving import Resolver
from tests.e2e import nasty_files
from tests.e2e.atelier import Atelier, at_work
from tests.local_discord import EPHEMERAL, LOADING, LocalDiscord, RefusedError, text_of

ADA, BEN, ART = ids.ADA_ID, ids.BEN_ID, ids.ART_ID
REFERENCE = "went wrong on our side"  # an answer that is our own fault

Json = dict[str, Any]


@pytest.fixture
async def atelier(playground: LocalDiscord, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Atelier]:
    """At the end nothing pings anybody, the next request is painted, and the log has no fault of ours."""
    with caplog.at_level(logging.ERROR):
        async with at_work(playground, tmp_path / "bot") as atelier:
            yield atelier
            await atelier.painted("a good request")
            await nobody_was_pinged(playground)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member's client, and a Discord, that check nothing before they send it to the bot."""

    def options(_: list[Json], given: list[Json], resolver: Resolver, **__: object) -> list[Json]:
        for option in given:
            if option["type"] == 11:
                resolver.add("attachment", option["value"])
        return given

    monkeypatch.setattr(asking, "check_options", options)
    monkeypatch.setattr(asking, "check_form", lambda _, submitted, __: submitted)
    monkeypatch.setattr(uploads, "MAX_FILE", 2**30)


async def nobody_was_pinged(discord: LocalDiscord) -> None:
    """No message of the bot notifies anybody but the one person who asked, nor would it if somebody repeated it."""
    for message in await discord.messages(ADA, limit=100):
        if message["author"]["id"] != str(ids.BOT_ID):
            continue
        notified = {user["id"] for user in message["mentions"]}
        assert not message["mention_everyone"], message["content"]
        assert message["mention_roles"] == [], message["content"]
        assert notified in (set(), {str(ADA)}, {str(BEN)}), message["content"]
        if not message["flags"] & EPHEMERAL:
            words = text_of(message)
            assert not re.search(r"@(everyone|here)", words), words
            assert set(re.findall(r"(?<!\\)<@[!&]?(\d+)>", words)) <= notified, words


def dream(atelier: Atelier, **options: Any) -> Callable[[], Any]:
    return lambda: atelier.discord.invoke(ADA, "dream", {"prompt": "a red house", **options})


OUT_OF_RANGE = [
    ("prompt", "", "The prompt is empty"),
    ("prompt", " \n\t ", "The prompt is empty"),
    ("prompt", "\u200b\u2060\u00ad", "The prompt is empty"),
    ("prompt", "a house \u202egnp.exe\u202c", "characters that change its direction"),
    ("prompt", "x" * 6000, "The prompt has 6,000 characters; at most 1,000"),
    ("prompt", "a\0b", "characters that cannot be used"),
    ("prompt", "a \ud800 b", "characters that cannot be used"),
    ("negative", "x" * 6000, "The negative prompt has 6,000 characters"),
    ("negative", "a \udfff b", "characters that cannot be used"),
    ("seed", 2**64, "The seed must be between 0 and 4,294,967,295"),
    ("seed", -1, "The seed must be between"),
    ("seed", 10**400, "The seed must be between"),
    ("steps", 0, "Steps must be between 1 and"),
    ("steps", 10**9, "Steps must be at most 50 here"),
    ("guidance", 1e300, "Guidance must be between"),
    ("guidance", -0.1, "Guidance must be between"),
    ("count", 10**6, "The number of pictures must be between 1 and 4"),
    ("aspect", "1x100000", "There is no shape called “1x100000”"),
    ("aspect", "@everyone" + "x" * 5000, "There is no shape called"),
    ("style", "<@&1200000000000000101>", "no style"),
    ("sampler", "../../etc/passwd", "There is no sampler called"),
    ("strength", 7.0, "Strength belongs to a picture"),
    ("strength", 0.5, "Strength belongs to a picture"),
]


@pytest.mark.usefixtures("unchecked")
async def test_values_out_of_range(atelier: Atelier) -> None:
    wrong = []
    for option, value, sentence in OUT_OF_RANGE:
        words = await answer_to(atelier, dream(atelier, **{option: value}))
        if sentence not in words or REFERENCE in words or len(words) > 300:
            wrong.append((option, str(value)[:40], words[:300]))
    assert not wrong, "\n".join(map(str, wrong))


async def test_a_clients_own_checks_speak_first(atelier: Atelier) -> None:
    """What Discord stops before the bot hears of it."""
    cases = {"prompt": "x" * 1001, "steps": 0, "seed": 2**64, "count": 5, "aspect": "1x100000", "guidance": 31.0}
    for option, value in cases.items():
        with pytest.raises(RefusedError) as refusal:
            await dream(atelier, **{option: value})()
        assert option in refusal.value.sentence
    with pytest.raises(RefusedError, match="10 MiB"):
        await atelier.discord.upload(ADA, "big.png", nasty_files.too_big())


NASTY_WORDS = {
    "emoji": "a house 👩‍👩‍👧‍👦🏳️‍🌈🇺🇳 <:evil:123456789012345678>",
    "right to left": "بيت أحمر خانه\u200cای קרמז house",
    "mentions": f"@everyone @here <@{BEN}> <@!{BEN}> <@&{ids.MODERATORS_ROLE_ID}> <#{ART}> </dream:1> a house",
    "code fences": "```py\nprint(1)\n``` `a` ~~b~~ ||c|| **d** __e__ > f",
    "new lines": "a house\n\n# Big\n-# small\n> quote\n- list\r\n\u2028\u2029end",
    "links": "[free nitro](https://evil.example/) https://evil.example discord.gg/abc <https://evil.example>",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "towers": "a" + "\u0301" * 500 + " house",
    "templates": "a house {prompt} %s {0} $(id) ; DROP TABLE jobs; --",
    "long": "🏠" * 1000,
    "escapes": "\\" * 999 + "_",
    "wide": "﷽" * 200 + " a house",
    "backticks": "`" * 999,
}


async def test_prompts_that_try_to_leave_their_place(atelier: Atelier) -> None:
    """They are painted like any other; nothing of them works as anything but words."""
    for name, prompt in NASTY_WORDS.items():
        shown = await atelier.painted(prompt)
        content = shown["content"]
        assert len(content) <= 2000, name
        assert [user["id"] for user in shown["mentions"]] == [str(ADA)], name
        head, *rest = content.split("\n")
        assert head.startswith(f"<@{ADA}> **"), (name, content)
        assert head.endswith("**"), (name, content)
        assert all(line.startswith(("-# ", "⚠️")) for line in rest), (name, content)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\u2029\r]", content), (name, content)
        assert not re.search(r"(?<!\\)(```|\|\||~~|https?://|\]\()", content), (name, content)
        (job,) = [job for job in atelier.painter.painted if job.request.prompt == prompt.strip()] or [None]
        assert job is not None, (name, "the prompt was not painted as it was typed")
    await nobody_was_pinged(atelier.discord)


BAD_FILES = {
    "bomb.png": (nasty_files.bomb, "too many pixels"),
    "text bomb.png": (nasty_files.text_bomb, "cannot be read"),
    "lying.png": (nasty_files.lying_header, "too many pixels"),
    "truncated.png": (nasty_files.truncated, "cut off or damaged"),
    "drawing.png": (lambda: nasty_files.SVG, "not a PNG, JPEG or WebP"),
    "page.webp": (lambda: b"<html><script>alert(1)</script>", "not a PNG, JPEG or WebP"),
    "moving.png": (nasty_files.gif, "not a PNG, JPEG or WebP"),
    "empty.png": (lambda: b"", "not a PNG, JPEG or WebP"),
    "half a name.jpg": (lambda: b"\xff\xd8\xff", "cut off or damaged"),
    "sliver.png": (nasty_files.sliver, "too long and thin"),
    "big.png": (nasty_files.too_big, "11.0 MiB; at most 10 MiB"),
    "../../etc/passwd.png": (lambda: b"root:x:0:0", "not a PNG, JPEG or WebP"),
}


@pytest.mark.usefixtures("unchecked")
async def test_files_that_are_no_pictures(atelier: Atelier) -> None:
    assert len(nasty_files.bomb()) <= 10.5 * 1024
    wrong = []
    for name, (make, sentence) in BAD_FILES.items():
        words = await answer_to(atelier, with_file(atelier, name, make()))
        if sentence not in words or REFERENCE in words or len(words) > 300:
            wrong.append((name, words[:300]))
    assert not wrong, "\n".join(map(str, wrong))


def with_file(atelier: Atelier, name: str, content: bytes) -> Callable[[], Any]:
    return lambda: atelier.discord.invoke(ADA, "dream", {"prompt": "a red house"}, files={"image": (name, content)})


async def answer_to(atelier: Atelier, act: Callable[[], Any]) -> str:
    """What the person is told, or what came instead."""
    try:
        return await atelier.told(act)
    except (AssertionError, TimeoutError) as error:
        return f"(nothing was told: {type(error).__name__}: {error})"


async def test_a_file_that_is_gone_before_it_is_fetched(atelier: Atelier) -> None:
    await atelier.discord.breaks("cdn_lifetime", lifetime_s=0)
    assert "could not be fetched" in await atelier.told(with_file(atelier, "house.png", nasty_files.png()))
    await atelier.discord.mend()


@pytest.mark.usefixtures("unchecked")
async def test_a_form_with_nonsense(atelier: Atelier) -> None:
    """“Edit and run” takes free text for numbers."""
    card = await atelier.painted()
    cases = {
        "prompt": [("", "The prompt is empty"), ("x" * 6000, "The prompt has 6,000 characters")],
        "seed": [
            (str(2**64), "The seed must be between"),
            ("-1", "The seed must be"),
            ("9" * 5000, "The seed must be"),
        ],
        "steps": [("ten", "Steps must be a whole number"), ("1e3", "Steps must be"), ("", "Steps must be")],
        "guidance": [("nan", "Guidance must be"), ("inf", "Guidance must be"), ("1e999", "Guidance must be")],
    }
    wrong = []
    for field, values in cases.items():
        for value, sentence in values:
            await atelier.discord.click(ADA, card, "Edit")
            await atelier.discord.wait_for_modal(ADA)
            words = await answer_to(
                atelier, lambda field=field, value=value: atelier.discord.submit(ADA, {field: value})
            )
            if sentence not in words or REFERENCE in words or len(words) > 300:
                wrong.append((field, value[:40], words[:300]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.usefixtures("unchecked")
async def test_a_crowd_of_bad_and_good_requests(atelier: Atelier) -> None:
    """Bad ones between good ones hold up nobody."""
    discord = atelier.discord
    wishes: list[tuple[int, Json, dict[str, tuple[str, bytes]] | None]] = []
    for number in range(5):
        wishes.append((BEN, {"prompt": f"good {number}"}, None))
        wishes.append((ADA, {"prompt": "x" * 6000}, None))
        wishes.append((ADA, {"prompt": "bad"}, {"image": ("bomb.png", nasty_files.bomb())}))
    await asyncio.gather(*(discord.invoke(person, "dream", options, files=files) for person, options, files in wishes))
    for number in range(5):
        await discord.wait_for(
            lambda message, number=number: (
                f"good {number}" in message["content"] and "'V1'" in str(message["components"])  # not its ticket
            ),
            person=BEN,
            timeout=20,
        )
    async with asyncio.timeout(20):
        while sum("6,000 characters" in text_of(each) for each in await discord.messages(ADA)) < 5:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        while any(each["flags"] & LOADING for each in await discord.messages(BEN)):
            await asyncio.sleep(0.05)
    assert sorted(job.request.prompt for job in atelier.painter.painted) == [f"good {number}" for number in range(5)]
