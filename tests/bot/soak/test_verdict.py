"""The verdict finds what was lost, shown twice, left behind or answered late, and is content with what is right."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import ADA_ID, BEN_ID, BOT_ID, DISCORD_EPOCH_MS, DM_IDS
from bot.soak.books import Entry
from bot.soak.keeper import Life, Sample
from bot.soak.record import Record
from bot.soak.showing import judge_showing, judge_wishes
from bot.soak.verdict import (
    Span,
    Verdict,
    interruptions,
    judge_answers,
    judge_outcomes,
    judge_resources,
    judge_serving,
)
from generation.job import JobState

FIRST, SECOND = "a" * 16, "b" * 16
AUTHOR = BEN_ID
NOTICE = "You stopped this.\n-# a red house"
QUESTION = f"a red house\n-# AI-generated\n-# {MAYBE_ABOVE}"
ASKED = 1.6e9  # epoch seconds
WISH = int(ASKED * 1000 - DISCORD_EPOCH_MS) << 22  # an interaction of that moment


class Story:
    """A local Discord that tells what it is given."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.exchanges: list[dict[str, Any]] = []

    def says(
        self, message: int, content: str = "", *, exists: bool = True, buttons: tuple[str, ...] = (), **more: Any
    ) -> Story:
        entry = {"number": len(self.entries) + 1, "exists": exists, "id": str(message), "channel_id": "7", "at": 0.0}
        entry |= {"author_id": str(BOT_ID), "audience": None, "asked_by": None, "interaction_id": None}
        entry |= {"content": content, "mentions": [str(AUTHOR)], "files": 0, "thinking": False}
        self.entries.append(entry | {"custom_ids": [f"at:{each}" for each in buttons]} | more)
        return self

    def asks(self, at: float, path: str, status: int, scope: str | None = None, fault: str | None = None) -> Story:
        number = len(self.exchanges) + 1
        exchange = {"number": number, "at": at, "path": path, "status": status, "scope": scope, "fault": fault}
        self.exchanges.append(exchange)
        return self

    async def journal(self, since: int) -> list[dict[str, Any]]:
        return self.entries[since:]

    async def requests(self, since: int) -> list[dict[str, Any]]:
        return self.exchanges[since:]

    def real(self, at: float) -> float:
        return at

    async def record(self) -> Record:
        record = Record(self)  # type: ignore[arg-type]
        await record.collect()
        return record


def entry(job: str = FIRST, state: JobState = JobState.POSTED, told_in: int | None = 2, **changes: Any) -> Entry:
    values: dict[str, Any] = {"prompt": "a red house", "reason": "", "attempt": 1, "interaction_id": 5}
    values |= {"author_id": AUTHOR, "private": False} | changes
    return Entry(id=job, state=state, told_in=told_in, **values)


async def outcomes(story: Story, *entries: Entry, interrupted: Sequence[Span] = ()) -> Verdict:
    verdict, record, by_id = Verdict(), await story.record(), {each.id: each for each in entries}
    judge_outcomes(verdict, by_id, record, interrupted)
    judge_showing(verdict, by_id, record)
    return verdict


def ticket(job: str = FIRST) -> Story:
    return Story().says(1, "Next in the line", buttons=(f"cancel:{job}",))


def result(story: Story, message: int, job: str = FIRST, **more: Any) -> Story:
    buttons = (f"v:{job}:0", f"delete:{job}")
    return story.says(message, "a red house\n-# AI-generated", buttons=buttons, **{"files": 1} | more)


def question(story: Story, message: int, **more: Any) -> Story:
    return story.says(message, QUESTION, buttons=(f"delete:{FIRST}",), **more)


async def test_one_result_and_no_ticket_is_right():
    story = result(ticket(), 2).says(1, "Next in the line", exists=False, buttons=(f"cancel:{FIRST}",))
    assert (await outcomes(story, entry())).broken == []


async def test_a_ticket_that_becomes_the_outcome_is_right():
    assert (await outcomes(result(ticket(), 1), entry(told_in=1))).broken == []
    cancelled = entry(state=JobState.CANCELLED, told_in=1)
    assert (await outcomes(ticket().says(1, NOTICE), cancelled)).broken == []


