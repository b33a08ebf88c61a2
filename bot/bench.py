"""Figures of the whole line: a real bot with a real engine on the local Discord, measured from the outside."""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.config import Config, load
from bot.launch import bare_environment, local_discord
from generation.errors import AtelierError

PROMPT = "a red house under a starry night sky"
READY_TIMEOUT = 300.0  # seconds until the model is loaded
PICTURE_TIMEOUT = 300.0  # seconds for one measured picture


class BenchError(AtelierError):
    """The measurement could not be finished."""


@dataclass
class Person:
    """One person's client: acts over the page's own interface and keeps every event with its time."""

    http: aiohttp.ClientSession
    page: str
    id: str
    events: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Follow the person's events until cancelled."""
        async with self.http.ws_connect(f"{self.page}client/events?as={self.id}", max_msg_size=0) as socket_:
            async for frame in socket_:
                event = json.loads(frame.data)
                self.events.append((time.perf_counter(), event["t"], event["d"]))
                self.arrived.set()

    async def first(self, since: float, fits: Callable[[str, dict[str, Any]], bool]) -> tuple[float, dict[str, Any]]:
        """The first event after `since` that fits, waiting for it; raises BenchError when it does not come."""
        seen = 0
        try:
            async with asyncio.timeout(PICTURE_TIMEOUT):
                while True:
                    while seen < len(self.events):
                        at, name, data = self.events[seen]
                        seen += 1
                        if at >= since and fits(name, data):
                            return at, data
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError as error:
            raise BenchError(f"Something awaited did not happen within {PICTURE_TIMEOUT:.0f} seconds.") from error

    async def post(self, body: dict[str, Any]) -> float:
        """Send an interaction; returns the moment of pressing Enter."""
        began = time.perf_counter()
        async with self.http.post(f"{self.page}client/interactions?as={self.id}", json=body) as response:
            if response.status >= 400:
                raise BenchError(f"The local Discord refused an interaction: {await response.text()}")
        return began


async def measure(path: Path | None, *, members: int, repeats: int, jobs: int, report: Path | None) -> None:
    """Run every measurement and print it; `report` receives the same as JSON."""
    figures: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atelier-bench-")))
        config = load(_settings(load(path), folder), bare_environment())
        bench = await stack.enter_async_context(running(config, folder, guests=members))
        figures["memory_at_rest_mib"] = (await bench.health())["memory_mib"]
        _show(figures)
        figures |= await bench.acknowledgements(members)
        _show(figures, since="acknowledgement")
        await bench.idle()
        figures |= await bench.pictures(repeats)
        _show(figures, since="first_preview")
        figures |= await bench.concurrent(jobs)
        _show(figures, since="jobs_")
    if report is not None:
        environment = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
        command = f"python -m bot bench --members {members} --repeats {repeats} --jobs {jobs}"
        body = {"figures": figures, "environment": environment, "command": command}
        await asyncio.to_thread(report.write_text, json.dumps(body, indent=2) + "\n", encoding="utf-8")


