"""Buttons: everything in the custom_id, nothing else believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.press import CaseDeed, CasePress, Deed, Press
from bot.review.case import Ruling

JOBS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=16, max_size=16)


@given(st.sampled_from(Deed), JOBS, st.none() | st.integers(0, 3))
def test_round_trip(deed: Deed, job: str, index: int | None) -> None:
    press = Press(deed, job, index)

    assert len(press.custom_id) <= 100
    assert Press.read(press.custom_id) == press


@given(st.text(max_size=120))
def test_foreign_custom_ids_are_not_ours(custom_id: str) -> None:
    press = Press.read(custom_id)

    assert press is None or press.custom_id == custom_id


@pytest.mark.parametrize(
    "custom_id",
    ["", "at:", "at:v", "at:boil:aaaaaaaaaaaaaaaa", "at:v:short", "at:v:aaaaaaaaaaaaaaaa:4", "at:v:AAAAAAAAAAAAAAAA:0"],
)
def test_broken_custom_ids(custom_id: str) -> None:
    assert Press.read(custom_id) is None


@given(st.sampled_from(CaseDeed), st.integers(1, 10**15 - 1))
def test_buttons_of_cases_are_never_taken_for_others(deed: CaseDeed, case_id: int) -> None:
    press = CasePress(deed, case_id)

    assert len(press.custom_id) <= 100
    assert CasePress.read(press.custom_id) == press
    assert Press.read(press.custom_id) is None


@given(st.text(max_size=120) | st.from_regex(r"at:case:[a-z]*:[0-9]*", fullmatch=True))
def test_foreign_custom_ids_are_no_cases(custom_id: str) -> None:
    press = CasePress.read(custom_id)

    assert press is None or press.deed in CaseDeed


def test_every_ruling_has_its_button() -> None:
    assert {ruling.value for ruling in Ruling} <= {deed.value for deed in CaseDeed}
