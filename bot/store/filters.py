"""The filter's tables: rules with their scopes, roles that rules do not bind, and what was hit."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select

from bot.moderation.changes import rule_words, rules_words
from bot.moderation.entries import Entry
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision
from bot.store.audit import Act, record_change
from bot.store.database import Database
from bot.store.schema import filter_exempt, filter_hits, filter_rules, jobs

BATCH = 100  # rows of one statement


class Rules:
    """Filter rules as moderators wrote them, per guild."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def everything(self, guild_id: int | None = None) -> dict[int, list[Entry]]:
        """All rules by guild, or those of one, in the order in which they were added."""
        query = select(filter_rules).order_by(filter_rules.c.added_at, filter_rules.c.rule)
        if guild_id is not None:
            query = query.where(filter_rules.c.guild_id == guild_id)
        found: dict[int, list[Entry]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                scope = Scope(row.channel_id, row.role_id)
                entry = Entry(row.rule, Decision(row.severity), scope, row.language)
                found.setdefault(row.guild_id, []).append(entry)
        return found

    async def put(self, guild_id: int, entries: Collection[Entry], added_by: int) -> None:
        """Keep the entries; one with the same words in the same scope is replaced."""
        if not entries:
            return
        rows = [
            {
                "guild_id": guild_id,
                "rule": entry.text,
                "channel_id": entry.scope.channel_id,
                "role_id": entry.scope.role_id,
                "severity": entry.severity.value,
                "language": entry.language,
                "added_by": added_by,
                "added_at": self._clock(),
            }
            for entry in entries
        ]
        keys = ("rule", "channel_id", "role_id")
        same = [filter_rules.c[key] == bindparam(f"this_{key}") for key in keys]
        replaced = delete(filter_rules).where(filter_rules.c.guild_id == guild_id, *same)
        # In batches: one by one a thousand would keep other writers waiting, all at once the event loop.
        async with self._database.write() as connection:
            for first in range(0, len(rows), BATCH):
                batch = rows[first : first + BATCH]
                await connection.execute(replaced, [{f"this_{key}": row[key] for key in keys} for row in batch])
                await connection.execute(insert(filter_rules), batch)
            told = rules_words(entries)
            await record_change(connection, guild_id, added_by, Act.RULE_ADDED, told, self._clock())

    async def remove(self, guild_id: int, text: str, scope: Scope | None, removed_by: int) -> int:
        """Forget the rule in one scope, or in all of them; returns in how many it was."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(filter_rules).where(*_same(guild_id, text, scope)))
            if gone.rowcount:
                told = rule_words(text, scope)
                await record_change(connection, guild_id, removed_by, Act.RULE_REMOVED, told, self._clock())
        return int(gone.rowcount)

    async def exempt(self) -> dict[int, frozenset[int]]:
        """Roles by guild whose members the guild's rules do not bind."""
        found: dict[int, set[int]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(select(filter_exempt)):
                found.setdefault(row.guild_id, set()).add(row.role_id)
        return {guild_id: frozenset(roles) for guild_id, roles in found.items()}

    async def set_exempt(self, guild_id: int, role_ids: Collection[int], by: int, *, exempt: bool) -> None:
        """Let members with the roles pass, or no longer."""
        if not role_ids:
            return
        async with self._database.write() as connection:
            told, act = ", ".join(f"role {role_id}" for role_id in role_ids), Act.EXEMPTED if exempt else Act.BOUND
            await record_change(connection, guild_id, by, act, told, self._clock())
            for role_id in role_ids:
                key = {"guild_id": guild_id, "role_id": role_id}
                same = [filter_exempt.c.guild_id == guild_id, filter_exempt.c.role_id == role_id]
                await connection.execute(delete(filter_exempt).where(*same))
                if exempt:
                    values = key | {"added_by": by, "added_at": self._clock()}
                    await connection.execute(insert(filter_exempt).values(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule that was met; what was written is not kept."""

    guild_id: int  # 0 in direct messages
    member_id: int
    kind: str
    rule: str
    severity: str
    view: str
    part: str
    at: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class HitCount:
    """How often a rule was met."""

    rule: str
    severity: str
    kind: str
    times: int
    members: int


class Hits:
    """What rules have met, for moderators' figures; and the prompts against which a new rule is tried."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, hits: Sequence[Hit]) -> None:
        """Keep all of them."""
        rows: list[dict[str, Any]] = [
            {name: getattr(hit, name) for name in ("guild_id", "member_id", "kind", "severity", "view", "part", "at")}
            | {"rule": hit.rule[:300]}
            for hit in hits
        ]
        async with self._database.write() as connection:
            await connection.execute(insert(filter_hits), rows)

    async def counts(self, guild_id: int, since: float) -> list[HitCount]:
        """Every rule of the guild that was met since then (epoch seconds), most often first."""
        table = filter_hits.c
        times = func.count()
        query = (
            select(table.rule, table.severity, table.kind, times, func.count(table.member_id.distinct()))
            .where(table.guild_id == guild_id, table.at >= since)
            .group_by(table.rule, table.severity, table.kind)
            .order_by(times.desc(), table.rule)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [HitCount(*row) for row in rows]

    async def prompts(self, guild_id: int, scope: Scope, since: float, most: int) -> list[str]:
        """The newest final texts asked for in public where `scope` holds, since then (epoch seconds)."""
        table = jobs.c
        query = select(table.request, table.role_ids).where(table.guild_id == guild_id, table.accepted_at >= since)
        # An old request was emptied of its words; what stands there instead is nothing that anybody asked for.
        query = (
            query.where(table.private.is_(False), table.erased_at.is_(None))
            .order_by(table.accepted_at.desc())
            .limit(most)
        )
        if scope.channel_id:
            query = query.where(or_(table.channel_id == scope.channel_id, table.parent_channel_id == scope.channel_id))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        bound = [row.request for row in rows if not scope.role_id or scope.role_id in row.role_ids]
        return [text for request in bound if (text := _text_of(request))]


def _same(guild_id: int, text: str, scope: Scope | None) -> list[Any]:
    table = filter_rules.c
    found = [table.guild_id == guild_id, table.rule == text]
    if scope is None:
        return found
    return [*found, table.channel_id == scope.channel_id, table.role_id == scope.role_id]


def _text_of(request: Any) -> str:
    """The words of a stored request."""
    words = str(request.get("prompt") or "")
    return words + "".join(f" <lora:{lora.get('name', '')}:1>" for lora in request.get("loras") or () if words)