async def test_a_question_whether_it_stands_above_shows_nothing_twice():
    verdict = await outcomes(question(result(Story(), 2), 3), entry(told_in=3))
    assert (verdict.broken, verdict.figures["asked_whether_shown"]) == ([], 1)
    verdict = await outcomes(question(question(result(Story(), 2), 3), 4), entry(told_in=3))
    assert verdict.figures["shown_twice"] == 1


@pytest.mark.parametrize(
    ("private", "interrupted", "lost"),
    [(True, [(ASKED - 9, ASKED + 5)], 0), (True, [(ASKED + 21, ASKED + 30)], 1), (False, [(ASKED, ASKED + 5)], 1)],
    ids=["nobody could look", "nothing came between", "the bot could look"],
)
async def test_a_question_stands_for_a_picture_only_where_the_bot_could_not_know(private, interrupted, lost):
    job = entry(private=private, interaction_id=WISH)
    story = question(Story(), 2, at=ASKED + 20, audience=str(AUTHOR) if private else None)
    verdict = await outcomes(story, job, interrupted=interrupted)
    assert verdict.figures["lost"] == lost
    assert verdict.figures["asked_without_picture"] == 1 - lost


async def test_previews_are_files_of_their_ticket():
    story = ticket().says(1, "Painting", files=1, buttons=(f"cancel:{FIRST}",))
    assert (await outcomes(result(story, 2).says(1, exists=False), entry())).broken == []


@pytest.mark.parametrize("place", [{"audience": str(AUTHOR)}, {"channel_id": str(DM_IDS[AUTHOR])}], ids=["alone", "DM"])
async def test_what_is_private_is_shown_to_its_author_alone(place):
    assert (await outcomes(result(Story(), 2, mentions=[], **place), entry(private=True))).broken == []


def late(audience: str | None) -> tuple[Story, Entry]:
    """A ticket that is left, and an outcome that came when its token had ended."""
    made, told = ((int(1.6e12) - DISCORD_EPOCH_MS + later) << 22 for later in (0, 1_000_000))
    story = result(Story().says(made, "Next in the line", buttons=(f"cancel:{FIRST}",)), told)
    for each in story.entries:
        each["audience"] = audience
    return story, entry(told_in=told)


async def test_what_one_person_alone_sees_cannot_be_taken_away_without_its_token():
    story, job = late("77")
    verdict = await outcomes(story, job)
    assert verdict.broken == []
    assert verdict.figures["tickets_out_of_reach"] == 1
    story, job = late(None)
    assert (await outcomes(story, job)).figures["tickets_left_behind"] == 1


@pytest.mark.parametrize(
    ("story", "entries", "name"),
    [
        (ticket().says(1, exists=False), [], "lost"),
        (ticket().says(1, exists=False), [entry(state=JobState.RUNNING, told_in=None)], "lost"),
        (ticket().says(1, exists=False), [entry()], "lost"),
        (result(ticket(), 1).says(1, exists=False, buttons=(f"delete:{FIRST}",)), [entry(told_in=1)], "lost"),
        (ticket().says(1, exists=False), [entry(state=JobState.CANCELLED)], "lost"),
        (result(result(Story(), 2), 3), [entry()], "shown_twice"),
        (result(Story(), 2, files=0), [entry()], "lost"),
        (question(Story(), 2), [entry()], "lost"),
        (result(Story(), 2).says(2, "a red house", buttons=(f"delete:{FIRST}",)), [entry()], "lost"),
        (question(result(result(Story(), 2), 3), 3), [entry()], "shown_twice"),
        (question(question(result(Story(), 2, exists=False), 3), 3, exists=False), [entry()], "lost"),
        (result(Story(), 2).says(3, "a red house", files=1), [entry()], "files_of_no_job"),
        (result(Story(), 2).says(3, files=1, buttons=(f"v:{FIRST}:0",)), [entry()], "files_of_no_job"),
        (result(Story(), 2), [entry(private=True)], "private_shown_to_others"),
        (result(Story(), 2, audience="12"), [entry(private=True)], "private_shown_to_others"),
        (result(Story(), 2, channel_id=str(DM_IDS[ADA_ID])), [entry(private=True)], "private_shown_to_others"),
        (
            result(ticket(), 2, audience=str(AUTHOR)).says(1, exists=False),
            [entry(private=True)],
            "private_shown_to_others",
        ),
        (Story().says(2, NOTICE), [entry(state=JobState.CANCELLED, private=True)], "private_shown_to_others"),
        (result(Story(), 2, mentions=[]), [entry()], "results_without_mention"),
        (result(Story(), 2, mentions=["1"]), [entry()], "results_without_mention"),
        (result(Story(), 2).says(3, NOTICE), [entry()], "shown_twice"),
        (result(Story(), 2), [entry(state=JobState.CANCELLED, prompt="another")], "shown_twice"),
        (Story().says(2, NOTICE).says(3, NOTICE), [entry(state=JobState.CANCELLED)], "shown_twice"),
        (result(ticket(), 2), [entry()], "tickets_left_behind"),
        (Story().says(2, NOTICE), [entry(state=JobState.FAILED, reason="Too often.")], "ended_without_need"),
        (Story().says(2, NOTICE), [entry(state=JobState.CANCELLED, told_in=0)], "untold"),
    ],
    ids=[
        "told but unknown",
        "never ended",
        "posted but nowhere",
        "posted and gone",
        "no notice",
        "two results",
        "no picture",
        "only a question",
        "a picture taken away",
        "a second picture below its question",
        "picture and question gone",
        "a second picture without buttons",
        "a second picture with other buttons",
        "private in public",
        "private for another",
        "private to another",
        "a private ticket in public",
        "a private notice in public",
        "nobody mentioned",
        "another mentioned",
        "result and notice",
        "a cancelled result",
        "two notices",
        "a ticket left",
        "failed",
        "no way to tell",
    ],
)
async def test_what_is_wrong_is_found(story, entries, name):
    verdict = await outcomes(story, *entries)
    assert verdict.figures[name] == 1
    assert any(line.startswith(f"{name}: 1") for line in verdict.broken)


