"""Members who ask for pictures at a steady pace, whatever happens to the bot meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from random import Random

import aiohttp

from bot.playground.ids import ART_ADULTS_ID, ART_ID, CROWD_ID, DM_IDS
from bot.press import Deed, Press
from bot.soak.record import Record
from bot.soak.town import RefusedByTownError, Town

GUESTS = 10
NEWEST = 60  # results somebody may still press a button of
WORDS = ("red", "blue", "small", "tall", "quiet", "house", "tree", "boat", "hill", "lake", "cloud", "garden", "fox")


class Members:
    """`rate` actions a second on average: most ask, some want variations, some cancel."""

    def __init__(self, town: Town, record: Record, chance: Random, rate: float) -> None:
        self._town = town
        self._record = record
        self._chance = chance
        self._rate = rate
        self._acting: set[asyncio.Task[None]] = set()
        self._people = [*DM_IDS, *(CROWD_ID + number for number in range(1, GUESTS + 1))]
        self._asked = 0
        self.prompts: set[str] = set()
        self.interactions: dict[int, float] = {}  # when each was sent, epoch seconds
        self.wishes: set[int] = set()  # those of them that ask for a picture
        self.cancelled: set[str] = set()  # jobs whose button to cancel was pressed

    async def act(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(self._chance.expovariate(self._rate))
            task = asyncio.create_task(self._one())
            self._acting.add(task)
            task.add_done_callback(self._acting.discard)

    async def _one(self) -> None:
        dice = self._chance.random()
        if dice < 0.15 and self._record.shown:
            await self._wished(self._vary())
        elif dice < 0.22 and self._record.waiting:
            await self._sent(self._cancel())
        else:
            await self._wished(self._dream())

    async def _wished(self, act: Awaitable[int]) -> None:
        if (interaction := await self._sent(act)) is not None:
            self.wishes.add(interaction)

    async def _sent(self, act: Awaitable[int]) -> int | None:
        at = time.time()
        try:
            interaction = await act
        except (RefusedByTownError, aiohttp.ClientError):
            return None  # the button is gone meanwhile, or there is no command yet: the person's client says so
        self.interactions[interaction] = at
        return interaction

    def _dream(self) -> Awaitable[int]:
        self._asked += 1
        prompt = f"{' '.join(self._chance.choices(WORDS, k=5))} number {self._asked}"
        self.prompts.add(prompt)
        person = self._chance.choice(self._people)
        direct = person in DM_IDS and self._chance.random() < 0.8
        channel = DM_IDS[person] if direct else self._chance.choice((ART_ID, ART_ADULTS_ID))
        # Only who can be written to: when a token has ended there is no other way to them alone.
        private = {"private": True} if person in DM_IDS and self._chance.random() < 0.3 else {}
        return self._town.invoke(person, channel, "dream", prompt=prompt, **private)

    def _vary(self) -> Awaitable[int]:
        job, message_id = self._chance.choice(self._record.shown[-NEWEST:])
        return self._town.click(self._who_sees(message_id), message_id, Press(Deed.VARY, job, 0).custom_id)

    def _cancel(self) -> Awaitable[int]:
        job, message_id = self._chance.choice(sorted(self._record.waiting.items()))
        self.cancelled.add(job)
        return self._town.click(self._who_sees(message_id), message_id, Press(Deed.CANCEL, job).custom_id)

    def _who_sees(self, message_id: int) -> int:
        seen = self._record.messages[message_id]
        direct = {channel: person for person, channel in DM_IDS.items()}
        return seen.asked_by or seen.audience or direct.get(seen.channel_id) or self._chance.choice(self._people)
