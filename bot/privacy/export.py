"""A person's data as one zip file: everything about them as JSON, and their pictures, the newest first."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.card import ENDINGS
from bot.desk import Desk
from bot.store.archive import Archive
from generation.errors import BadRequest
from generation.safety.approved import Approved

MARGIN = 64 * 1024  # bytes of the limit left for the form around the file
ENTRY = 512  # bytes that the directory of a zip file takes for one entry, generously
PAUSE_BETWEEN = 600.0  # seconds between two exports of one person
README = """\
This is what the art bot keeps about you, as of the moment you asked.

One .json file for each kind of row, with times in seconds since 1970 (UTC) and ids as Discord has them.
In jobs.json "request" is what you asked for and "recipe" what it was painted with; once "erased_at" has a time, their
words were deleted for their age. Pictures that were withheld from everybody are not in here, nor are keys of Discord's.
Where a row is about other people too, their ids and their words are left out: it says null there.
"""


@dataclass(frozen=True, slots=True)
class Export:
    """The file, and what had no room in it."""

    data: bytes
    pictures: int
    pictures_left: int  # no room
    rows_left: int


class Exports:
    """Makes exports, for one person once in a while."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._latest: dict[int, float] = {}  # by person: when they had one, on a clock that nobody turns back

    async def make(self, member_id: int, limit: int) -> Export:
        """Everything about the person in at most `limit` bytes; raises BadRequest when asked for too often."""
        self._slow_down(member_id)
        archive: Archive = self._desk.archive
        documents = await archive.copy(member_id)
        room = limit - MARGIN
        files, rows_left = await asyncio.to_thread(_documents, documents, room)
        room -= sum(len(data) + ENTRY for data in files.values())
        pictures: dict[str, Approved] = {}
        places = await archive.pictures_of(member_id)
        for job_id, index in places:
            approved = await self._desk.pictures.load(job_id, index)
            if approved is None:
                continue  # its file is gone for its age
            room -= len(approved.data) + ENTRY
            if room < 0:
                break
            pictures[f"pictures/{job_id}-{index + 1}.{ENDINGS.get(approved.media_type, 'bin')}"] = approved
        data = await asyncio.to_thread(_zip, files, pictures)
        there = len(pictures)
        left = await self._still_there(places[there:]) if room < 0 else 0
        return Export(data, there, left, rows_left)

    async def _still_there(self, places: Sequence[tuple[str, int]]) -> int:
        loaded = [await self._desk.pictures.load(*place) is not None for place in places]
        return sum(loaded)

    def _slow_down(self, member_id: int) -> None:
        now = time.monotonic()
        self._latest = {who: then for who, then in self._latest.items() if now - then < PAUSE_BETWEEN}
        if member_id in self._latest:
            minutes = round((PAUSE_BETWEEN - now + self._latest[member_id]) / 60) or 1
            raise BadRequest(f"You have had an export just now; please ask again in {minutes} minutes.")
        self._latest[member_id] = now


def _documents(documents: Mapping[str, Sequence[Mapping[str, Any]]], room: int) -> tuple[dict[str, bytes], int]:
    """The rows as JSON files that fit into `room` bytes once packed, the newest rows first; and how many do not."""
    rows = {name: list(reversed(each)) for name, each in documents.items() if each}
    total = sum(map(len, rows.values()))
    while True:
        files = {f"{name}.json": json.dumps(each, ensure_ascii=False, indent=1).encode() for name, each in rows.items()}
        if len(_zip(files, {})) <= room or not any(len(each) > 1 for each in rows.values()):
            return {"README.txt": README.encode(), **files}, total - sum(map(len, rows.values()))
        rows = {name: each[: (len(each) + 1) // 2] for name, each in rows.items()}


def _zip(files: Mapping[str, bytes], pictures: Mapping[str, Approved]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
        for name, approved in pictures.items():
            archive.writestr(name, approved.data, zipfile.ZIP_STORED)
    return buffer.getvalue()
