"""/dream in the local Discord: what is refused is told to the author alone in one sentence, and nothing stops."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.bot.town import ADA, BEN, EPHEMERAL, MODERATOR, Town, open_both
from tests.painter import Painter


def _png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def _bomb() -> bytes:
    file = io.BytesIO()
    Image.new("1", (9000, 9000)).save(file, "PNG", optimize=True)
    assert len(file.getvalue()) < 20_000
    return file.getvalue()


async def _refused(town: Town, words: str, **options: Any) -> None:
    files = options.pop("files", None)
    before = len(await town.messages(BEN))
    await town.invoke(ADA, "dream", files=files, **options)
    said = await town.told(ADA, words)

    assert said["flags"] & EPHEMERAL
    assert len(await town.messages(BEN)) == before


async def test_options_reach_the_request(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(
            ADA,
            "dream",
            prompt="a tree",
            negative="leaves",
            aspect="landscape",
            style="ink",
            steps=7,
            guidance=2.5,
            seed=2**32 - 1,
            sampler="euler",
            count=2,
        )
        await town.result()
        [job] = bot.house.painter.painted
        request = job.request

        assert (request.prompt, request.negative) == ("a tree, ink drawing", "leaves")
        assert request.width > request.height
        assert (request.steps, request.guidance, request.sampler) == (7, 2.5, "euler")
        assert (request.seed, request.count) == (2**32 - 1, 2)


async def test_bad_words_are_refused_to_the_author_alone(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await bot.house.studio.rules.add(bot.client.guilds[0].id, "dragon", MODERATOR)

        await _refused(town, "does not allow that prompt", prompt="a dragon")
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.result()

        assert [job.request.prompt for job in bot.house.painter.painted] == ["a tree"]


async def test_limits_are_told_after_the_public_answer_is_gone(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits={"member": {"waiting": 1}}) as (town, _):
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="first")
        await town.told(ADA, "step 1 of 20")
        await _refused(town, "You already have 1 request in the line", prompt="second")
        painter.hold.set()
        await town.result()

        assert [job.request.prompt for job in painter.painted] == ["first"]


async def test_a_picture_to_start_from(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a tree", strength=0.4, files={"image": ("old.png", _png(96, 64))})
        await town.result()
        [job] = bot.house.painter.painted

        assert job.request.strength == 0.4
        assert job.image is not None
        assert Image.open(io.BytesIO(job.image)).size == (96, 64)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("bomb.png", _bomb(), "megapixels"),
        ("cut.png", _png(96, 64)[:120], "picture"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG, JPEG or WebP"),
        ("line.png", _png(1, 10_000), "times as long"),
        ("noise.png", zlib.compress(bytes(1000)), "not a PNG, JPEG or WebP"),
    ],
)
async def test_bad_files_get_a_sentence(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    async with open_both(tmp_path) as (town, bot):
        await _refused(town, words, prompt="a tree", files={"image": (name, data)})
        await town.invoke(ADA, "dream", prompt="a tree")
        await town.result()

        assert len(bot.house.painter.painted) == 1


async def test_large_files_are_refused_before_they_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.intake.MAX_BYTES", 100)  # above Discord's own limit nobody gets as far as the bot
    async with open_both(tmp_path) as (town, _):
        await _refused(town, "MiB are possible", prompt="a tree", files={"image": ("a.png", _png(64, 64))})

        assert not [each for each in await town.requests() if "/cdn/" in each["path"]]


async def test_uploads_are_refused_where_nothing_can_check_them(tmp_path: Path) -> None:
    async with open_both(tmp_path, Painter(accepts_uploads=False)) as (town, _):
        await _refused(town, "no safety checker", prompt="a tree", files={"image": ("a.png", _png(64, 64))})

        assert _uploads(tmp_path) == []


@pytest.mark.parametrize("prompt", ["🏠🌃 emoji", "שלום עולם", "line one\nline two", "```code```", "<@1> @here"])
async def test_unusual_words_are_painted(tmp_path: Path, prompt: str) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt=prompt)
        result = await town.result()

        assert bot.house.painter.painted[0].request.prompt == prompt
        assert result["mention_everyone"] is False
        assert len(result["content"].splitlines()) == 2


async def test_a_refused_picture_to_start_from_is_not_kept(tmp_path: Path) -> None:
    async with open_both(tmp_path, limits={"member": {"burst": 1, "per_hour": 1, "daily": 1}}) as (town, _):
        files = {"image": ("old.png", _png(96, 64))}
        await _refused(town, "limit", prompt="a tree", count=4, files=files)
        assert _uploads(tmp_path) == []


async def test_a_refused_picture_that_another_request_starts_from_stays(tmp_path: Path) -> None:
    painter = Painter()
    async with open_both(tmp_path, painter, limits={"member": {"waiting": 1}}) as (town, bot):
        files = {"image": ("old.png", _png(96, 64))}
        painter.hold.clear()
        await town.invoke(ADA, "dream", prompt="a tree", files=files)
        await town.told(ADA, "step 1 of 20")
        await _refused(town, "You already have 1 request in the line", prompt="second", files=files)
        assert len(_uploads(tmp_path)) == 1
        painter.hold.set()
        await town.result()
        assert bot.house.painter.painted[0].image is not None


def _uploads(folder: Path) -> list[Path]:
    return [path for path in (folder / "house" / "uploads").rglob("*") if path.is_file()]
