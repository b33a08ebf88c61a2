"""A process that dies between intending a message and knowing that it was sent: the next one shows it exactly once."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest

from bot.courier import Courier
from tests.bot.crashes import KINDS, WIDE, Kind, crash, quieten
from tests.bot.town import open_both

figures = logging.getLogger("figures")  # --log-file FILE --log-file-level INFO
MOMENTS = 2  # of each kind and window in the default suite; sixty-eight crashes
LATEST = 45  # pauses that a delivery takes, about


@pytest.mark.parametrize("forgotten", [False, True], ids=["nonce known", "nonce forgotten"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_crash_at_any_moment_shows_the_outcome_once(tmp_path: Path, kind: Kind, *, forgotten: bool) -> None:
    dice = random.Random(f"{kind.name} {forgotten}")
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        quieten(bot)
        for pauses in (dice.randrange(8, 25), dice.randrange(25, LATEST))[:MOMENTS]:
            seen = await crash(town, bot, kind, pauses, forgotten=forgotten)

            assert (seen.outcomes, seen.leftovers) == (1, 0), (pauses, seen)


@pytest.mark.slow
@pytest.mark.parametrize("forgotten", [False, True], ids=["nonce known", "nonce forgotten"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_crash_at_every_moment_shows_the_outcome_once(tmp_path: Path, kind: Kind, *, forgotten: bool) -> None:
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        quieten(bot)
        pauses, empty, torn = 0, 0, True
        while torn:
            seen = await crash(town, bot, kind, pauses, forgotten=forgotten)
            assert (seen.outcomes, seen.leftovers) == (1, 0), (pauses, seen)
            pauses, empty, torn = pauses + 1, empty + seen.empty, seen.torn
        figures.info("%s, forgotten %s: %d crashes, %d of them left an empty line", kind.name, forgotten, pauses, empty)
        assert pauses > 20  # a delivery is long enough to be cut off anywhere


async def test_without_looking_back_some_would_be_shown_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same crashes find what they are there to find."""

    async def blind(*_: object) -> None:
        return None

    monkeypatch.setattr(Courier, "find", blind)
    async with open_both(tmp_path, limits=WIDE) as (town, bot):
        quieten(bot)
        shown = [(await crash(town, bot, KINDS[0], pauses, forgotten=True)).outcomes for pauses in range(20, 36)]

        assert max(shown) == 2
