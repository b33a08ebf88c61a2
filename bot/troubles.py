"""What is wrong at the moment: told to the owner once when it begins and once when it ends, and shown meanwhile."""

from __future__ import annotations

import logging
from enum import StrEnum

log = logging.getLogger(__name__)


class Trouble(StrEnum):
    """What can be wrong without the bot having to stop."""

    DISK = "disk"  # it takes no writes
    DAMAGE = "damage"  # the database's file is not whole
    BACKUP = "backup"  # the latest one could not be made
    CLOCK = "clock"  # it has jumped: nothing is deleted for a while


GRAVE = frozenset({Trouble.DISK, Trouble.DAMAGE})  # the health page turns red


class Troubles:
    """One sentence for each trouble there is now."""

    def __init__(self) -> None:
        self._now: dict[Trouble, str] = {}

    @property
    def now(self) -> dict[Trouble, str]:
        """The sentences, by trouble."""
        return dict(self._now)

    @property
    def grave(self) -> bool:
        """Whether members notice it."""
        return not GRAVE.isdisjoint(self._now)

    def begin(self, trouble: Trouble, sentence: str) -> None:
        """Something is wrong; it is logged unless that was known already."""
        if trouble not in self._now:
            log.error("%s", sentence) if trouble in GRAVE else log.warning("%s", sentence)
        self._now[trouble] = sentence

    def end(self, trouble: Trouble, sentence: str) -> None:
        """It is over; nothing is said when there was no such trouble."""
        if self._now.pop(trouble, None) is not None:
            log.info("%s", sentence)
