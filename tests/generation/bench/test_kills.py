"""The painting process is killed at random steps: nothing is lost, and every picture is the one it would have been."""

from __future__ import annotations

import pytest

from generation.bench.kills import measure


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
async def test_nothing_is_lost_and_no_picture_is_another_one(kills: int) -> None:
    report = await measure(kills, 1, told=lambda what, done, total: None)
    figures = report.figures
    assert figures["kills"] == kills
    assert (figures["lost"], figures["other_pictures"]) == (0, 0)
    assert figures["painted_again"] >= kills
    assert report.notes == ["Seed 1; pictures are compared byte for byte, as files."]
