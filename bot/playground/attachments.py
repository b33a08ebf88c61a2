"""Files of the local Discord: kept in memory within bounds, and their API objects."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from bot.playground.cdn import Cdn
from bot.playground.documents import Json
from bot.playground.pictures import dimensions, media_type

KEPT_BYTES = 256 * 2**20
FADING = 64  # files no message shows any more, served a little longer to clients that are just loading them

MAX_FILE = 10 * 2**20  # bytes; Discord's limit without boosts
MAX_REQUEST = 25 * 2**20  # bytes of all files in one request
IS_SPOILER = 1 << 3

_UNSAFE = re.compile(r"[^\w.\-]", re.ASCII)


@dataclass(slots=True)
class Attachment:
    """A stored file and where it belongs."""

    id: int
    channel_id: int
    filename: str
    content: bytes
    media_type: str
    size: int
    dimensions: tuple[int, int] | None = None
    description: str | None = None
    title: str | None = None
    is_spoiler: bool = False
    is_ephemeral: bool = False


def stored_name(filename: str) -> str:
    """The name Discord stores: spaces become underscores, other odd characters go."""
    name = _UNSAFE.sub("", re.sub(r"\s", "_", filename.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]))
    return name.lstrip(".")[-200:] or "unknown"


class Attachments:
    """Every file, by id. When the whole is too large the oldest files lose their bytes, not their place."""

    def __init__(self, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._files: dict[int, Attachment] = {}
        self._fading: deque[int] = deque()
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._emptied: list[int] = []

    def __getitem__(self, attachment_id: int) -> Attachment:
        return self._files[attachment_id]

    def get(self, attachment_id: int) -> Attachment | None:
        """The file, if it is still here."""
        return self._files.get(attachment_id)

    def of(self, attachment_ids: Iterable[int]) -> list[Attachment]:
        """Those of these files that are still here."""
        return [self._files[key] for key in attachment_ids if key in self._files]

    def lookup(self, attachment_id: int) -> tuple[bytes, str] | None:
        """Bytes and media type, for the CDN."""
        found = self._files.get(attachment_id)
        return None if found is None or len(found.content) != found.size else (found.content, found.media_type)

    def store(self, attachment_id: int, channel_id: int, filename: str, content: bytes) -> Attachment:
        """Takes a file in; what it is, is told from its bytes."""
        kind = media_type(content, filename)
        attachment = Attachment(
            attachment_id,
            channel_id,
            stored_name(filename),
            content,
            kind,
            len(content),
            dimensions(content, kind),
            is_spoiler=filename.startswith("SPOILER_"),
        )
        self.put(attachment)
        return attachment

    def put(self, attachment: Attachment) -> None:
        """Takes in a file that has been here before."""
        self._files[attachment.id] = attachment
        self._bytes += len(attachment.content)
        self._make_room()

    def let_go(self, attachment_ids: Iterable[int]) -> None:
        """These files are shown nowhere any more; they vanish after some others have."""
        self._fading.extend(attachment_ids)
        while len(self._fading) > FADING:
            gone = self._files.pop(self._fading.popleft(), None)
            self._bytes -= len(gone.content) if gone else 0

    def take_emptied(self) -> list[int]:
        """Files that have lost their bytes since this was last asked."""
        emptied, self._emptied = self._emptied, []
        return emptied

    def _make_room(self) -> None:
        for attachment in list(self._files.values()):
            if self._bytes <= self._kept_bytes:
                return
            if attachment.content:
                self._bytes -= len(attachment.content)
                attachment.content = b""
                self._emptied.append(attachment.id)


def attachment_json(attachment: Attachment, cdn: Cdn) -> Json:
    """The attachment object, with a URL that is fresh from now."""
    url = cdn.sign(attachment.channel_id, attachment.id, attachment.filename)
    document: Json = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": url,
        "proxy_url": url,
        "content_type": attachment.media_type,
        "flags": IS_SPOILER if attachment.is_spoiler else 0,
    }
    if attachment.dimensions is not None:
        document["width"], document["height"] = attachment.dimensions
    if attachment.description:
        document["description"] = attachment.description
    if attachment.title:
        document["title"] = attachment.title
    if attachment.is_ephemeral:
        document["ephemeral"] = True
    return document
