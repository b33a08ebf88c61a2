"""Where a rule holds: in the whole guild, in one channel, for one role, or both of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.order import Place


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Ids of Discord; 0 stands for every channel, or for everybody."""

    channel_id: int = 0  # a rule of a channel holds in its threads too
    role_id: int = 0

    def holds(self, place: Place | None) -> bool:
        """Whether a rule of this scope counts at `place`; without a place every rule does."""
        if place is None:
            return True
        in_channel = not self.channel_id or self.channel_id in place.channel_ids
        return in_channel and (not self.role_id or self.role_id in place.role_ids)


EVERYWHERE: Final = Scope()
