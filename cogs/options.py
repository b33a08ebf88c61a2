"""Command options that show the ranges of a request but leave the judging to it, so that refusals are sentences."""

from __future__ import annotations

from discord import AppCommandOptionType, app_commands

from bot.answer import Interaction
from bot.client import AtelierClient
from generation.request import Range


class Whole(app_commands.Transformer[AtelierClient]):
    """A whole number within `span`."""

    def __init__(self, span: Range) -> None:
        self._span = span

    @property
    def type(self) -> AppCommandOptionType:
        """An integer for Discord."""
        return AppCommandOptionType.integer

    @property
    def min_value(self) -> int:
        """The smallest value that Discord lets members type."""
        return int(self._span.low)

    @property
    def max_value(self) -> int:
        """The largest value that Discord lets members type."""
        return int(self._span.high)

    async def transform(self, _interaction: Interaction, value: int, /) -> int:
        """Pass on: the request checks it."""
        return value


class Number(app_commands.Transformer[AtelierClient]):
    """A number within `span`."""

    def __init__(self, span: Range) -> None:
        self._span = span

    @property
    def type(self) -> AppCommandOptionType:
        """A number for Discord."""
        return AppCommandOptionType.number

    @property
    def min_value(self) -> float:
        """The smallest value that Discord lets members type."""
        return self._span.low

    @property
    def max_value(self) -> float:
        """The largest value that Discord lets members type."""
        return self._span.high

    async def transform(self, _interaction: Interaction, value: float, /) -> float:
        """Pass on: the request checks it."""
        return float(value)


class Words(app_commands.Transformer[AtelierClient]):
    """A text whose length is within `span`."""

    def __init__(self, span: Range) -> None:
        self._span = span

    @property
    def min_value(self) -> int | None:
        """The fewest characters that Discord lets members send."""
        return int(self._span.low) or None

    @property
    def max_value(self) -> int:
        """The most characters that Discord lets members send."""
        return int(self._span.high)

    async def transform(self, _interaction: Interaction, value: str, /) -> str:
        """Pass on: the request checks it."""
        return value
