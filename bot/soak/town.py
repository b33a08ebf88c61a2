"""The local Discord of a soak, through its test controls; knows how far its clock was moved."""

from __future__ import annotations

import bisect
from typing import Any

import aiohttp

from bot.playground.documents import Json
from generation.errors import AtelierError


class RefusedByTownError(AtelierError):
    """The local Discord did not do what it was asked; its sentence says why."""


class Town:
    """Members act in it, faults happen in it, and everything that happened can be read."""

    def __init__(self, http: aiohttp.ClientSession, page: str) -> None:
        self._http = http
        self._control = f"{page}control/"
        self._moved: list[tuple[float, float, float]] = []  # its time before each jump, seconds, all before together

    async def invoke(self, person: int, channel: int, command: str, **options: Any) -> int:
        """Type a slash command; returns the interaction's id."""
        wish = {"as": str(person), "channel_id": str(channel), "command": command, "options": options}
        return int((await self._post("invoke", wish))["id"])

    async def click(self, person: int, message_id: int, custom_id: str) -> int:
        """Press a button; returns the interaction's id."""
        wish = {"as": str(person), "message_id": str(message_id), "custom_id": custom_id}
        return int((await self._post("click", wish))["id"])

    async def knows_command(self, person: int, channel: int, name: str) -> bool:
        """Whether the bot has registered the command."""
        query = {"as": str(person), "channel_id": str(channel)}
        return any(command["name"] == name for command in await self._get("commands", query))

    async def breaks(self, kind: str, **fields: Any) -> None:
        """Let something go wrong."""
        await self._post("faults", {"kind": kind, **fields})

    async def mends(self) -> None:
        """Take back every fault."""
        async with self._http.delete(f"{self._control}faults") as response:
            await _checked(response)

    async def passes(self, seconds: float) -> None:
        """Move its clock forward."""
        before = (await self._get("clock", {}))["now"]
        await self._post("clock", {"advance_s": seconds})
        self._moved.append((before, seconds, sum(jump for _, jump, _ in self._moved)))

    def real(self, at: float) -> float:
        """Seconds since the epoch at which its clock showed `at`."""
        place = bisect.bisect_left(self._moved, at, key=lambda moved: moved[0])
        if not place:
            return at
        before, seconds, earlier = self._moved[place - 1]
        return at - earlier - min(seconds, at - before)

    async def journal(self, since: int) -> list[Json]:
        """Every change of a message after that number."""
        return await self._since("journal", since)

    async def requests(self, since: int) -> list[Json]:
        """Everything the bot asked after that number."""
        return await self._since("requests", since)

    async def _since(self, name: str, number: int) -> list[Json]:
        found: list[Json] = await self._get(name, {"since": str(number)})
        if found and found[0]["number"] != number + 1:
            raise RefusedByTownError(f"The local Discord's {name} were not read in time; some are gone.")
        return found

    async def _post(self, name: str, body: Json) -> Json:
        async with self._http.post(f"{self._control}{name}", json=body) as response:
            answer: Json = await _checked(response)
            return answer

    async def _get(self, name: str, query: dict[str, str]) -> Any:
        async with self._http.get(f"{self._control}{name}", params=query) as response:
            return await _checked(response)


async def _checked(response: aiohttp.ClientResponse) -> Any:
    if response.status >= 300:
        raise RefusedByTownError(await response.text())
    return await response.json() if response.status != 204 else {}
