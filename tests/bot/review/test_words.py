"""What is read about a case: whatever people wrote, it fits one message and can neither ping nor break out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.order import Action, Commission
from bot.review.case import AGAINST, FIRST_ROUND, SECOND_ROUND, Case, Kind, Ruling, Task, tasks_after
from bot.review.strikes import Ban, Strike, ban_sentence
from bot.review.words import DONE, LABELS, WHY, case_rows, case_text, told_rows, told_text
from bot.store.pictures import StoredPicture
from generation.job import JobState
from generation.safety.level import Level
from tests.orders import a_request, an_order

NOW = 1_800_000_000.0
PRINTED = st.characters(exclude_categories=["C"])
PROMPTS = st.text(PRINTED, max_size=700).map(lambda text: f"a{text}") | st.text(
    "a\\*_<@>&#`|[]()", min_size=1, max_size=700
)
WORDS = st.text(max_size=700) | st.text("\\*_<@>&#`|[]()@everyone ", max_size=700)


def a_case(**changes: object) -> Case:
    plain = Case(
        id=10**9,
        kind=Kind.WITHHELD,
        job_id="0" * 16,
        place=0,
        guild_id=1,
        channel_id=10**19,
        author_id=10**19,
        opened_at=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_commission(prompt: str = "a tree", negative: str = "") -> Commission:
    order = an_order()
    return Commission(
        id="0" * 16,
        state=JobState.BLOCKED,
        request=replace(a_request(), prompt=prompt, negative=negative),
        author_id=1,
        address=order.address,
        action=Action.DREAM,
        parent=None,
        parent_index=None,
        reason="",
        accepted_at=NOW,
        recipe={},
        seconds=0.0,
    )


def a_picture(seen: tuple[str, ...]) -> StoredPicture:
    return StoredPicture(
        index=0, sha256=None, media_type="", width=0, height=0, checked_by=(), withheld="", level=Level.HIGH, held=True,
        seen=seen,
    )  # fmt: skip


CASES = st.builds(
    a_case,
    kind=st.sampled_from(Kind),
    round=st.sampled_from([1, 2]),
    hidden=st.booleans(),
    reports=st.integers(0, 10**6),
    ruling=st.none() | st.sampled_from(Ruling),
    ruled_by=st.just(10**19),
    ruled_at=st.just(NOW),
    reason=WORDS,
    hours=st.none() | st.just(672.0),
    appeal=WORDS,
    contested=st.none() | st.sampled_from(sorted(AGAINST)),
    contested_by=st.just(10**19),
)


@given(CASES, PROMPTS, PROMPTS, st.lists(WORDS, max_size=5))
def test_a_case_fits_one_message_and_pings_nobody(case, prompt, negative, many):
    strike = Strike(id=1, case_id=1, given_by=2, reason="", given_at=NOW, expires_at=NOW + 1)
    commission = a_commission(prompt, negative)
    text = case_text(
        case, commission, [a_picture(tuple(many))], strikes=[strike] * 3, reasons=many, notes=many, now=NOW
    )
    assert len(text) <= 2000
    assert "@everyone" not in text
    for line in text.splitlines():
        assert not line.startswith("```")


WILD = st.sampled_from(["*", "_", "\\", "`", "<@1>", "[a](b)", "||", "~~", "@everyone ", "W", "é", "#", "> ", "🎨"])
LONG = st.lists(WILD, min_size=1, max_size=8).map(lambda parts: ("x" + "".join(parts) * 800)[:900])
APPEALED = st.builds(
    a_case,
    kind=st.sampled_from(Kind),
    round=st.just(2),
    hidden=st.booleans(),
    reports=st.just(10**6),
    ruling=st.none() | st.sampled_from(SECOND_ROUND),
    ruled_by=st.just(10**19),
    ruled_at=st.just(NOW),
    reason=LONG,
    appeal=LONG,
    contested=st.sampled_from(sorted(AGAINST)),
    contested_by=st.just(10**19),
)


@given(APPEALED, LONG, LONG)
def test_a_case_with_everything_in_it_fits_and_is_cut_only_inside_of_peoples_words(case, prompt, words):
    strike = Strike(id=1, case_id=1, given_by=2, reason="", given_at=NOW, expires_at=NOW + 1)
    text = case_text(
        case, a_commission(prompt, words), [a_picture((words,))], strikes=[strike] * 3, reasons=[words] * 5,
        notes=[words] * 3, now=NOW, remark="r" * 250,
    )  # fmt: skip
    assert len(text) <= 2000
    assert f"By <@{case.author_id}> in <#{case.channel_id}>" in text
    assert f"First decided by <@{case.contested_by}>: {DONE[case.contested]}" in text
    assert "Appeal: x" in text
    assert "Warnings: 3 active, 3 in all" in text
    assert (f"**Decided** by <@{case.ruled_by}>" in text) == (case.ruling is not None)
    assert len(text.splitlines()) == len([line for line in text.splitlines() if line.strip()])
    for line in text.splitlines():
        if line.endswith("…"):  # an escape is never parted from what it escapes
            bare = line[:-1].rstrip(" ")
            assert (len(bare) - len(bare.rstrip("\\"))) % 2 == 0


@given(CASES.filter(lambda case: case.ruling is not None), PROMPTS)
def test_what_a_member_is_told_fits_and_offers_an_appeal_exactly_when_there_is_one(case, prompt):
    banned = ban_sentence(Ban(id=1, given_by=2, reason="3 active warnings", given_at=NOW, until=NOW))
    text = told_text(case, a_commission(prompt), banned=banned, now=NOW)
    assert len(text) <= 2000
    assert "@everyone" not in text
    assert ("you can appeal once" in text) == case.appealable(NOW) == bool(told_rows(case, NOW))
    assert case.appealable(NOW) == (case.round == 1 and case.ruling in AGAINST)


@pytest.mark.parametrize("kind", Kind)
def test_every_ruling_has_words_buttons_and_an_end(kind):
    for number, choices in ((1, FIRST_ROUND), (2, SECOND_ROUND)):
        case = a_case(kind=kind, round=number, contested=Ruling.WARN if number == 2 else None)
        assert [face.label for row in case_rows(case) for face in row] == [LABELS[choice] for choice in choices]
        for ruling in choices:
            tasks = tasks_after(case, ruling)
            assert tasks[-1] is Task.REFRESH
            assert (Task.TELL in tasks) == (ruling in AGAINST or number == 2)
            decided = replace(case, ruling=ruling, ruled_by=1, ruled_at=NOW)
            assert DONE[ruling] in case_text(decided, a_commission(), [], strikes=[], reasons=[], notes=[], now=NOW)
            assert case_rows(decided) == ()
    assert set(WHY) == set(Kind)


def test_a_picture_that_was_kept_back_is_shown_only_when_a_moderator_says_so():
    case = a_case()
    shows = {ruling for ruling in FIRST_ROUND if Task.SHOW in tasks_after(case, ruling)}
    assert shows == {Ruling.APPROVE, Ruling.SPOILER}
    reported = a_case(kind=Kind.REPORTED, hidden=True)
    assert {ruling for ruling in FIRST_ROUND if Task.REMOVE in tasks_after(reported, ruling)} == AGAINST
