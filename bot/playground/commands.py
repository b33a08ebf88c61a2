"""The application's commands: global ones and the guild's, as the bot registered them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bot.playground import ids
from bot.playground.clock import Clock
from bot.playground.documents import ApiError, Json, Problems, unknown
from bot.playground.ids import Snowflakes
from bot.playground.rules.command import CHAT_INPUT, MESSAGE, USER, read_command
from bot.playground.rules.form import Form

MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
MOST_OVERWRITTEN = 130
CREATES_A_DAY = 200
DAY = 86_400.0
_NAMES = {CHAT_INPUT: "chat input", USER: "user", MESSAGE: "message"}


class Commands:
    """Commands by scope and id; `None` is the global scope, else a guild's id."""

    def __init__(self, clock: Clock, snowflakes: Snowflakes) -> None:
        self._clock = clock
        self._snowflakes = snowflakes
        self._scopes: dict[int | None, dict[int, Json]] = {None: {}, ids.GUILD_ID: {}}
        self._created: list[float] = []
        self._watchers: list[Callable[[], object]] = []

    def watch(self, watcher: Callable[[], object]) -> None:
        """The watcher is called after every change."""
        self._watchers.append(watcher)

    def everything(self) -> list[Json]:
        """Commands of every scope."""
        return [command for scope in self._scopes.values() for command in scope.values()]

    def restore(self, commands: Iterable[Json]) -> None:
        """Puts back what `everything` gave."""
        for command in commands:
            guild_id = int(command["guild_id"]) if "guild_id" in command else None
            self._scopes[guild_id][int(command["id"])] = command

    def of(self, guild_id: int | None) -> list[Json]:
        """Commands of one scope."""
        return list(self._scope(guild_id).values())

    def find(self, command_id: int) -> Json | None:
        """A command of any scope."""
        return next((scope[command_id] for scope in self._scopes.values() if command_id in scope), None)

    def get(self, guild_id: int | None, command_id: int | None) -> Json:
        """Raises `ApiError` 10063."""
        command = self._scope(guild_id).get(command_id or 0)
        if command is None:
            raise unknown("application command", 10063)
        return command

    def create(self, guild_id: int | None, document: Any) -> tuple[Json, bool]:
        """The command, and whether its name was new; one of the same name and type is replaced."""
        problems = Problems()
        command = read_command(Form(document, problems), is_global=guild_id is None)
        problems.raise_if_any()
        scope = self._scope(guild_id)
        old = _same(scope.values(), command)
        rest = [each for each in scope.values() if each is not old]
        _refuse_too_many([*rest, command])
        self._count_creates(old is None)
        stored = self._stored(command, guild_id, old)
        scope[int(stored["id"])] = stored
        self._tell()
        return stored, old is None

    def edit(self, guild_id: int | None, command_id: int | None, document: Any) -> Json:
        """Changes what the document names."""
        old = self.get(guild_id, command_id)
        problems = Problems()
        command = read_command(Form(document, problems), is_global=guild_id is None, before=old)
        problems.raise_if_any()
        same = _same(self._scope(guild_id).values(), command)
        if same is not None and same is not old:
            raise ApiError(400, 50035, "Application command names must be unique")
        stored = self._stored(command, guild_id, old)
        self._scope(guild_id)[int(stored["id"])] = stored
        self._tell()
        return stored

    def delete(self, guild_id: int | None, command_id: int | None) -> None:
        """Raises `ApiError` 10063."""
        del self._scope(guild_id)[int(self.get(guild_id, command_id)["id"])]
        self._tell()

    def overwrite(self, guild_id: int | None, documents: Any) -> list[Json]:
        """Replaces all commands of the scope; those of the same name and type keep their ids."""
        problems = Problems()
        whole = Form({"commands": documents}, problems)
        forms = [Form(form.document, problems, form.path[1:]) for form in whole.forms("commands", MOST_OVERWRITTEN)]
        commands = [read_command(form, is_global=guild_id is None) for form in forms]
        seen: set[tuple[int, str]] = set()
        for form, command in zip(forms, commands, strict=True):
            if (command["type"], command["name"]) in seen:
                sentence = "Application command names must be unique"
                form.refuse("APPLICATION_COMMANDS_DUPLICATE_NAME", sentence, "name")
            seen.add((command["type"], command["name"]))
        problems.raise_if_any()
        _refuse_too_many(commands)
        scope = self._scope(guild_id)
        olds = [_same(scope.values(), command) for command in commands]
        self._count_creates(sum(old is None for old in olds))
        stored = [self._stored(command, guild_id, old) for command, old in zip(commands, olds, strict=True)]
        scope.clear()
        scope.update({int(command["id"]): command for command in stored})
        self._tell()
        return stored

    def _scope(self, guild_id: int | None) -> dict[int, Json]:
        if guild_id not in self._scopes:
            raise unknown("Guild", 10004)
        return self._scopes[guild_id]

    def _stored(self, command: Json, guild_id: int | None, old: Json | None) -> Json:
        own: Json = {
            "id": old["id"] if old else str(self._snowflakes.next()),
            "application_id": str(ids.APPLICATION_ID),
        }
        if guild_id is not None:
            own["guild_id"] = str(guild_id)
        without = {key: value for key, value in (old or {}).items() if key != "version"}
        same = without == {**own, **command}
        return {**own, **command, "version": old["version"] if old and same else str(self._snowflakes.next())}

    def _count_creates(self, count: int) -> None:
        now = self._clock.now()
        self._created = [moment for moment in self._created if now - moment < DAY]
        if len(self._created) + count > CREATES_A_DAY:
            raise ApiError(429, 30034, "Max number of daily application command creates has been reached (200)")
        self._created += [now] * count

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher()


def _same(commands: Iterable[Json], wanted: Json) -> Json | None:
    key = (wanted["type"], wanted["name"])
    return next((command for command in commands if (command["type"], command["name"]) == key), None)


def _refuse_too_many(commands: list[Json]) -> None:
    for kind, most in MOST.items():
        if sum(command["type"] == kind for command in commands) > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most}, {_NAMES[kind]})")
