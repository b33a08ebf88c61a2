"""Moderators are told once which permission the bot lacks where it was to post something, and where to give it back."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from bot.courier import NEEDED, Courier, Forbidden, Parcel, Rejected, TokenRefused, TooLarge, Unavailable, WayClosed
from bot.order import Commission
from bot.review.guild_rules import GuildRules
from bot.store.small import Notes
from bot.waiting import ended

log = logging.getLogger(__name__)

NOTE = "hindrances"  # when what was said of which channel
DAY = 86_400.0  # seconds in which the same is said once at most
CLOSE_PATIENCE = 2.0  # seconds for messages under way at the end
UNKNOWN = "unknown"  # Discord says that something is lacking, and nothing that the bot knows of is
NAMES = {  # as Discord's own settings call them
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
    UNKNOWN: "View Channel, Send Messages or Attach Files",
}
REMEDY = "Please allow it for my role under *Edit Channel* › *Permissions*"
UNPOSTED = "until then members get their pictures in the answer to their command or as a direct message, where I can."
UNREAD = "until then I cannot see, after an interruption, whether what I post stands there already."
UNHARMED = "nothing is lost meanwhile."
UNQUEUED = "until then cases wait in `/review list`."


class Hindrances:
    """What is lacking in which channel, from the first request or post that shows it until it is there again."""

    def __init__(self, courier: Courier, rules: GuildRules, notes: Notes, clock: Callable[[], float]) -> None:
        self._courier = courier
        self._rules = rules
        self._notes = notes
        self._clock = clock
        self._known: dict[int, frozenset[str]] = {}  # by channel
        self._tasks: set[asyncio.Task[None]] = set()

    async def accepted(self, commission: Commission) -> None:
        """Somebody asked for a picture: where a post would be refused none is tried."""
        standing = self._courier.standing(commission.address.channel_id)
        if standing is not None and standing[1] and not commission.address.private:
            self._miss(commission.address.channel_id, *standing)

    def tried(self, channel_id: int, refused: WayClosed | None) -> None:
        """Something was posted in a channel, or could not be. Returns at once."""
        standing = self._courier.standing(channel_id)
        if standing is None:
            return  # a direct message
        guild_id, lacking = standing
        if isinstance(refused, Forbidden) and not lacking:
            lacking = frozenset({UNKNOWN})
        if lacking:
            self._miss(channel_id, guild_id, lacking)
        elif refused is None:
            self._known.pop(channel_id, None)

    def changed(self) -> None:
        """Permissions have changed: what is there again may be missed, and told, anew."""
        for channel_id, lacked in list(self._known.items()):
            standing = self._courier.standing(channel_id)
            self._known[channel_id] = lacked & standing[1] if standing is not None else frozenset()
            if not self._known[channel_id]:
                del self._known[channel_id]

    async def tidy(self) -> None:
        """Forget what was said longer ago than it matters."""
        await self._notes.change(NOTE, lambda text: json.dumps(self._today(text)))

    async def close(self) -> None:
        """Let what is being said be said."""
        await ended([*self._tasks], CLOSE_PATIENCE)

    def _miss(self, channel_id: int, guild_id: int, lacking: frozenset[str]) -> None:
        fresh = lacking - self._known.get(channel_id, frozenset())
        self._known[channel_id] = lacking
        if fresh:
            task = asyncio.create_task(self._tell(guild_id, channel_id, fresh), name=f"hindrance-{channel_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, guild_id: int, channel_id: int, lacking: frozenset[str]) -> None:
        try:
            await self._tell_today(guild_id, channel_id, lacking)
        except (Unavailable, TokenRefused):
            self._known.pop(channel_id, None)  # the next post says so
        except Exception:  # a full disk, say: it is only a message
            log.exception("server %d: what is lacking in channel %d could not be told", guild_id, channel_id)

    async def _tell_today(self, guild_id: int, channel_id: int, lacking: frozenset[str]) -> None:
        now, told = self._clock(), self._today(await self._notes.get(NOTE))
        keys = {name: f"{channel_id} {name}" for name in (*NEEDED, UNKNOWN) if name in lacking}
        news = {name: key for name, key in keys.items() if key not in told}
        if not news:
            return
        await self._say(guild_id, channel_id, [*news], day=int(now // DAY))
        said = dict.fromkeys(news.values(), now)
        await self._notes.change(NOTE, lambda text: json.dumps(self._today(text) | said))

    def _today(self, text: str | None) -> dict[str, float]:
        now, told = self._clock(), json.loads(text or "{}")
        return {key: at for key, at in told.items() if abs(now - at) < DAY}

    async def _say(self, guild_id: int, channel_id: int, lacking: list[str], *, day: int) -> None:
        queue = self._rules.rules_for(guild_id).channel
        names = " and ".join(NAMES[name] for name in lacking)
        if queue is not None:
            parcel = Parcel(text=told_text(channel_id, lacking, is_queue=channel_id == queue))
            bits = sum(1 << place for place, name in enumerate((*NEEDED, UNKNOWN)) if name in lacking)
            try:  # other processes meet the same at the same time: the nonce keeps their message single
                await self._courier.to_channel(queue, parcel, f"h{channel_id}{bits:x}{day % 36}")
                log.info("server %d: in channel %d the bot lacks %s; moderators were told", guild_id, channel_id, names)
                return
            except (WayClosed, Rejected, TooLarge):
                pass
        where = "their channel cannot be used either" if queue is not None else "they have no channel (/review channel)"
        log.warning(
            "server %d: in channel %d the bot lacks %s; moderators were not told, %s",
            guild_id,
            channel_id,
            names,
            where,
        )


def told_text(channel_id: int, lacking: list[str], *, is_queue: bool = False) -> str:
    """What moderators read."""
    names = " and ".join(f"**{NAMES[name]}**" for name in lacking)
    harmless = {"embed_links", "read_message_history"}
    if harmless.issuperset(lacking):
        meanwhile = UNREAD if "read_message_history" in lacking else UNHARMED
    else:
        meanwhile = UNQUEUED if is_queue else UNPOSTED
    return f"In <#{channel_id}> I lack the permission {names}. {REMEDY}; {meanwhile}"
