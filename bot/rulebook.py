"""The filter rules in force, compiled per guild and kept in memory so that a check never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.moderation.filter import Filter
from bot.moderation.rules import RuleError, parse_rule
from bot.moderation.verdict import Verdict
from bot.store.small import Rules
from generation.errors import BadRequest
from generation.request import Request

MOST_RULES = 1000  # per guild, as in Discord's AutoMod


class RuleBook:
    """Rules by guild; changes are stored first, then take effect at once."""

    def __init__(self, rules: Rules) -> None:
        self._store = rules
        self._texts: dict[int, list[str]] = {}
        self._filters: dict[int, Filter] = {}
        self._changing = asyncio.Lock()  # a change that takes effect late would undo the one after it

    async def open(self) -> None:
        """Load and compile everything that is stored."""
        self._texts = await self._store.everything()
        for guild_id in self._texts:
            await self._compile(guild_id)
        for gone in self._filters.keys() - self._texts.keys():
            del self._filters[gone]

    def check(self, guild_id: int | None, request: Request) -> str | None:
        """The sentence that refuses `request`, or None when no rule forbids its prompt or negative prompt."""
        verdict = self._filters.get(guild_id or 0, _NO_RULES).check_request(request.prompt, request.negative)
        return verdict.sentence or None

    def test(self, guild_id: int | None, text: str) -> Verdict:
        """What the filter of the guild says of `text`."""
        return self._filters.get(guild_id or 0, _NO_RULES).check(text)

    def list(self, guild_id: int) -> list[str]:
        """The guild's rules as they were written, oldest first."""
        return [*self._texts.get(guild_id, [])]

    async def add(self, guild_id: int, rule: str, added_by: int) -> None:
        """Add a rule; raises BadRequest with a sentence when it cannot be understood."""
        rule = rule.strip()
        try:
            parsed = parse_rule(rule)
        except RuleError as error:
            raise BadRequest(str(error)) from error
        if parsed is None:
            raise BadRequest("That rule is empty; write a word, word*, “two words” or re:… .")
        async with self._changing:
            if len(self._texts.get(guild_id, [])) >= MOST_RULES:
                raise BadRequest(f"There are already {MOST_RULES:,} rules; remove one first.")
            await self._store.add(guild_id, rule, added_by)
            await self._reload(guild_id)

    async def remove(self, guild_id: int, rule: str) -> bool:
        """Remove a rule; False when there is none written like this."""
        async with self._changing:
            removed = await self._store.remove(guild_id, rule.strip())
            await self._reload(guild_id)
        return removed

    async def _reload(self, guild_id: int) -> None:
        self._texts[guild_id] = (await self._store.everything()).get(guild_id, [])
        await self._compile(guild_id)

    async def _compile(self, guild_id: int) -> None:
        # In a thread as a whole: reading a thousand patterns alone takes a fifth of a second.
        self._filters[guild_id] = await asyncio.to_thread(_compiled, self._texts[guild_id])


def _compiled(texts: Sequence[str]) -> Filter:
    return Filter([rule for rule in map(parse_rule, texts) if rule is not None])


_NO_RULES = Filter([])
