"""Refused requests are remembered across processes, and whatever becomes of the file hinders nothing."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from bot.refused_requests import LARGE, NAME, SPAN, WRITER, Kind, RefusedRequests


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def opened(folder: Path, clock: Clock) -> RefusedRequests:
    refused = RefusedRequests(folder, clock)
    refused.begin()
    written()
    return refused


def written() -> None:
    WRITER.submit(int).result()


def ages(refused: RefusedRequests) -> list[tuple[float, Kind]]:
    return [(refused.age(at), kind) for at, kind in refused.heard]


def test_what_one_process_notes_another_reads(tmp_path: Path) -> None:
    clock = Clock()
    opened(tmp_path, clock).note(Kind.BOT)
    clock.now += 100.0
    opened(tmp_path, clock).note(Kind.TOKEN)
    clock.now += 50.0
    written()
    assert ages(opened(tmp_path, clock)) == [(150.0, Kind.BOT), (50.0, Kind.TOKEN)]
    clock.now += SPAN - 100.0
    assert ages(opened(tmp_path, clock)) == [(SPAN - 50.0, Kind.TOKEN)]
    assert [line.split()[:2] for line in (tmp_path / NAME).read_text().splitlines()] == [["1000100.000", "token"]]


def test_processes_hear_of_each_other_and_not_of_themselves(tmp_path: Path) -> None:
    one, other, third = (opened(tmp_path, Clock()) for _ in range(3))
    one.note(Kind.FREE)
    other.note(Kind.TOKEN)
    written()
    assert (ages(one), ages(other)) == ([], [(0.0, Kind.FREE)])
    one.note(Kind.BOT)
    written()
    assert (ages(one), ages(third)) == ([(0.0, Kind.TOKEN)], [])


def test_a_clock_that_was_set_back_makes_them_new_ones(tmp_path: Path) -> None:
    clock = Clock()
    opened(tmp_path, clock).note(Kind.BOT)
    written()
    clock.now -= 3600.0
    assert ages(opened(tmp_path, clock)) == [(0.0, Kind.BOT)]
    clock.now += SPAN
    assert ages(opened(tmp_path, clock)) == []


def test_a_spoilt_file_is_read_as_far_as_it_says_something(tmp_path: Path) -> None:
    lines = b"\xff\xfe\x00 bot\n999990.000 bot\nnan token\ninf bot\n\n12\n999995.0"
    (tmp_path / NAME).write_bytes(lines)
    assert ages(opened(tmp_path, Clock())) == [(10.0, Kind.BOT), (5.0, Kind.BOT)]


def test_a_place_that_cannot_be_written_or_read_hinders_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        (tmp_path / NAME).mkdir(exist_ok=True)
        refused = opened(folder, Clock())
        refused.note(Kind.BOT)
        written()
        assert refused.heard == ()


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    refused = opened(tmp_path, Clock())
    (tmp_path / NAME).write_text("1000.000 bot\n" * (LARGE // 12))
    refused.note(Kind.TOKEN)
    written()
    assert (tmp_path / NAME).read_text().startswith("1000000.000 token ")
    assert len((tmp_path / NAME).read_text().splitlines()) == 1


def test_whoever_is_killed_while_old_ones_are_dropped_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, *_: object) -> None:
        path.write_bytes(b"1000")
        raise OSError("killed")

    clock = Clock()
    opened(tmp_path, clock).note(Kind.BOT)
    written()
    monkeypatch.setattr(Path, "write_text", killed)
    for _ in range(2):
        assert ages(opened(tmp_path, clock)) == [(0.0, Kind.BOT)]
    assert (tmp_path / NAME).with_suffix(".part").exists()


def test_nothing_is_lost_while_another_process_starts_again_and_again(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("spawn")
    running, stop = processes.Event(), processes.Event()
    other = processes.Process(target=_starts_again_and_again, args=(tmp_path, running, stop))
    other.start()
    assert running.wait(20.0)
    refused = RefusedRequests(tmp_path)
    for _ in range(90):
        refused.note(Kind.BOT)
        time.sleep(0.002)
    written()
    stop.set()
    other.join()
    assert other.exitcode == 0
    assert len(opened_now(tmp_path).heard) == 90


def opened_now(folder: Path) -> RefusedRequests:
    refused = RefusedRequests(folder)
    refused.begin()
    written()
    return refused


def _starts_again_and_again(folder: Path, running: Event, stop: Event) -> None:
    while not stop.is_set():
        opened_now(folder)
        running.set()


def test_what_was_noted_is_written_at_the_end_of_a_process(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_notes_and_ends, args=(tmp_path,))
    process.start()
    process.join()
    assert len(opened_now(tmp_path).heard) == 5


def _notes_and_ends(folder: Path) -> None:
    asyncio.run(_note_slowly(folder))


async def _note_slowly(folder: Path) -> None:
    WRITER.submit(time.sleep, 0.5)
    began = time.monotonic()
    for _ in range(5):
        RefusedRequests(folder).note(Kind.BOT)
    assert time.monotonic() - began < 0.1  # nobody waits for it
