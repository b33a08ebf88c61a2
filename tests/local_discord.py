"""The local Discord as a test sees it: started for real, acted on as its members, compared with Discord's document."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from bot.playground import ids
from tests.discord_document import Oracle

Json = dict[str, Any]
Predicate = Callable[[Json], object]
Files = Mapping[str, tuple[str, bytes]]  # option or component name -> file name and content

POLL = 0.03  # seconds between two looks at a channel
COLLECT = 1.0  # seconds between two looks at the record, which keeps the latest 5,000 exchanges
EPHEMERAL, LOADING = 1 << 6, 1 << 7


class RefusedError(AssertionError):
    """The member's own client, or the server, would not do that; `status` and `sentence` say why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{status}: {sentence}")
        self.status = status
        self.sentence = sentence


class LocalDiscord:
    """One running local Discord with its test controls. People and channels are ids of `bot.playground.ids`."""

    def __init__(self, api_url: str, token: str, http: aiohttp.ClientSession) -> None:
        self.api_url = api_url
        self.token = token
        self.origin = api_url.removesuffix("/api/v10")
        self.exchanges: list[Json] = []
        self._http = http
        self._lost = 0
        self._last = 0
        self._excused: list[Predicate] = []

    # -- acting as a member ------------------------------------------------------------------------------------------

    async def invoke(
        self,
        person: int,
        command: str,
        options: Mapping[str, Any] | None = None,
        *,
        channel: int = ids.ART_ID,
        files: Files | None = None,
        target: int | str | None = None,
    ) -> Json:
        """A slash command (`"filter add"` for a subcommand), or with a `target` one of a context menu."""
        wish: Json = {"as": person, "channel_id": channel, "command": command, "options": dict(options or {})}
        if target is not None:
            wish["target_id"] = str(target)
        return await self._post("invoke", {**wish, "files": _encoded(files)})

    async def complete(
        self, person: int, command: str, focused: str, options: Mapping[str, Any], *, channel: int = ids.ART_ID
    ) -> list[Json]:
        """The choices that the bot offers while the option `focused` is typed."""
        wish = {"as": person, "channel_id": channel, "command": command, "options": dict(options), "focused": focused}
        return (await self._post("complete", wish))["choices"]

    async def click(self, person: int, message: Json, button: str) -> Json:
        """A button by custom id, label or emoji."""
        return await self._post("click", {"as": person, "message_id": message["id"], "label": button})

    async def choose(self, person: int, message: Json, select: str, *values: str) -> Json:
        """A select by custom id or placeholder; values are values, labels or ids."""
        wish = {"as": person, "message_id": message["id"], "label": select, "values": list(values)}
        return await self._post("choose", wish)

    async def submit(self, person: int, values: Mapping[str, Any] | None = None, *, files: Files | None = None) -> Json:
        """Sends the newest open modal; fields go by custom id or label, and keep what they show when not given."""
        wish = {"as": person, "values": dict(values or {}), "files": _encoded(files)}
        return await self._post("submit", wish)

    async def upload(self, person: int, filename: str, content: bytes) -> Json:
        """A file that a later interaction may name by its id."""
        wish = {"as": person, "filename": filename, "content_base64": base64.b64encode(content).decode()}
        return await self._post("upload", wish)

    async def say(self, person: int, content: str, *, channel: int = ids.ART_ID) -> Json:
        """A plain message of the person's own."""
        return await self._post("say", {"as": person, "channel_id": channel, "content": content})

    # -- looking -----------------------------------------------------------------------------------------------------

    async def messages(self, person: int, *, channel: int = ids.ART_ID, limit: int = 50) -> list[Json]:
        """What the person sees there, newest first, ephemeral messages to them included."""
        return await self._get("messages", {"as": person, "channel_id": channel, "limit": limit})

    async def modals(self, person: int) -> list[Json]:
        """The modals on the person's screen, oldest first."""
        return await self._get("modals", {"as": person})

    async def wait_for(
        self, fits: Predicate, *, person: int = ids.ADA_ID, channel: int = ids.ART_ID, timeout: float = 10.0
    ) -> Json:
        """The newest message that fits, as soon as the person sees one; fails telling what is there instead."""
        return await self._until(lambda: self._newest(fits, person, channel), person, channel, timeout)

    async def wait_until_gone(self, message: Json, *, person: int = ids.ADA_ID, timeout: float = 10.0) -> None:
        """Until the person no longer sees the message."""
        channel = int(message["channel_id"])

        async def gone() -> bool:
            return all(each["id"] != message["id"] for each in await self.messages(person, channel=channel))

        await self._until(gone, person, channel, timeout)

    async def wait_for_command(
        self, name: str, *, person: int = ids.ADA_ID, channel: int = ids.ART_ID, timeout: float = 10.0
    ) -> Json:
        """The application command, as soon as it is registered and the person may use it there."""

        async def found() -> Json | None:
            commands = await self._get("commands", {"as": person, "channel_id": channel})
            return next((command for command in commands if command["name"] == name), None)

        return await self._until(found, person, channel, timeout)

    async def wait_for_modal(self, person: int, *, timeout: float = 10.0) -> Json:
        """The modal the person has open."""

        async def newest() -> Json | None:
            return next(reversed(await self.modals(person)), None)

        return await self._until(newest, person, ids.ART_ID, timeout)

    # -- breaking and time -------------------------------------------------------------------------------------------

    async def breaks(self, kind: str, **fields: Any) -> Json:
        """Arms a fault or makes it happen, see `bot/playground/fault.py` and `breaking.py`."""
        return await self._post("faults", {"kind": kind, **fields})

    async def faults(self) -> list[Json]:
        """Every fault that may still strike, with the number of its hits."""
        return await self._get("faults", {})

    async def mend(self, key: int | None = None) -> None:
        """Takes one fault back, or all."""
        await self._ask("DELETE", "faults", json={} if key is None else {"id": key})

    async def advance(self, seconds: float) -> None:
        """Lets the server's clock jump forward."""
        await self._post("clock", {"advance_s": seconds})

    # -- the record --------------------------------------------------------------------------------------------------

    async def collect(self) -> list[Json]:
        """Every exchange between the bot and the API so far."""
        fresh = await self._get("requests", {"since": self._last})
        if fresh:
            self._lost += fresh[0]["number"] - self._last - 1
            self._last = fresh[-1]["number"]
            self.exchanges += fresh
        return self.exchanges

    def excuse(self, fits: Predicate) -> None:
        """Exchanges that a test makes wrong on purpose are not compared."""
        self._excused.append(fits)

    def mismatches(self, oracle: Oracle) -> list[str]:
        """What of the collected exchanges does not agree with Discord's document."""
        return self.gaps() + oracle.check_all(self.comparable())

    def gaps(self) -> list[str]:
        """What the record no longer knew when it was asked."""
        return [f"exchanges forgotten before they were collected: {self._lost}"] if self._lost else []

    def comparable(self) -> list[Json]:
        """The collected exchanges that are not excused."""
        return [each for each in self.exchanges if not any(excused(each) for excused in self._excused)]

    async def keep_collecting(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(COLLECT)
            await self.collect()

    # ----------------------------------------------------------------------------------------------------------------

    async def _newest(self, fits: Predicate, person: int, channel: int) -> Json | None:
        return next((each for each in await self.messages(person, channel=channel) if fits(each)), None)

    async def _until(self, look: Callable[[], Any], person: int, channel: int, timeout: float) -> Any:
        try:
            async with asyncio.timeout(timeout):
                while not (found := await look()):
                    await asyncio.sleep(POLL)
                return found
        except TimeoutError:
            there = "\n".join(map(digest, await self.messages(person, channel=channel, limit=10)))
        raise AssertionError(
            f"That did not happen within {timeout:.0f} s; newest first there is:\n{there or '(nothing)'}"
        )

    async def _get(self, path: str, parameters: Json) -> Any:
        return await self._ask("GET", path, params=parameters)

    async def _post(self, path: str, wish: Json) -> Any:
        body = io.BytesIO(json.dumps(wish).encode())  # aiohttp warns of long bodies given at once
        return await self._ask("POST", path, data=body, headers={"Content-Type": "application/json"})

    async def _ask(self, method: str, path: str, **given: Any) -> Any:
        async with self._http.request(method, f"{self.origin}/control/{path}", **given) as response:
            document = await response.json() if response.content_type == "application/json" else None
            if response.status >= 400:
                sentence = (document or {}).get("message") or await response.text()
                raise RefusedError(response.status, sentence)
            return document


def digest(message: Json) -> str:
    """A message in one line: who, to whom, what."""
    marks = ["ephemeral"] * bool(message["flags"] & EPHEMERAL) + ["thinking"] * bool(message["flags"] & LOADING)
    pieces = [
        f"{message['id']} {message['author']['username']}{marks or ''}: {message['content']!r}",
        *(f"embed {embed.get('title')!r} {embed.get('description')!r}" for embed in message["embeds"]),
        *(f"file {attachment['filename']}" for attachment in message["attachments"]),
        *(f"{len(message['components'])} components" for _ in message["components"][:1]),
    ]
    return " | ".join(pieces)


def text_of(message: Json) -> str:
    """Every word of a message that a member can read, embeds and text components included."""
    pieces: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            pieces.extend(
                value[key]
                for key in ("content", "title", "description", "value", "name", "label", "text")
                if isinstance(value.get(key), str)
            )
            for key in ("embeds", "fields", "footer", "author", "components", "component", "accessory"):
                walk(value.get(key))
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk({key: value for key, value in message.items() if key != "author"})
    return "\n".join(pieces)


@contextlib.asynccontextmanager
async def attached(api_url: str, token: str) -> AsyncIterator[LocalDiscord]:
    """A local Discord that somebody else has started with its controls; its record is kept up to date."""
    async with aiohttp.ClientSession() as http:
        discord = LocalDiscord(api_url, token, http)
        collecting = asyncio.create_task(discord.keep_collecting())
        try:
            yield discord
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            with contextlib.suppress(aiohttp.ClientError):  # a server that was stopped on purpose
                await discord.collect()


@contextlib.asynccontextmanager
async def started(folder: Path, *, port: int = 0, fresh: bool = False) -> AsyncIterator[LocalDiscord]:
    """A local Discord in this event loop."""
    from bot.playground.server import serve

    stop = asyncio.Event()
    told: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve("127.0.0.1", port, controls=True, data_dir=folder, fresh=fresh, stop=stop, announce=told.put_nowait)
    )
    try:
        api_url, token = await _announced(told.get, serving)
        async with attached(api_url, token) as discord:
            yield discord
    finally:
        stop.set()
        await serving


