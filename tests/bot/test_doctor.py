"""Doctor's lines: what is well, what is not, and what to do about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import doctor
from bot.config import Config
from bot.doctor import NEEDED_PERMISSIONS, Level, _discord, _permissions
from bot.store.database import Database
from bot.store.processes import Processes
from tests.generation.engine.watermark.schooled import SCHOOLED

ROOT = Path(__file__).parents[2]


def test_without_a_token_everything_else_is_examined_for_real(tmp_path):
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"],
        cwd=tmp_path,
        env=plain | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert {"settings", "token", "database", "disk", "memory", "model", "device", "safety", "picture"} <= lines.keys()
    assert lines["token"].startswith("warning")
    assert lines["database"].startswith("ok")
    assert lines["signing"].startswith("ok")
    assert "Painted and approved" in lines["picture"]
    assert "starter closed world" in lines["safety"]


def test_a_model_that_is_not_there_fails_with_its_sentence(tmp_path):
    (tmp_path / "config.yaml").write_text("model: gone.safetensors")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"],
        cwd=tmp_path,
        env=plain | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 78
    assert any(line.startswith("failed") and "gone.safetensors" in line for line in done.stdout.splitlines())
    assert "Traceback" not in done.stdout + done.stderr


def test_missing_permissions_are_named():
    everything = sum(NEEDED_PERMISSIONS.values())
    guilds = [
        {"name": "Well", "permissions": str(everything)},
        {"name": "Boss", "permissions": "8"},
        {"name": "Poor", "permissions": str(everything - NEEDED_PERMISSIONS["Attach Files"])},
    ]
    found = _permissions(guilds)
    assert [finding.level for finding in found] == [Level.OK, Level.OK, Level.FAILED]
    assert "Attach Files" in found[2].sentence
    assert _permissions([])[0].level is Level.WARNING


@pytest.mark.parametrize("token", ["right", "wrong"])
async def test_the_token_is_tried_against_discord(playground, token):
    value = playground.token if token == "right" else playground.token[:-1] + "x"
    found = await _discord(Config(token=value, api_url=playground.api_url))
    if token == "right":
        assert [finding.level for finding in found] == [Level.OK] * len(found)
        assert {finding.subject for finding in found} == {"token", "intents", "permissions"}
    else:
        assert [finding.level for finding in found] == [Level.FAILED]
        assert "refuses this token" in found[0].sentence


async def test_an_unreachable_discord_is_a_sentence():
    found = await _discord(Config(token="a.b.c", api_url="http://127.0.0.1:1/api/v10"))
    assert [finding.level for finding in found] == [Level.FAILED]
    assert "cannot be reached" in found[0].sentence


async def test_a_data_folder_that_others_do_not_share_is_named(tmp_path, postgres_url):
    async with Database(postgres_url, tmp_path / "shared") as database:
        await Processes(database).join(tmp_path / "shared")
        for folder, level in (("own", Level.FAILED), ("shared", Level.OK)):
            (found,) = await doctor._database(Config(database_url=postgres_url, data_dir=tmp_path / folder))
            assert (found.level, "another data folder" in found.sentence) == (level, level is Level.FAILED)


async def test_the_watermark_is_named_off_or_wrong(tmp_path):
    def told(folder):
        return doctor._watermark(Config(files={"watermark": str(folder)}))

    (off,) = await doctor._watermark(Config())
    assert (off.level, off.sentence[:3]) == (Level.OK, "Off")
    (whole,) = await told(SCHOOLED)
    assert (whole.level, "Schooled" in whole.sentence) == (Level.OK, True)
    (gone,) = await told(tmp_path / "gone")
    assert (gone.level, "There is no watermark in" in gone.sentence) == (Level.FAILED, True)
