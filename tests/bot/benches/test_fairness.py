"""The measurement of fairness measures: its ideal is one, and an unfair line is caught."""

from __future__ import annotations

import json

import pytest

from bot.benches import fairness
from bot.benches.crowd import HEAVY, JOBS, MEMBERS, Asked, crowd
from bot.benches.fairness import WHOLE, compared, first_come, jain
from bot.benches.fluid import ideal


def test_the_crowd_is_the_one_that_is_announced():
    jobs = crowd(20.0, 1)
    assert len(jobs) == JOBS
    assert len({job.member for job in jobs}) == MEMBERS
    assert sum(not job.light for job in jobs) == JOBS // 2
    assert {job.member for job in jobs if not job.light} == set(range(HEAVY))
    assert [job.at for job in jobs] == sorted(job.at for job in jobs)


def test_the_ideal_shares_evenly_and_gives_the_rest_to_whoever_wants_it():
    jobs = [Asked(0.0, 0, 1, 8.0), Asked(0.0, 0, 2, 2.0), Asked(2.0, 0, 3, 1.0)]
    best = ideal(jobs, 1.0, 4.0)
    # Two share until 2, when each has got 1; then three do, until the second and the third have all they want.
    assert best.painted[1] + best.painted[2] + best.painted[3] == pytest.approx(4.0)
    assert best.finished[1] == pytest.approx(5.0)
    assert best.finished[2] == pytest.approx(5.0)
    assert best.finished[0] == pytest.approx(11.0)


def test_the_ideal_shares_among_guilds_first():
    jobs = [Asked(0.0, 0, 1, 4.0), Asked(0.0, 1, 2, 4.0), Asked(0.0, 1, 3, 4.0)]
    best = ideal(jobs, 1.0, 4.0)
    assert (best.painted[1], best.painted[2], best.painted[3]) == pytest.approx((2.0, 1.0, 1.0))
    assert best.finished == pytest.approx([8.0, 12.0, 12.0])


def test_first_come_first_served_is_found_unfair():
    jobs = crowd(20.0, 1)
    speed = sum(job.cost for job in jobs) / WHOLE
    figures = compared(jobs, first_come(jobs, speed), ideal(jobs, speed, 3600.0))
    assert figures["jain_1h"] < 0.05
    assert figures["light_wait_p99_to_ideal"] > 1.5


def test_jains_index():
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)


async def test_the_real_store_is_fair(tmp_path, monkeypatch):
    """The same as the published figures, with a twentieth of the crowd."""
    every = [job for job in crowd(1.0, 2) if job.member < HEAVY or job.member % 20 < 2]
    small = [job for number, job in enumerate(every) if job.light or number % 20 == 0]
    monkeypatch.setattr(fairness, "crowd", lambda minutes, guilds: small)
    report = tmp_path / "figures.json"
    await fairness.measure(minutes=1.0, guilds=2, report=report)
    figures = json.loads(report.read_text())["figures"]
    assert figures["fair_jain_1h"] > 0.95
    assert figures["fair_light_wait_p99_to_ideal"] < 1.5
    assert figures["fifo_jain_1h"] < figures["fair_jain_1h"]
