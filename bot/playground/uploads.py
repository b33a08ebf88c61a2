"""Files people have uploaded for options and modals; they are nobody's message and do not last."""

from __future__ import annotations

from collections import OrderedDict

from bot.playground.attachments import MAX_FILE, Attachment
from bot.playground.documents import ApiError
from bot.playground.world import World

KEPT = 200
LIFETIME = 3600.0  # seconds; Discord does not say how long


class Uploads:
    """Each person's uploads, by id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._owners: OrderedDict[int, tuple[int, float]] = OrderedDict()

    def take(self, person_id: int, filename: str, content: bytes) -> Attachment:
        """Raises `ApiError` 40005 for more than 10 MiB."""
        if len(content) > MAX_FILE:
            raise ApiError(413, 40005, "That file is larger than 10 MiB.")
        place = self._world.direct_channel(person_id)
        attachment = self._world.attachments.store(self._world.snowflakes.next(), place.id, filename, content)
        attachment.is_ephemeral = True
        self._owners[attachment.id] = (person_id, self._world.clock.monotonic())
        self._forget()
        return attachment

    def find(self, person_id: int, attachment_id: int) -> Attachment | None:
        """The upload, if it is this person's and has not gone yet."""
        self._forget()
        owner = self._owners.get(attachment_id)
        return self._world.attachments.get(attachment_id) if owner and owner[0] == person_id else None

    def _forget(self) -> None:
        oldest = self._world.clock.monotonic() - LIFETIME
        while self._owners and (len(self._owners) > KEPT or next(iter(self._owners.values()))[1] < oldest):
            attachment_id, _ = self._owners.popitem(last=False)
            self._world.attachments.let_go([attachment_id])
