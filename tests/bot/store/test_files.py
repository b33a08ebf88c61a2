"""A file is there whole or not at all, whatever ends its writing."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.store.files import UNFINISHED, FileStore

DATA = bytes(100_000)
NAME = hashlib.sha256(DATA).hexdigest()
PROGRAM = """
import asyncio, resource, signal, sys
from pathlib import Path
from bot.store.files import FileStore

signal.signal(signal.SIGXFSZ, signal.SIG_DFL if sys.argv[2] == "killed" else signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))  # in mid-write
try:
    asyncio.run(FileStore(Path(sys.argv[1])).put(bytes(100_000)))
except OSError:
    sys.exit(28)
"""


def _write(folder: Path, end: str) -> int:
    command = [sys.executable, "-B", "-c", PROGRAM, str(folder), end]
    return subprocess.run(command, timeout=60, check=False).returncode


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_where_a_disk_ends_in_mid_write_nothing_is_left(tmp_path: Path) -> None:
    assert await asyncio.to_thread(_write, tmp_path, "refused") == 28
    assert _files(tmp_path) == []
    assert not await FileStore(tmp_path).has(NAME)


async def test_a_process_that_dies_in_mid_write_leaves_no_file_under_its_name(tmp_path: Path) -> None:
    assert await asyncio.to_thread(_write, tmp_path, "killed") == -signal.SIGXFSZ
    store = FileStore(tmp_path)
    assert not await store.has(NAME)
    [left] = _files(tmp_path)
    assert left.name.startswith(UNFINISHED)
    assert 0 < left.stat().st_size < len(DATA)
    assert [names async for names in store.older_than(time.time() + 60)] == []  # it counts as nobody's picture
    await store.clear_unfinished(time.time() + 60)
    assert _files(tmp_path) == []
    assert await store.put(DATA) == NAME
    assert await store.get(NAME) == DATA


@pytest.mark.parametrize("name", ["../secret", "a" * 63, "A" * 64, ""])
async def test_a_stored_value_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        await FileStore(tmp_path).get(name)
