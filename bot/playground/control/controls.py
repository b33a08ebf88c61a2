"""The test controls: act as a member without a browser, read what was recorded, break things, move the clock."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.playground.bodies import read_body
from bot.playground.clock import Clock
from bot.playground.control.acting import (
    NoSuchThingError,
    command_data,
    component_data,
    find_command,
    find_component,
    modal_data,
)
from bot.playground.control.breaking import Breaking
from bot.playground.control.exchanges import Exchanges
from bot.playground.control.journal import Journal
from bot.playground.control.seams import People
from bot.playground.control.wish import Wish
from bot.playground.documents import Json, no_content, respond

Answer = Callable[[Wish], Awaitable[Any]]


class Controls:
    """Routes under /control, for this machine only."""

    def __init__(
        self, people: People, breaking: Breaking, exchanges: Exchanges, journal: Journal, clock: Clock
    ) -> None:
        self._people = people
        self._breaking = breaking
        self._exchanges = exchanges
        self._journal = journal
        self._clock = clock

    def add_routes(self, app: web.Application) -> None:
        """Without this call the whole prefix is a 404."""
        answers: dict[tuple[str, str], Answer] = {
            ("POST", "invoke"): self._invoke,
            ("POST", "complete"): self._complete,
            ("POST", "click"): self._click,
            ("POST", "choose"): self._click,
            ("POST", "submit"): self._submit,
            ("POST", "upload"): self._upload,
            ("POST", "say"): self._say,
            ("GET", "messages"): self._messages,
            ("GET", "modals"): self._modals,
            ("GET", "commands"): self._commands,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("GET", "journal"): self._read_journal,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._break,
            ("DELETE", "faults"): self._mend,
            ("GET", "clock"): self._time,
            ("POST", "clock"): self._advance,
        }
        for (method, name), answer in answers.items():
            app.router.add_route(method, f"/control/{name}", functools.partial(_respond, answer))

    async def _invoke(self, wish: Wish) -> Json:
        return await self._run_command(wish, focused="")

    async def _complete(self, wish: Wish) -> Json:
        return await self._run_command(wish, focused=wish.text("focused"))

    async def _run_command(self, wish: Wish, *, focused: str) -> Json:
        person, channel = wish.number("as"), wish.number("channel_id")
        command, subcommands = find_command(self._people.commands(person, channel), wish.text("command"))
        values = {**wish.mapping("options"), **self._uploaded(person, wish.mapping("files"))}
        data = command_data(command, subcommands, values, focused=focused)
        if "target_id" in wish:
            data["target_id"] = str(wish.number("target_id"))
        interaction = {"type": 4 if focused else 2, "channel_id": str(channel), "data": data}
        return await self._people.interact(person, interaction)

    async def _click(self, wish: Wish) -> Json:
        person, message_id = wish.number("as"), wish.number("message_id")
        message = self._people.message(person, message_id)
        if message is None:
            raise NoSuchThingError(f"{person} sees no message {message_id}.")
        name = wish.text("custom_id" if "custom_id" in wish else "label")
        interaction = {
            "type": 3,
            "channel_id": message["channel_id"],
            "message_id": message["id"],
            "data": component_data(find_component(message["components"], name), wish.texts("values")),
        }
        return await self._people.interact(person, interaction)

    async def _submit(self, wish: Wish) -> Json:
        person = wish.number("as")
        modals = {modal["id"]: modal for modal in self._people.modals(person)}
        if not modals:
            raise NoSuchThingError(f"{person} has no modal open.")
        modal = modals.get(wish.fields.get("modal_id", list(modals)[-1]))
        if modal is None:
            raise NoSuchThingError(f"There is no such modal; there are {list(modals)}.")
        files = {name: [key] for name, key in self._uploaded(person, wish.mapping("files")).items()}
        data = modal_data(modal, {**wish.mapping("values"), **files})
        interaction = {"type": 5, "channel_id": modal["channel_id"], "modal_id": modal["id"], "data": data}
        return await self._people.interact(person, interaction)

    async def _upload(self, wish: Wish) -> Json:
        return self._people.upload(wish.number("as"), wish.text("filename"), wish.content())

    async def _say(self, wish: Wish) -> Json:
        return self._people.say(wish.number("as"), wish.number("channel_id"), wish.text("content"))

    async def _messages(self, wish: Wish) -> list[Json]:
        return self._people.messages(wish.number("as"), wish.number("channel_id"), wish.number("limit", 50))

    async def _modals(self, wish: Wish) -> list[Json]:
        return self._people.modals(wish.number("as"))

    async def _commands(self, wish: Wish) -> list[Json]:
        return self._people.commands(wish.number("as"), wish.number("channel_id"))

    async def _requests(self, wish: Wish) -> list[Json]:
        return self._exchanges.since(wish.number("since", 0))

    async def _forget_requests(self, _: Wish) -> None:
        self._exchanges.clear()

    async def _read_journal(self, wish: Wish) -> list[Json]:
        return self._journal.since(wish.number("since", 0))

    async def _list_faults(self, _: Wish) -> list[Json]:
        return self._breaking.faults.as_json()

    async def _break(self, wish: Wish) -> Json:
        return self._breaking.do(wish)

    async def _mend(self, wish: Wish) -> None:
        if "id" in wish:
            self._breaking.faults.remove(wish.number("id"))
        else:
            self._breaking.mend()

    async def _time(self, _: Wish) -> Json:
        return {"now": self._clock.now()}

    async def _advance(self, wish: Wish) -> Json:
        self._clock.advance(wish.seconds("advance_s"))
        return {"now": self._clock.now()}

    def _uploaded(self, person: int, files: Json) -> dict[str, str]:
        """Upload ids by the name of the option or component they are for."""
        wishes = {name: Wish(file) for name, file in files.items()}
        return {
            name: self._people.upload(person, wish.text("filename"), wish.content())["id"]
            for name, wish in wishes.items()
        }


async def _respond(answer: Answer, request: web.Request) -> web.Response:
    if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104 -- never bound, only compared
        raise web.HTTPNotFound
    try:
        body = await read_body(request)
        fields = Wish({} if body.payload is None else body.payload).fields
        named = {"filename": body.files[0].filename} if body.files else {}
        result = await answer(Wish({**request.query, **named, **fields}, body.files))
    except ValueError as error:
        return respond({"message": str(error)}, 400)
    return no_content() if result is None else respond(result)
