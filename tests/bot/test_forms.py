"""Forms: filled in with the recipe, read from Discord's data, judged like any other request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.forms import edit_form, edited, report_form, values_of
from bot.press import Deed, Press
from generation.errors import BadRequest
from generation.request import Variation
from tests.bot.test_card import JOB, a_commission
from tests.house import open_house
from tests.orders import a_request

PRESS = Press(Deed.EDIT, JOB)


def _values(**changes: str) -> dict[str, str]:
    return {"prompt": "a blue house", "negative": "", "steps": "12", "guidance": "5.5", "seed": "1"} | changes


async def test_the_edit_form_is_filled_in_and_within_discords_limits() -> None:
    form = edit_form(PRESS, a_request(prompt="p" * 1000, negative="n" * 1000)).to_dict()

    assert form["custom_id"] == PRESS.custom_id
    assert len(form["components"]) == 5
    for label in form["components"]:
        assert len(label["label"]) <= 45
        assert len(label.get("description") or "") <= 100
    defaults = {label["component"]["custom_id"]: label["component"].get("value") for label in form["components"]}
    assert defaults == {"prompt": "p" * 1000, "negative": "n" * 1000, "steps": "20", "guidance": "4", "seed": "1"}


async def test_forms_leave_nothing_in_memory() -> None:
    assert edit_form(PRESS, a_request()).is_finished()
    assert report_form(Press(Deed.REPORT, JOB)).is_finished()


def test_values_are_read_from_what_discord_sends() -> None:
    data: dict[str, Any] = {
        "custom_id": PRESS.custom_id,
        "components": [
            {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "prompt", "value": "hello"}},
            {"type": 10, "id": 3},
            {"type": 18, "id": 4, "component": {"type": 4, "id": 5, "custom_id": "seed", "value": None}},
        ],
    }
    assert values_of(data) == {"prompt": "hello", "seed": ""}


async def test_edited_requests_keep_what_the_form_does_not_ask(tmp_path: Path) -> None:
    moved = (Variation(9, 0.5),)
    commission = a_commission(width=320, count=4, variations=moved)
    async with open_house(tmp_path) as house:
        same_seed = edited(house.studio, commission, _values())
        new_seed = edited(house.studio, commission, _values(seed=""))

    assert (same_seed.prompt, same_seed.steps, same_seed.guidance) == ("a blue house", 12, 5.5)
    assert (same_seed.width, same_seed.count, same_seed.variations) == (320, 4, moved)
    assert new_seed.variations == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": "many"}, "Steps must be a whole number"),
        ({"steps": "9" * 20}, "Steps must be"),
        ({"guidance": "nan"}, "Guidance must be between"),
        ({"seed": str(2**64)}, "The seed must be between"),
        ({"seed": "1e3"}, "The seed must be a whole number"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"prompt": "x" * 6000}, "The prompt has 6,000 characters"),
    ],
)
async def test_bad_values_get_a_sentence(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    async with open_house(tmp_path) as house:
        with pytest.raises(BadRequest, match=sentence):
            edited(house.studio, a_commission(), _values(**changes))
