"""Makes approved pictures fit into a message: as they are, else in a smaller file of the same picture."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.desk import Desk
from bot.order import Commission
from bot.store.pictures import StoredPicture
from generation.safety.approved import Approved
from generation.safety.recoding import Origin, Recoder

AT_ONCE: Final = 2  # pictures that are encoded again at a time; a whole sheet takes a second and 30 MiB


class Packing:
    """Takes approved pictures out of the store, in files of the wished size."""

    def __init__(self, desk: Desk, recoder: Recoder, clock: Callable[[], float] = time.time) -> None:
        self._pictures = desk.pictures
        self._fingerprints = desk.fingerprints
        self._recoder = recoder
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)

    async def of(self, commission: Commission) -> list[StoredPicture]:
        """What is known of a job's pictures, see PictureStore.of."""
        return await self._pictures.of(commission.id)

    async def load(self, commission: Commission, index: int) -> Approved | None:
        """The approved file of one picture; None when withheld or gone."""
        return await self._pictures.load(commission.id, index)

    async def fitting(self, commission: Commission, approved: Approved, limit: int) -> Approved | None:
        """The picture in a file of at most `limit` bytes, which will be recognised later; None when it cannot be."""
        if len(approved.data) <= limit:
            return approved
        recipe = commission.recipe
        origin = Origin(
            model=str(recipe.get("model", commission.request.model)),
            model_sha256=str(recipe.get("model_sha256", "")),
            from_upload=commission.request.image is not None,
        )
        async with self._places:
            smaller = await asyncio.to_thread(self._recoder.within, approved, limit, origin)
        if smaller is not None:
            await self._fingerprints.keep(smaller, commission.id, origin.model, self._clock())
        return smaller


def as_sent(picture: StoredPicture, approved: Approved) -> StoredPicture:
    """What is known of a picture, of the file that is sent."""
    return replace(picture, media_type=approved.media_type)
