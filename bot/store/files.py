"""Files kept by their own SHA-256: written whole or not at all, off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

UNFINISHED = ".new-"  # how the names of files begin that are being written
DIGEST = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """A folder of immutable files, fanned out over the first two digits of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, data: bytes) -> str:
        """Keep `data` and return its SHA-256; keeping the same bytes again costs next to nothing."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, sha256: str) -> bytes | None:
        """The bytes with that digest, or None when they are gone or damaged."""
        return await asyncio.to_thread(self._get, sha256)

    async def has(self, sha256: str) -> bool:
        """Whether there is a file with that digest."""
        return await asyncio.to_thread(self._path(sha256).exists)

    async def remove(self, sha256: str) -> None:
        """Delete the file with that digest; nothing happens when it is gone already."""
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    async def older_than(self, moment: float) -> AsyncIterator[list[str]]:
        """Digests of the files last kept before `moment` (epoch seconds), folder by folder."""
        for number in range(256):
            names = await asyncio.to_thread(self._older_in, self._folder / f"{number:02x}", moment)
            if digests := [name for name in names if DIGEST.fullmatch(name)]:
                yield digests

    async def clear_unfinished(self, moment: float) -> None:
        """Delete what a crash before `moment` left half-written."""
        await asyncio.to_thread(self._clear_unfinished, moment)

    async def remove_if_older(self, sha256: str, moment: float) -> bool:
        """Delete the file unless it was kept again since `moment`; whether it was there and is gone now."""
        return await asyncio.to_thread(self._remove_if_older, sha256, moment)

    def _older_in(self, folder: Path, moment: float) -> list[str]:
        try:
            files = [(entry.name, entry.stat().st_mtime) for entry in os.scandir(folder)]
        except FileNotFoundError:
            return []
        return sorted(name for name, kept_at in files if kept_at < moment)

    def _clear_unfinished(self, moment: float) -> None:
        for folder in self._folder.glob("??"):
            for name in self._older_in(folder, moment):
                if name.startswith(UNFINISHED):
                    (folder / name).unlink(missing_ok=True)

    def _remove_if_older(self, sha256: str, moment: float) -> bool:
        path = self._path(sha256)
        try:
            if path.stat().st_mtime >= moment:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, sha256: str) -> Path:
        if not DIGEST.fullmatch(sha256):
            raise ValueError("not a SHA-256 digest")  # never let a stored value become a path
        return self._folder / sha256[:2] / sha256

    def _put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if self._is_kept(path):
            return sha256
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(self._folder)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
        return sha256

    def _is_kept(self, path: Path) -> bool:
        """Whether the file is there and whole; one that is spoilt, or another user's, is written anew."""
        try:
            os.utime(path)  # kept again: a sweep that is under way must not take it for an old one
            return self._get(path.name) is not None
        except OSError:
            return False

    def _get(self, sha256: str) -> bytes | None:
        try:
            data = self._path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None


def sync_folder(folder: Path) -> None:
    """The name of a new file survives a power cut only when its folder is synced too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
