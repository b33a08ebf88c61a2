"""The commands about start, growth and places, on small numbers; what they show is compared with what is promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.benches import growth, place, start


def figures(path: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads(path.read_text())["figures"]
    return found


async def test_places_are_exact_while_members_come_and_go(tmp_path: Path) -> None:
    await place.measure(jobs=120, guilds=4, seconds=2.0, report=tmp_path / "place.json")
    shown = figures(tmp_path / "place.json")
    assert shown["place_compared"] > 10
    assert shown["place_within_2"] >= 0.95


@pytest.mark.slow
async def test_a_start_over_waiting_jobs(tmp_path: Path) -> None:
    await start.measure(waiting=200, members=10, report=tmp_path / "start.json")
    shown = figures(tmp_path / "start.json")
    assert shown["start_waiting_at_the_end"] == 220  # and one is being painted
    assert shown["start_to_serving_s"] < 10
    assert max(shown["start_acknowledgement_worst_ms"], shown["start_database_held_acknowledgement_worst_ms"]) < 3000


@pytest.mark.slow
async def test_thousands_of_jobs_leave_nothing_behind(tmp_path: Path) -> None:
    await growth.measure(jobs=5000, report=tmp_path / "growth.json")
    shown = figures(tmp_path / "growth.json")
    assert shown["growth_kib_per_job"] < 1.0
    assert shown["growth_files_last"] <= shown["growth_files_half"] + 8
