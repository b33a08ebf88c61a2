"""Every client that is logged in or may still resume, and who of them is online."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.playground.clock import Clock
from bot.playground.gateway.connection import Connection
from bot.playground.gateway.login import Login
from bot.playground.gateway.opcodes import Close

RESUME_WINDOW = 120.0  # seconds a login outlives its connection

StatusWatcher = Callable[[int, bool], object]


class Logins:
    """Keeps logins over dropped connections and tells watchers when an application comes online or goes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logins: dict[str, Login] = {}
        self._watchers: list[StatusWatcher] = []

    def watch(self, watcher: StatusWatcher) -> None:
        """The watcher is called with the application id and whether it is online now, on every change."""
        self._watchers.append(watcher)

    def online(self, application_id: int) -> bool:
        """Whether any login of the application has a connection."""
        return any(
            login.application_id == application_id and login.connection is not None for login in self._logins.values()
        )

    def find(self, key: object) -> Login | None:
        """The login a client may resume by this key."""
        return self._logins.get(key) if isinstance(key, str) else None

    def dispatch(self, event: str, data: dict[str, Any], *, guild_id: int | None, user_ids: set[int] | None) -> None:
        """Emits the event to every login that sees it."""
        for login in list(self._logins.values()):
            if login.sees(event, data, guild_id=guild_id, user_ids=user_ids):
                login.emit(event, data)

    def attach(self, login: Login, connection: Connection) -> None:
        """Puts a login on a connection; one it was on before is closed."""
        if login.expiry is not None:
            login.expiry.cancel()
        was_online = self.online(login.application_id)
        previous, login.connection = login.connection, connection
        if previous is not None:
            previous.close(Close.UNKNOWN_ERROR, "Resumed elsewhere.")
        self._logins[login.key] = login
        if not was_online:
            self._tell(login.application_id, online=True)

    def detach(self, login: Login, connection: Connection, *, resumable: bool) -> None:
        """Takes a login off its ended connection; it can be resumed for a while unless the client said goodbye."""
        if login.connection is not connection:
            return
        login.connection = None
        if resumable and login.key in self._logins:
            login.expiry = self._clock.call_later(RESUME_WINDOW, self._logins.pop, login.key, None)
        else:
            self._logins.pop(login.key, None)
        if not self.online(login.application_id):
            self._tell(login.application_id, online=False)

    def forget_all(self) -> None:
        """Ends every login: none of them can be resumed, and their connections have to identify again."""
        logins, self._logins = list(self._logins.values()), {}
        for login in logins:
            if login.expiry is not None:
                login.expiry.cancel()
            if login.connection is not None:
                login.connection = None
                self._tell(login.application_id, online=False)

    def _tell(self, application_id: int, *, online: bool) -> None:
        for watcher in self._watchers:
            watcher(application_id, online)
