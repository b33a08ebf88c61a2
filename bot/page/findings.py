"""The linter behind the page: what a rule would hit, looked up in a thread, one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.moderation.entries import Entry
from bot.moderation.linter import dictionary, examine
from bot.moderation.rules import Rule
from generation.errors import BadRequest

SHOWN: Final = 40  # words and prompts that are shown; the rest is counted

WAITING: Final = 4  # questions that may wait for their turn


@dataclass(frozen=True, slots=True)
class Findings:
    """What a rule would hit that it does not name."""

    words: tuple[str, ...]  # of the dictionary, the first ones
    word_count: int
    dictionary: int  # words in it; 0 where the machine has none
    prompts: tuple[str, ...]  # of the last 30 days, the newest ones
    prompt_count: int
    looked_at: int  # prompts


class Linter:
    """Takes one question at a time: each keeps a core busy, and painting needs the others."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def look_up(self, entry: Entry, prompts: Sequence[str]) -> Findings:
        """What a rule would hit; raises BadRequest when too many others ask at the same time."""
        rule = entry.rule()
        if self._waiting >= WAITING:
            raise BadRequest("Others are checking rules right now; please try again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(_found, rule, prompts)
        finally:
            self._waiting -= 1


def _found(rule: Rule, prompts: Sequence[str]) -> Findings:
    words = dictionary()
    found = examine(rule, words, [" ".join(prompt.split()) for prompt in dict.fromkeys(prompts)])
    return Findings(
        words=tuple(found.words[:SHOWN]),
        word_count=len(found.words),
        dictionary=len(words),
        prompts=tuple(found.prompts[:SHOWN]),
        prompt_count=len(found.prompts),
        looked_at=len(prompts),
    )
