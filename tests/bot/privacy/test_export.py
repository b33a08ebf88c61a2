"""/privacy show and export in the local Discord: the file is opened, and only its person ever sees it."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot.playground.ids import DM_IDS
from bot.privacy.export import MARGIN, Exports, _documents
from generation.errors import BadRequest
from tests.bot.town import ADA, BEN, EPHEMERAL, Town, open_both
from tests.house import open_house
from tests.orders import a_request, an_order
from tests.painter import Painter


async def _opened(town: Town, message: dict[str, Any]) -> zipfile.ZipFile:
    [attachment] = message["attachments"]
    assert attachment["filename"] == "atelier-your-data.zip"
    async with town.http.get(attachment["url"]) as response:
        return zipfile.ZipFile(io.BytesIO(await response.read()))


async def test_everything_about_a_person_and_nothing_about_others(tmp_path: Path) -> None:
    async with open_both(tmp_path) as (town, bot):
        await town.invoke(ADA, "dream", prompt="a très café 🏠", count=2, seed=4)
        result = await town.result()
        await town.invoke(BEN, "dream", prompt="secret of Ben")
        await town.result(2)
        await town.click(ADA, result, "Report")
        await town.submit(ADA, reason="for the moderators")
        await town.told(ADA, "Thank you. The report")
        await town.until(lambda: bot.has(posted=2))

        await town.invoke(ADA, "privacy export")
        message = await town.told(ADA, "Here is what is kept about you")
        assert message["flags"] & EPHEMERAL
        assert not [m for m in await town.messages(BEN) if m["id"] == message["id"]]
        with await _opened(town, message) as file:
            assert file.testzip() is None
            names = file.namelist()
            whole = b"".join(file.read(name) for name in names)
            [job] = json.loads(file.read("jobs.json"))
            shown = json.loads(file.read("pictures.json"))
            [report] = json.loads(file.read("reports.json"))
            pictures = [name for name in names if name.startswith("pictures/")]
            assert len(pictures) == 2
            assert all(file.read(name)[8:12] == b"WEBP" for name in pictures)
        assert job["request"]["prompt"] == "a très café 🏠"
        assert job["request"]["seed"] == 4
        assert report["reason"] == "for the moderators"
        assert "token" not in job
        assert [row["place"] for row in shown] == [1, 0, -1]
        assert "held" not in shown[0]
        assert b"secret of Ben" not in whole
        assert str(BEN).encode() not in whole

        await town.invoke(ADA, "privacy export")
        await town.told(ADA, "You have had an export just now")


async def test_what_is_shown_in_a_server_and_in_direct_messages(tmp_path: Path) -> None:
    async with open_both(tmp_path, privacy={"prompts_days": 12}) as (town, _):
        await town.invoke(ADA, "dream", prompt="mine")
        await town.result()
        for place in ({}, {"channel": DM_IDS[ADA]}):
            await town.invoke(ADA, "privacy show", **place)
            said = await town.told(ADA, "What is kept about you here", **place)
            assert said["flags"] & EPHEMERAL
            assert "words and settings of your requests (1 now): 12 days after" in said["content"]
            assert len(said["content"]) < 2000


async def test_the_newest_pictures_go_first_and_the_rest_is_stated(tmp_path: Path) -> None:
    async with open_house(tmp_path, Painter(step_seconds=0.0)) as house:
        ids = []
        for number in range(3):
            admission = await house.studio.submit(an_order(1, request=_request(number)))
            ids.append(admission.job_id)
            while len(house.settled) <= number:
                await _moment()
        whole = await Exports(house.desk).make(1, 10_000_000)
        assert (whole.pictures, whole.pictures_left, whole.rows_left) == (3, 0, 0)
        one = max(info.compress_size for info in zipfile.ZipFile(io.BytesIO(whole.data)).infolist())
        tight = await Exports(house.desk).make(1, len(whole.data) + MARGIN - one)
        assert tight.pictures_left == 3 - tight.pictures > 0
        names = zipfile.ZipFile(io.BytesIO(tight.data)).namelist()
        shown = sorted(name[9:25] for name in names if name.startswith("pictures/"))
        assert shown == ids[3 - tight.pictures :]
        assert len(tight.data) <= len(whole.data) + MARGIN - one

        again = Exports(house.desk)
        await again.make(1, 10_000_000)
        with pytest.raises(BadRequest, match="just now"):
            await again.make(1, 10_000_000)
        await again.make(2, 10_000_000)


def _request(seed: int) -> Any:
    return a_request(seed=seed, prompt=f"picture {seed}")


async def _moment() -> None:
    await asyncio.sleep(0.01)


def test_too_many_rows_keep_the_newest() -> None:
    rows = [{"id": number, "noise": f"{number:x}" * 50} for number in range(4000)]
    files, left = _documents({"jobs": rows}, 20_000)
    kept = json.loads(files["jobs.json"])
    assert 0 < len(kept) == 4000 - left < 4000
    assert kept[0]["id"] == 3999
