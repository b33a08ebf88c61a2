"""Numbers that stand for people who had themselves forgotten: always the same one, never a Discord id."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


class Pseudonyms:
    """Made with a key of this installation: without its file nobody can compute, or try out, whose they are."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pseudonyms.key"
        self._key: bytes | None = None

    def of(self, member_id: int) -> int:
        """A negative number for a person; ids of Discord are positive."""
        digest = hmac.digest(self._read(), b"person %d" % member_id, hashlib.sha256)
        return -1 - (int.from_bytes(digest[:8], "big") >> 2)

    def names_of(self, member_id: int) -> tuple[int, int]:
        """Under which a person may stand in a row: being forgotten makes nobody a second person."""
        return member_id, self.of(member_id)

    def fingerprint(self, text: str) -> str:
        """What is left of words that were deleted: says whether two were the same, and nothing else."""
        return hmac.digest(self._read(), b"words " + text.encode(), hashlib.sha256).hex()

    def _read(self) -> bytes:
        if self._key is None:
            if not self._path.exists():
                _make(self._path)
            self._key = self._path.read_bytes()
        return self._key


def _make(path: Path) -> None:
    """Whole or not at all, and only once: whoever comes second keeps what the first has made."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