def life(began: float, served_from: float | None, ended: float | None, *, asked: bool = True) -> Life:
    process: Any = SimpleNamespace(pid=1, returncode=0)
    return Life(process, began, served_from=served_from, ended=ended, asked_to_end=asked)


def test_processes_serve_soon_or_are_found():
    verdict = Verdict()
    lives = [life(0, 3, 9), life(10, 22, 30), life(40, None, 55), life(60, 61, 70, asked=False), life(80, 95, 99)]
    judge_serving(verdict, lives, troubled=[(78, 97)])
    assert verdict.figures["serving_worst_s"] == 12
    assert verdict.figures["never_served"] == verdict.figures["ended_by_itself"] == 1
    assert len([line for line in verdict.broken if not line.startswith(" ")]) == 3


async def test_answers_are_counted_where_they_could_be_expected():
    asked = [int(at * 1000 - DISCORD_EPOCH_MS) << 22 for at in (1.6e9, 1.6e9 + 10, 1.6e9 + 20, 1.6e9 + 28)]
    story = Story().asks(1.6e9 + 0.25, f"/interactions/{asked[0]}/token/callback", 204)
    for number in range(101):
        story.asks(1.6e9 + number, "/channels/7/messages", 429, "user").asks(1.6e9, "/x", 429, "shared")
    verdict, times = Verdict(), dict(zip(asked, (1.6e9, 1.6e9 + 10, 1.6e9 + 20, 1.6e9 + 28), strict=True))
    lives = [life(1.6e9 - 5, 1.6e9 - 3, 1.6e9 + 30)]
    judge_answers(verdict, await story.record(), times, lives, troubled=[(1.6e9 + 9, 1.6e9 + 11)])
    assert verdict.figures["acknowledgement_worst_ms"] == pytest.approx(250, abs=2)
    assert verdict.figures["acknowledgements_missed"] == 1  # the third: trouble and the end excuse the others
    assert verdict.figures["invalid_requests_in_10_min"] == 101
    assert len([line for line in verdict.broken if not line.startswith(" ")]) == 2


@pytest.mark.parametrize(("growth", "broken"), [(500, 0), (2000, 1)], ids=["flat", "growing"])
def test_memory_that_grows_with_the_jobs_is_found(growth, broken):
    one, verdict = life(0, 1, 100), Verdict()
    one.samples += [Sample(jobs, 10**8 + jobs * growth, 30) for jobs in range(0, 3000, 10)]
    judge_resources(verdict, [one])
    assert verdict.figures["memory_slope_bytes_per_job"] == pytest.approx(growth, rel=0.02)
    assert len(verdict.broken) == broken


