"""Refused requests are remembered across processes, and whatever becomes of the file hinders nothing."""

from __future__ import annotations

from pathlib import Path

from bot.refused_requests import LARGE, NAME, SPAN, RefusedRequests


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_what_one_process_notes_another_reads(tmp_path: Path) -> None:
    clock = Clock()
    await RefusedRequests(tmp_path, clock).add(by_token=False)
    clock.now += 100.0
    await RefusedRequests(tmp_path, clock).add(by_token=True)
    clock.now += 50.0
    assert RefusedRequests(tmp_path, clock).recent() == [(150.0, False), (50.0, True)]
    clock.now += SPAN - 100.0
    assert RefusedRequests(tmp_path, clock).recent() == [(SPAN - 50.0, True)]
    RefusedRequests(tmp_path, clock).tidy()
    assert (tmp_path / NAME).read_text() == "1000100.000 token\n"


async def test_a_clock_that_was_set_back_makes_them_new_ones(tmp_path: Path) -> None:
    clock = Clock()
    await RefusedRequests(tmp_path, clock).add(by_token=False)
    clock.now -= 3600.0
    assert RefusedRequests(tmp_path, clock).recent() == [(0.0, False)]
    RefusedRequests(tmp_path, clock).tidy()
    clock.now += SPAN
    assert RefusedRequests(tmp_path, clock).recent() == []


async def test_a_spoilt_file_is_read_as_far_as_it_says_something(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe\x00 bot\n999990.000 bot\nnan token\ninf bot\n\n12\n999995.0")
    refused = RefusedRequests(tmp_path, Clock())
    assert refused.recent() == [(10.0, False), (5.0, False)]


async def test_a_place_that_cannot_be_written_or_read_hinders_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        (tmp_path / NAME).mkdir(exist_ok=True)
        refused = RefusedRequests(folder, Clock())
        await refused.add(by_token=False)
        refused.tidy()
        assert refused.recent() == []


async def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("1000.000 bot\n" * (LARGE // 12))
    refused = RefusedRequests(tmp_path, Clock())
    await refused.add(by_token=True)
    assert (tmp_path / NAME).read_text() == "1000000.000 token\n"
