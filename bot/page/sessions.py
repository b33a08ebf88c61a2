"""Who is signed in. Sessions live in memory: a restart signs everybody out, and nothing of them is ever written."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

IDLE: Final = 30 * 60.0  # seconds without a visit after which a session ends
LONGEST: Final = 12 * 3600.0  # seconds after which it ends whatever happens
MOST: Final = 200  # sessions at once; the one that was idle longest makes room
MOST_EACH: Final = 5  # of one person


@dataclass(frozen=True, slots=True)
class Person:
    """Who Discord says it is."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What Discord says somebody may do in servers."""

    servers: Mapping[int, str] = field(default_factory=dict)  # that the person may manage, with their names
    moderated: frozenset[int] = frozenset()  # those of them in which they may also decide cases


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence for the next page, and after a refusal what had been filled in."""

    sentence: str
    well: bool = True
    draft: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Session:
    """One browser of one person."""

    person: Person
    token: SecretStr  # Discord's, for asking again what the person may do
    began: float  # on the clock of `Sessions`
    seen: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    rights: Rights = field(default_factory=Rights)
    checked: float = float("-inf")  # when Discord was asked for them
    note: Note | None = None

    @property
    def servers(self) -> Mapping[int, str]:
        """The servers that the person may manage, by id with their names."""
        return self.rights.servers

    def take_note(self) -> Note | None:
        """The sentence for this page, said once."""
        note, self.note = self.note, None
        return note


class Sessions:
    """Sessions by the hash of their ids, so that not even a dump of this object opens one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def open(self, person: Person, token: SecretStr) -> tuple[str, Session]:
        """A new session and its id: 256 random bits."""
        now = self._clock()
        self._sweep(now)
        own = [key for key, each in self._sessions.items() if each.person.id == person.id]
        if len(own) >= MOST_EACH:
            self._drop_idlest(own)
        elif len(self._sessions) >= MOST:
            self._drop_idlest(self._sessions)
        session_id = secrets.token_urlsafe(32)
        session = self._sessions[_key(session_id)] = Session(person, token, began=now, seen=now)
        return session_id, session

    def find(self, session_id: str) -> Session | None:
        """The session if it still holds; looking it up counts as a visit."""
        now = self._clock()
        session = self._sessions.get(_key(session_id))
        if session is None or _is_over(session, now):
            self._sessions.pop(_key(session_id), None)
            return None
        session.seen = now
        return session

    def close(self, session: Session) -> None:
        """End it at once."""
        for key in [key for key, each in self._sessions.items() if each is session]:
            del self._sessions[key]

    def _drop_idlest(self, keys: Iterable[str]) -> None:
        del self._sessions[min(keys, key=lambda key: self._sessions[key].seen)]

    def _sweep(self, now: float) -> None:
        for key in [key for key, each in self._sessions.items() if _is_over(each, now)]:
            del self._sessions[key]


def _is_over(session: Session, now: float) -> bool:
    return now - session.seen >= IDLE or now - session.began >= LONGEST


def _key(session_id: str) -> str:
    return hashlib.sha256(session_id.encode(errors="replace")).hexdigest()
