"""Why nothing is painted now, and what the owner wants everybody to read: the one place that all answers ask.

Whoever holds up the line adds a reason: a function that gives a sentence while it holds, and "" otherwise. Requests are
taken all the same and keep their places.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass

from bot.echo import echo, plain
from bot.policybook import PolicyBook
from bot.store.audit import Act
from bot.store.house_words import HouseWords
from bot.waiting import within
from generation.errors import BadRequest

log = logging.getLogger(__name__)

Reason = Callable[[int | None], str]  # of a server, None: direct messages

LOOK = 5.0  # seconds between two looks for what another process has changed
LONGEST = 300  # characters of a reason or a notice
SETTING = "pause"  # among a server's settings, and the note of the whole house
NOTICE = "notice"  # note
RESTARTING = "Atelier is restarting. Your place is kept, and your picture is painted right after it."

CROWDED = "Discord takes finished pictures only slowly right now; the line goes on when they are through."


def paused_text(trouble: str) -> str:
    """A pause, and that nobody has to do anything about it."""
    return f"⏸️ {trouble} Every request keeps its place in the line, and painting goes on by itself."


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is painted until it ends; what is being painted is finished."""

    reason: str = ""
    until: float | None = None  # epoch seconds; None: until somebody ends it

    def holds(self, now: float) -> bool:
        """Whether it has not ended by itself."""
        return self.until is None or now < self.until

    def sentence(self, where: str) -> str:
        """What members read."""
        why = f": {echo(self.reason)}" if self.reason else ""
        stop = "" if why.endswith((".", "!", "?")) else "."
        ends = f" It goes on <t:{self.until:.0f}:R>." if self.until is not None else ""
        return f"⏸ Painting is paused {where}{why}{stop}{ends} Places in the line are kept."


class Standstill:
    """The reasons, the two kinds of pauses and the owner's notice; pauses are stored before they hold."""

    def __init__(self, words: HouseWords, policies: PolicyBook, clock: Callable[[], float]) -> None:
        self._words = words
        self._policies = policies
        self._clock = clock
        self._house: Pause | None = None
        self._closing = False
        self._stirred = asyncio.Event()  # something has changed: the next look may be due sooner
        self._told: object = None  # all sentences, as they were when somebody was last told of a change
        self.notice = ""  # the owner's
        self.reasons: list[Reason] = [self._of_restart, self._of_house, self._of_server]
        self.changed: list[Callable[[], None]] = []  # told when a sentence came, went or changed

    # -- asking ------------------------------------------------------------------------------------------------------

    def why(self, guild_id: int | None) -> str:
        """Why nothing of this server is painted now; empty while the line goes on."""
        return next(filter(None, (reason(guild_id) for reason in self.reasons)), "")

    def words(self, guild_id: int | None) -> str:
        """All that somebody who waits should know, a line each; empty for nothing."""
        return "\n".join(filter(None, (self.why(guild_id), f"📣 {self.notice}" if self.notice else "")))

    @property
    def house(self) -> Pause | None:
        """The pause of the whole house, while it holds."""
        return self._house if self._house is not None and self._house.holds(self._clock()) else None

    def of(self, guild_id: int) -> Pause | None:
        """The pause of a server's own line, while it holds."""
        return self._read(self._policies.settings(guild_id).get(SETTING))

    def resting(self) -> frozenset[int]:
        """The servers whose lines nobody paints from."""
        return frozenset(guild_id for guild_id in self._policies.guilds() if self.of(guild_id) is not None)

    # -- changing ----------------------------------------------------------------------------------------------------

    async def pause(self, guild_id: int | None, by: int, reason: str, minutes: float | None) -> Pause:
        """Pause a server's line, or with None the whole house; raises BadRequest."""
        if len(reason) > LONGEST:
            raise BadRequest(f"A reason has at most {LONGEST} characters.")
        pause = Pause(" ".join(reason.split()), None if minutes is None else self._clock() + minutes * 60.0)
        if guild_id is None:
            await self._words.set(SETTING, json.dumps(asdict(pause)), Act.HOUSE_PAUSED, by, pause.reason)
            self._house = pause
        else:
            await self._policies.change(guild_id, {SETTING: asdict(pause)}, by)
        self.look_again()
        return pause

    async def resume(self, guild_id: int | None, by: int) -> bool:
        """End a pause; False when there was none."""
        if (self.house if guild_id is None else self.of(guild_id)) is None:
            return False
        if guild_id is None:
            await self._words.set(SETTING, None, Act.HOUSE_RESUMED, by)
            self._house = None
        else:
            await self._policies.change(guild_id, {SETTING: None}, by)
        self.look_again()
        return True

    async def announce(self, notice: str, by: int) -> None:
        """Show the owner's sentence everywhere until it is replaced or, by an empty one, removed; raises BadRequest."""
        if len(notice) > LONGEST:
            raise BadRequest(f"A notice has at most {LONGEST} characters.")
        notice = plain(notice, LONGEST) if notice.strip() else ""
        await self._words.set(NOTICE, notice or None, Act.NOTICE, by, notice)
        self.notice = notice
        self.look_again()

    def close(self) -> None:
        """The process is about to end: whoever waits is told so."""
        self._closing = True
        self._stirred.set()
        self.look_again()

    # -- following ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Load what is stored."""
        stored = await self._words.everything()
        self._house = self._read(json.loads(stored.get(SETTING, "null")))
        self.notice = stored.get(NOTICE, "")

    async def follow(self) -> None:
        """Notice what ends by itself, what another process changes and what other reasons say; until `close`."""
        while not self._closing:
            await within(self._stirred, self._pause())
            self._stirred.clear()
            try:
                await self.open()
            except Exception:  # a store that cannot be asked is no reason to forget what was said
                log.debug("The owner's words could not be read", exc_info=True)
            self.look_again()

    def _pause(self) -> float:
        """Seconds until the next look: until the next pause ends, if that is sooner."""
        pauses = [self.house, *map(self.of, self._policies.guilds())]
        ends = [pause.until - self._clock() for pause in pauses if pause is not None and pause.until is not None]
        return min([LOOK, *(max(0.01, seconds) for seconds in ends)])

    def look_again(self) -> None:
        """A reason may have come or gone: tell everybody if what is said has changed."""
        state = self._state()
        if state != self._told:
            self._told = state
            self._stirred.set()
            for tell in self.changed:
                tell()

    def _state(self) -> object:
        """All that can be said to anybody."""
        return self.words(None), [(guild_id, self.why(guild_id)) for guild_id in self._policies.guilds()]

    def _read(self, stored: object) -> Pause | None:
        pause = Pause(**stored) if isinstance(stored, dict) else None
        return pause if pause is not None and pause.holds(self._clock()) else None

    # -- reasons -----------------------------------------------------------------------------------------------------

    def _of_restart(self, _: int | None) -> str:
        return RESTARTING if self._closing else ""

    def _of_house(self, _: int | None) -> str:
        return self.house.sentence("for everybody") if self.house is not None else ""

    def _of_server(self, guild_id: int | None) -> str:
        pause = self.of(guild_id) if guild_id is not None else None
        return pause.sentence("in this server") if pause is not None else ""
