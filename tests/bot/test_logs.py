"""No token and no password ever reaches a log line, and nobody waits for whoever reads them."""

from __future__ import annotations

import fcntl
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.logs import KEPT, PATIENCE, SecretFilter

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"
INTERACTION = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5MDEyMzQ1Njc4OQ"


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        (f"token {TOKEN} refused", TOKEN),
        (f"PATCH /webhooks/123/{INTERACTION}/messages/@original", INTERACTION),
        (f"POST /interactions/123/{INTERACTION}/callback", INTERACTION),
        ("postgresql+asyncpg://atelier:hunter2@db/atelier", "hunter2"),
    ],
)
def test_secrets_are_blackened_in_messages_arguments_and_tracebacks(caplog, message, secret):
    logger = logging.getLogger("bot.test")
    logger.addFilter(SecretFilter())
    try:
        raise RuntimeError(message)
    except RuntimeError:
        logger.exception("failed with %s", message)
    logger.removeFilter(logger.filters[0])
    formatted = logging.Formatter().format(caplog.records[0])
    assert "[secret]" in formatted
    assert secret not in formatted
    assert "failed with" in formatted


BEGINNING = (
    "import asyncio, logging, sys, time; from bot.logs import set_up; set_up(20); log = logging.getLogger('bot')"
)
CROWD = """
async def main():
    worst, last = 0.0, time.monotonic()
    for number in range(20_000):
        log.info("line %d", number)
        if number % 100 == 0:
            await asyncio.sleep(0.001)
            worst, last = max(worst, time.monotonic() - last), time.monotonic()
    print(worst, time.strftime("%H:%M:%S"), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    log.info("the end")

asyncio.run(main())
"""


@contextmanager
def started(script: str) -> Iterator[subprocess.Popen[str]]:
    """A process whose log goes into a small pipe that nobody reads as yet."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{BEGINNING}\n{script}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    fcntl.fcntl(process.stderr, fcntl.F_SETPIPE_SZ, 4096)
    watchdog = threading.Timer(25.0, process.kill)
    watchdog.start()
    with process:
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def test_a_log_that_nobody_reads_holds_up_nothing_and_says_later_what_is_lacking() -> None:
    with started(CROWD) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        worst, at = process.stdout.readline().split()
        assert float(worst) < 0.5
        time.sleep(1.1)  # whoever reads comes later
        told = [process.stderr.readline() for _ in range(KEPT)]
        process.stdin.write("\n")
        process.stdin.flush()
        told += process.stderr.read().splitlines()

    dropped = [line for line in told if "lines were dropped here" in line]
    lines = [line.split("line ")[1].strip() for line in told if " line " in line]
    assert len(dropped) == 1
    assert int(dropped[0].split("bot.logs: ")[1].split()[0]) + len(lines) == 20_000
    assert lines == [str(number) for number in range(len(lines))]
    assert KEPT <= len(lines) < KEPT + 200  # and what the pipe holds
    assert told[len(lines) - 1][:8] <= at  # when it happened, not when it was read
    assert "the end" in told[-1]
    assert process.returncode == 0


def test_at_the_end_of_a_process_no_line_is_lost() -> None:
    with started(f"for number in range({KEPT}): log.info('line %d', number)\nsys.exit(78)") as process:
        time.sleep(0.5)
        told = process.communicate(timeout=30)[1].splitlines()
    assert [line.split("line ")[1] for line in told] == [str(number) for number in range(KEPT)]
    assert process.returncode == 78


def test_a_process_ends_although_nobody_reads_its_log() -> None:
    with started(f"for number in range({2 * KEPT}): log.info('line %d', number)") as process:
        assert process.wait(timeout=PATIENCE + 20.0) == 0


def test_why_a_process_ends_is_told_before_that_it_does() -> None:
    with started(f"log.error('why %s', '{TOKEN}')\nsys.stderr.write('that\\n')") as process:
        told = process.communicate(timeout=30)[1].splitlines()
    assert [line.split(": ")[-1] for line in told] == ["why [secret]", "that"]