def test_what_a_burst_holds_for_a_while_is_no_growth():
    one, verdict = life(0, 1, 100), Verdict()
    one.samples += [Sample(jobs, 10**8 + (jobs > 2100) * (jobs % 100 > 0) * 10**7, 30) for jobs in range(0, 3000, 10)]
    judge_resources(verdict, [one])
    assert (verdict.broken, verdict.figures["memory_slope_bytes_per_job"]) == ([], 0)
    assert verdict.figures["resident_middle_mib"] == verdict.figures["resident_last_mib"] == 10**8 / 2**20


async def test_an_answer_that_comes_late_is_one_that_was_missed():
    asked = int(1.6e12 - DISCORD_EPOCH_MS) << 22
    story, verdict = Story().asks(1.6e9 + 3.5, f"/interactions/{asked}/token/callback", 204), Verdict()
    judge_answers(verdict, await story.record(), {asked: 1.6e9}, [life(1.6e9 - 5, 1.6e9 - 3, 1.6e9 + 30)], troubled=[])
    assert verdict.figures["acknowledgements_missed"] == 1
    assert "after 3.5 s" in "".join(verdict.broken)


async def wishes(story: Story, *entries: Entry, interrupted: Sequence[Span] = (), stopped: str = "") -> Verdict:
    """Somebody asked for a picture and that was acknowledged at once."""
    verdict = Verdict()
    record = await story.asks(ASKED + 0.1, f"/interactions/{WISH}/token/callback", 204).record()
    judge_wishes(verdict, {each.id: each for each in entries}, record, {WISH: ASKED}, {stopped}, interrupted)
    return verdict


async def test_a_job_or_a_sentence_answers_a_wish():
    told = Story().says(1, thinking=True).says(1, "That is too much.", interaction_id=str(WISH))
    told.entries[0]["interaction_id"] = str(WISH)
    assert (await wishes(told)).broken == []
    assert (await wishes(Story(), entry(interaction_id=WISH))).broken == []
    cancelled = entry(state=JobState.CANCELLED, interaction_id=WISH)
    assert (await wishes(Story(), cancelled, stopped=FIRST)).broken == []


async def test_an_answer_whose_line_was_cut_acknowledges_nothing():
    record = await Story().asks(ASKED, f"/interactions/{WISH}/token/callback", 200, fault="disconnect").record()
    assert not record.acknowledged


async def test_what_was_cut_short_at_once_is_not_known_to_anybody():
    thinks = Story().says(1, interaction_id=str(WISH), thinking=True)
    verdict = await wishes(thinks, interrupted=interruptions([life(ASKED - 9, ASKED - 7, ASKED + 1)], []))
    assert verdict.broken == []
    assert verdict.figures["unanswered_after_interruptions"] == verdict.figures["thinking_out_of_reach"] == 1
    later = await wishes(thinks, interrupted=[(ASKED + 6, ASKED + 9)])
    assert later.figures["unanswered"] == later.figures["thinking_for_ever"] == 1


@pytest.mark.parametrize(("audience", "left"), [(str(AUTHOR), 0), (None, 1)], ids=["alone", "in public"])
async def test_who_thinks_without_a_token_is_out_of_reach(audience, left):
    story = Story().says(WISH, interaction_id=str(WISH), audience=audience, thinking=True)
    verdict = await wishes(story, entry(interaction_id=WISH, told_in=WISH + (1_000_000 << 22)))
    assert verdict.figures["thinking_for_ever"] == left
    assert verdict.figures["thinking_out_of_reach"] == 1 - left


@pytest.mark.parametrize(
    ("story", "entries", "names"),
    [
        (Story(), [], {"unanswered"}),
        (Story().says(1, "Wait.", exists=False, interaction_id=str(WISH)), [], {"unanswered"}),
        (Story().says(1, thinking=True), [entry(interaction_id=WISH)], {"thinking_for_ever"}),
        (Story(), [entry(state=JobState.CANCELLED, interaction_id=WISH)], {"cancelled_unasked"}),
    ],
    ids=["no word", "a word taken back", "thinks although shown", "nobody cancelled"],
)
async def test_who_was_left_without_a_word_is_found(story, entries, names):
    verdict = await wishes(story, *entries, stopped=SECOND)
    assert {line.split(":")[0] for line in verdict.broken if not line.startswith(" ")} == names
