"""Cards: words within Discord's limits, the right buttons, and nothing of a prompt that works."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from bot.card import (
    ALT_LENGTH,
    MESSAGE_LENGTH,
    ROW,
    Rows,
    alt_text,
    file_name,
    notice_text,
    recipe_json,
    recipe_text,
    result_rows,
    result_text,
    single_rows,
    single_text,
)
from bot.order import Action, Commission
from bot.store.pictures import GRID, StoredPicture
from generation.errors import BadRequest
from generation.job import JobState
from generation.request import Variation
from tests.orders import a_request, an_order

JOB = "abcdefghijklmnop"
PROMPTS = st.text(min_size=1, max_size=1000)


def a_commission(state: JobState = JobState.RENDERED, reason: str = "", **changes: Any) -> Commission:
    order = an_order(request=a_request(**changes))
    return Commission(
        id=JOB,
        state=state,
        request=order.request,
        author_id=1,
        address=order.address,
        action=Action.DREAM,
        parent=None,
        parent_index=None,
        reason=reason,
        accepted_at=0.0,
        recipe={"model_sha256": "f" * 64, "dtype": "float32"},
        seconds=2.34,
    )


def some_pictures(
    count: int = 1, *, withheld: tuple[int, ...] = (), checked_by: str = "checker 1"
) -> list[StoredPicture]:
    def picture(index: int, *, gone: bool = False) -> StoredPicture:
        return StoredPicture(
            index=index,
            sha256=None if gone else "a" * 64,
            media_type="" if gone else "image/webp",
            width=0 if gone else 256,
            height=0 if gone else 256,
            checked_by=() if gone else (checked_by,),
            withheld="It did not pass the check." if gone else "",
        )

    singles = [picture(index, gone=index in withheld) for index in range(count)]
    return [picture(GRID), *singles] if count - len(withheld) > 1 else singles


def _labels(rows: Rows) -> list[list[str]]:
    return [[face.label for face in row] for row in rows]


@given(PROMPTS, PROMPTS, st.integers(1, 4))
def test_every_text_fits_and_mentions_only_the_author(prompt: str, negative: str, count: int) -> None:
    try:
        commission = a_commission(prompt=prompt, negative=negative, count=count)
    except BadRequest:
        reject()
    pictures = some_pictures(count)

    for text in (
        result_text(commission, pictures),
        single_text(commission, pictures[-1]),
        notice_text(commission, mention=True),
    ):
        assert len(text) <= MESSAGE_LENGTH
        assert re.findall(r"(?<!\\)<@[!&]?\d+>", text) in ([], ["<@1>"])
        assert "@everyone" not in text
    assert 0 < len(alt_text(commission, pictures[0])) <= ALT_LENGTH
    recipe = recipe_text(commission, pictures)
    assert len(recipe) <= MESSAGE_LENGTH
    assert recipe.count("```") == 2
    assert json.loads(recipe_json(commission, pictures))["request"]["prompt"] == prompt


def test_the_quiet_line_tells_how_it_was_made() -> None:
    text = result_text(a_commission(), some_pictures())

    assert text.splitlines() == [
        "<@1> **a red house**",
        "-# AI-generated · starter · 256×256 · 20 steps · DPM++ 2M · guidance 4 · seed 1 · 2.3 s",
    ]


def test_a_model_in_a_folder_does_not_show_where() -> None:
    text = result_text(a_commission(model="/home/olivia/models/fine-paint"), some_pictures())

    assert "fine-paint" in text
    assert "olivia" not in text


def test_one_picture_has_no_choice_to_single_out() -> None:
    assert _labels(result_rows(a_commission(), some_pictures())) == [
        ["V1", "Again", "Edit"],
        ["Recipe", "Delete", "Report"],
    ]


def test_a_set_has_buttons_for_each_picture() -> None:
    rows = _labels(result_rows(a_commission(count=4), some_pictures(4)))

    assert rows[:2] == [["U1", "U2", "U3", "U4"], ["V1", "V2", "V3", "V4"]]
    assert rows[2] == ["Again", "Edit", "Recipe", "Delete", "Report"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_rows_keep_discords_limits(count: int) -> None:
    commission = a_commission(count=count)

    for rows in (result_rows(commission, some_pictures(count)), single_rows(commission, 0)):
        custom_ids = [face.press.custom_id for row in rows for face in row]
        assert len(rows) <= 5
        assert all(len(row) <= ROW for row in rows)
        assert len(set(custom_ids)) == len(custom_ids)


def test_withheld_pictures_are_counted_and_have_no_buttons() -> None:
    commission, pictures = a_commission(count=4), some_pictures(4, withheld=(1,))

    assert "1 of 4 is not shown. It did not pass the check." in result_text(commission, pictures)
    assert _labels(result_rows(commission, pictures))[0] == ["U1", "U3", "U4"]


def test_unchecked_uploads_say_so() -> None:
    commission = a_commission(image="b" * 64, strength=0.5)

    assert "nothing checked" in result_text(commission, some_pictures(checked_by="NOT CHECKED (local only)"))
    assert "nothing checked" not in result_text(commission, some_pictures())


def test_variations_name_their_origin() -> None:
    commission = replace(
        a_commission(count=4, variations=(Variation(9, 0.35),)), action=Action.VARIATION, parent=JOB, parent_index=2
    )
    text = result_text(commission, some_pictures(4))

    assert "Variations of picture 3" in text
    assert "seed 1+9" in text


def test_blocked_prompts_are_not_said_again() -> None:
    blocked = notice_text(a_commission(JobState.BLOCKED, "Not here.", prompt="a bad word"), mention=False)

    assert blocked == "Not here."


def test_file_names_and_alt_texts_tell_pictures_apart() -> None:
    commission = a_commission(count=2)
    grid, first, second = some_pictures(2)

    assert len({file_name(commission, picture) for picture in (grid, first, second)}) == 3
    assert alt_text(commission, grid) == "2 AI-generated pictures side by side: a red house"
    assert alt_text(commission, second) == "AI-generated picture 2 of 2: a red house"


def test_a_recipe_names_its_checkers_once_and_holds_no_program_text() -> None:
    commission = a_commission(prompt="a tree")
    inside = {"request": {"prompt": "a tree"}, "checked_by": ["checker 1", "NOT CHECKED (local only)"], "rows": 2}
    recipe = recipe_text(replace(commission, recipe=commission.recipe | inside), some_pictures())

    assert recipe.count("checked by") == 1
    assert "NOT CHECKED" not in recipe
    assert "{" not in recipe
    assert "dtype: float32" in recipe