class Bench:
    """The running house and the people who use it."""

    def __init__(self, http: aiohttp.ClientSession, page: str, metrics: str, people: list[Person]) -> None:
        self._http = http
        self._page = page
        self._metrics = metrics
        self._people = people
        self.start_took = 0.0  # seconds from the process to a loaded model and an open connection

    async def health(self) -> dict[str, Any]:
        """The bot's health page."""
        async with self._http.get(self._metrics) as response:
            return dict(await response.json())

    async def ready(self) -> None:
        """Wait until the bot is connected and its model loaded."""
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not await self._healthy():  # noqa: ASYNC110 - another process, asked over HTTP
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise BenchError("The bot did not become ready.") from error

    async def idle(self) -> None:
        """Wait until nothing waits, is being painted or has to be posted: a channel takes a message a second."""
        while any([(await self.health())[stage] for stage in ("waiting", "painting", "posting")]):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.2)

    async def acknowledgements(self, members: int) -> dict[str, float]:
        """All members send a /dream in the same moment: how soon is each answered?

        Privately, because here all their clients share one machine, and each would have to hear of everybody's.
        """
        people = self._people[:members]
        since = time.perf_counter()
        began = await asyncio.gather(*(self._dream(person, steps=1, private=True) for person in people))
        answered = await asyncio.gather(*(person.first(since, _is_success) for person in people))
        waits = sorted((at - start) * 1000 for start, (at, _) in zip(began, answered, strict=True))
        return {
            "acknowledgement_members": len(people),
            "acknowledgement_p50_ms": statistics.median(waits),
            "acknowledgement_p99_ms": waits[min(len(waits) - 1, int(len(waits) * 0.99))],
            "acknowledgement_worst_ms": waits[-1],
        }

    async def pictures(self, repeats: int) -> dict[str, float]:
        """From pressing Enter: the first preview, the picture of 20 steps, and a set of four variations."""
        person = self._people[0]
        previews, shown, varied = [], [], []
        for _ in range(repeats):
            began = await self._dream(person, steps=20)
            preview, _ = await person.first(began, _is_preview)
            at, message = await person.first(began, _is_own_result(person.id))
            previews.append(preview - began)
            shown.append(at - began)
            pressed = await person.post(_press(message, "V1"))
            done, _ = await person.first(pressed, _is_own_result(person.id))
            varied.append(done - pressed)
        return {
            "first_preview_s": statistics.median(previews),
            "picture_20_steps_s": statistics.median(shown),
            "variations_of_4_s": statistics.median(varied),
        }

    async def concurrent(self, jobs: int) -> dict[str, float]:
        """`jobs` members at once with 20 steps each: throughput, and how late the bot's event loop ever was."""
        people = self._people[:jobs]
        before = await self._lags()
        since = time.perf_counter()
        await asyncio.gather(*(self._dream(person, steps=20) for person in people))
        done = await asyncio.gather(*(person.first(since, _is_own_result(person.id)) for person in people))
        took = max(at for at, _ in done) - since
        lags = {bound: count - before[bound] for bound, count in (await self._lags()).items()}
        beats = lags[math.inf]
        return {
            "jobs_at_once": len(people),
            "jobs_per_second": len(people) / took,
            "jobs_event_loop_beats": beats,
            "jobs_event_loop_beats_over_50_ms": beats - lags[0.05],
            "jobs_event_loop_lag_below_ms": 1000 * min(bound for bound, count in lags.items() if count == beats),
        }

    async def _lags(self) -> dict[float, float]:
        """How many heartbeats of the bot's event loop came at most so many seconds late."""
        async with self._http.get(self._metrics.replace("/health", "/metrics")) as response:
            families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
        wanted = "atelier_event_loop_lag_seconds_bucket"
        return {float(sample.labels["le"]): sample.value for sample in samples if sample.name == wanted}

    async def _dream(self, person: Person, *, steps: int, private: bool = False) -> float:
        command, channel = await self._find(person)
        options = [{"name": "prompt", "type": 3, "value": PROMPT}, {"name": "steps", "type": 4, "value": steps}]
        options += [{"name": "private", "type": 5, "value": True}] * private
        data = {"id": command["id"], "name": "dream", "type": 1, "options": options}
        return await person.post({"type": 2, "channel_id": channel, "nonce": str(time.time_ns()), "data": data})

    async def _find(self, person: Person) -> tuple[dict[str, Any], str]:
        if not hasattr(self, "_found"):
            async with self._http.get(f"{self._page}client/state?as={person.id}") as response:
                state = await response.json()
            known = [command for application in state["applications"] for command in application["commands"]]
            command = next(command for command in known if command["name"] == "dream")
            channel = next(channel["id"] for channel in state["channels"] if channel.get("name") == "art")
            self._found = command, channel
        return self._found

    async def _healthy(self) -> bool:
        try:
            return bool((await self.health())["healthy"])
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def running(
    config: Config, folder: Path, *, guests: int, program: Sequence[str] = ("bot", "run", "--config"), last: str = ""
) -> AsyncIterator[Bench]:
    """The local Discord and the bot as processes of their own, ready to paint; `last`: one more argument."""
    async with (
        local_discord(config, "127.0.0.1", 0, controls=False, fresh=True, guests=guests) as there,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,  # everybody listens
    ):
        page = there.page
        environment = bare_environment() | {"DISCORD_TOKEN": there.token, "DISCORD_API_URL": there.api_url}
        arguments = [*program, str(folder / "config.yaml"), *([last] if last else [])]
        began = time.perf_counter()
        bot = await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, env=environment)
        listening: list[asyncio.Task[None]] = []
        try:
            async with http.get(f"{page}client/state") as response:
                known = [person["user"]["id"] for person in (await response.json())["people"]]
            crowd = [Person(http, page, person_id) for person_id in known]
            bench = Bench(http, page, f"http://127.0.0.1:{config.metrics.port}/health", crowd)
            await bench.ready()
            bench.start_took = time.perf_counter() - began
            listening = [asyncio.create_task(person.listen()) for person in crowd]
            await asyncio.sleep(1.0)  # the sockets open
            yield bench
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            if bot.returncode is None:
                bot.terminate()
            await bot.wait()


def _settings(config: Config, folder: Path) -> Path:
    """The owner's model and engine with limits that do not get into the way of measuring."""
    wide = {"burst": 1000, "per_hour": 100_000, "daily": 100_000, "waiting": 50}
    settings = {
        "data_dir": str(folder / "data"),
        "model": config.model,
        "licences": {config.model: "of no account to a crowd of nobody"},  # which could agree to nothing
        "engine": config.engine.model_dump(),
        "safety": {"checkers": list(config.safety.checkers)},
        "limits": {"member": wide},
        "metrics": {"port": free_port()},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_success(name: str, _: dict[str, Any]) -> bool:
    return name == "INTERACTION_SUCCESS"


def _is_preview(name: str, data: dict[str, Any]) -> bool:
    return name == "MESSAGE_UPDATE" and bool(data.get("attachments"))


def _is_result(name: str, data: dict[str, Any]) -> bool:
    return name == "MESSAGE_CREATE" and bool(data.get("attachments")) and bool(data.get("components"))


def _is_own_result(person_id: str) -> Callable[[str, dict[str, Any]], bool]:
    def fits(name: str, data: dict[str, Any]) -> bool:
        return _is_result(name, data) and any(user["id"] == person_id for user in data.get("mentions", ()))

    return fits


def _press(message: dict[str, Any], label: str) -> dict[str, Any]:
    buttons = [button for row in message["components"] for button in row.get("components", ())]
    custom_id = next(button["custom_id"] for button in buttons if button.get("label") == label)
    data = {"custom_id": custom_id, "component_type": 2}
    press = {"type": 3, "channel_id": message["channel_id"], "message_id": message["id"], "data": data}
    return press | {"nonce": str(time.time_ns())}


def _show(figures: dict[str, float], since: str = "") -> None:
    names = list(figures)
    start = next((index for index, name in enumerate(names) if name.startswith(since)), 0)
    for name in names[start:]:
        typer.echo(f"{name:32} {figures[name]:10.2f}")