@contextlib.asynccontextmanager
async def started_apart(folder: Path, *, port: int = 0) -> AsyncIterator[LocalDiscord]:
    """A local Discord in a process of its own, for tests that measure or that kill."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "playground", "--server-only", "--until-stdin-closes", "--controls"),
        *("--port", str(port), "--data-dir", str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    output = process.stdout

    async def line() -> str:
        return (await output.readline()).decode()

    draining: asyncio.Task[bytes] | None = None
    try:
        api_url, token = await _announced(line, asyncio.ensure_future(process.wait()))
        draining = asyncio.create_task(output.read())
        async with attached(api_url, token) as discord:
            yield discord
    finally:
        process.stdin.close()
        await process.wait()
        if draining is not None:
            await draining


async def _announced(next_line: Callable[[], Any], running: asyncio.Future[Any]) -> tuple[str, str]:
    """The address and the token, as the bot's starter reads them."""
    told: dict[str, str] = {}
    while not {"DISCORD_API_URL", "DISCORD_TOKEN"} <= told.keys():
        line = asyncio.ensure_future(next_line())
        await asyncio.wait({line, running}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        if not line.done():
            line.cancel()
            raise AssertionError(f"The local Discord did not start: {running}")
        name, _, value = line.result().strip().partition("=")
        told[name] = value
    return told["DISCORD_API_URL"], told["DISCORD_TOKEN"]


def _encoded(files: Files | None) -> Json:
    return {
        name: {"filename": filename, "content_base64": base64.b64encode(content).decode()}
        for name, (filename, content) in (files or {}).items()
    }
