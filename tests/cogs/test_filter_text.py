"""What moderators read fits into a message of Discord, whatever rules and members have written."""

from __future__ import annotations

import pytest

from bot.moderation.entries import LONGEST_ENTRY, Entry
from bot.moderation.finding import Finding, Kind
from bot.moderation.linter import Lint
from bot.moderation.scope import Scope
from bot.moderation.verdict import Decision, Reading
from bot.store.artists import ArtistRequest
from bot.store.filters import HitCount
from cogs.artist import CONTACT_LENGTH, RELATION_LENGTH, _requests_text
from cogs.filter_text import findings_text, hits_text, lint_text, problems_text

MOST = 2000  # characters of a message
ID = 10**19


@pytest.mark.parametrize("letter", ["*", "`", "x", "@"])
def test_the_longest_texts_fit(letter: str) -> None:
    rule = letter * LONGEST_ENTRY
    finding = Finding(
        Decision.REVIEW,
        Kind.INSTANCE,
        rule=rule,
        match=letter * 1000,
        view=Reading.FOLDED,
        span=(1000, 2000),
        scope=Scope(ID, ID),
    )
    request = ArtistRequest(
        id=1,
        guild_id=1,
        name=letter * 60,
        contact=letter * CONTACT_LENGTH,
        relation=letter * RELATION_LENGTH,
        requested_by=ID,
        requested_at=4e9,
        state="open",
    )
    count = HitCount(rule=rule, severity="review", kind="instance", times=10**6, members=10**6)
    texts = [
        findings_text([finding] * 4),
        lint_text(Entry(rule), Lint([letter * 60] * 30, [letter * 1000] * 9, 2000), 30),
        problems_text([letter * 400] * 20),
        hits_text([count] * 60, 365),
        _requests_text([request] * 9),
    ]
    assert [len(text) <= MOST - 150 for text in texts] == [True] * 5, [*map(len, texts)]


def test_a_list_that_is_cut_closes_its_block() -> None:
    count = HitCount(rule="``" * 100, severity="block", kind="guild", times=1, members=1)
    assert hits_text([count] * 40, 30).count("```") == 2
