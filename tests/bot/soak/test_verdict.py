"""The verdict finds what was lost, shown twice, left behind or answered late, and is content with what is right."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.outcome import MAYBE_ABOVE
from bot.playground.ids import BOT_ID, DISCORD_EPOCH_MS
from bot.soak.books import Entry
from bot.soak.keeper import Life, Sample
from bot.soak.record import Record
from bot.soak.verdict import Verdict, judge_answers, judge_outcomes, judge_resources, judge_serving
from generation.job import JobState

FIRST, SECOND = "a" * 16, "b" * 16
NOTICE = "You stopped this.\n-# a red house"


class Story:
    """A local Discord that tells what it is given."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.exchanges: list[dict[str, Any]] = []

    def says(self, message: int, content: str = "", *, exists: bool = True, buttons: tuple[str, ...] = ()) -> Story:
        entry = {"number": len(self.entries) + 1, "exists": exists, "id": str(message), "channel_id": "7"}
        entry |= {"author_id": str(BOT_ID), "audience": None, "asked_by": None, "content": content}
        self.entries.append(entry | {"custom_ids": [f"at:{each}" for each in buttons], "thinking": False})
        return self

    def asks(self, at: float, path: str, status: int, scope: str | None = None) -> Story:
        number = len(self.exchanges) + 1
        self.exchanges.append({"number": number, "at": at, "path": path, "status": status, "scope": scope})
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
    values = {"prompt": "a red house", "reason": "", "attempt": 1, "interaction_id": 5} | changes
    return Entry(id=job, state=state, told_in=told_in, **values)


async def outcomes(story: Story, *entries: Entry) -> Verdict:
    verdict = Verdict()
    judge_outcomes(verdict, {each.id: each for each in entries}, await story.record())
    return verdict


def ticket(job: str = FIRST) -> Story:
    return Story().says(1, "Next in the line", buttons=(f"cancel:{job}",))


def result(story: Story, message: int, job: str = FIRST) -> Story:
    return story.says(message, "a red house\n-# AI-generated", buttons=(f"v:{job}:0", f"delete:{job}"))


async def test_one_result_and_no_ticket_is_right():
    story = result(ticket(), 2).says(1, "Next in the line", exists=False, buttons=(f"cancel:{FIRST}",))
    assert (await outcomes(story, entry())).broken == []


async def test_a_ticket_that_becomes_the_outcome_is_right():
    assert (await outcomes(result(ticket(), 1), entry(told_in=1))).broken == []
    cancelled = entry(state=JobState.CANCELLED, told_in=1)
    assert (await outcomes(ticket().says(1, NOTICE), cancelled)).broken == []


async def test_a_question_whether_it_stands_above_shows_nothing_twice():
    asked = {"content": f"a red house\n-# AI-generated\n-# {MAYBE_ABOVE}", "buttons": (f"delete:{FIRST}",)}
    verdict = await outcomes(result(Story(), 2).says(3, **asked), entry(told_in=3))
    assert (verdict.broken, verdict.figures["asked_whether_shown"]) == ([], 1)
    verdict = await outcomes(result(Story(), 2).says(3, **asked).says(4, **asked), entry(told_in=3))
    assert verdict.figures["shown_twice"] == 1


def late(audience: str | None) -> tuple[Story, Entry]:
    """A ticket that is left, and an outcome that came when its token had ended."""
    made, told = ((int(1.6e12) - DISCORD_EPOCH_MS + later) << 22 for later in (0, 1_000_000))
    story = result(Story().says(made, "Next in the line", buttons=(f"cancel:{FIRST}",)), told)
    story.entries[0]["audience"] = audience
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
    assert verdict.figures["memory_slope_bytes_per_job"] == pytest.approx(growth)
    assert len(verdict.broken) == broken


async def test_an_answer_that_comes_late_is_one_that_was_missed():
    asked = int(1.6e12 - DISCORD_EPOCH_MS) << 22
    story, verdict = Story().asks(1.6e9 + 3.5, f"/interactions/{asked}/token/callback", 204), Verdict()
    judge_answers(verdict, await story.record(), {asked: 1.6e9}, [life(1.6e9 - 5, 1.6e9 - 3, 1.6e9 + 30)], troubled=[])
    assert verdict.figures["acknowledgements_missed"] == 1
    assert "after 3.5 s" in "".join(verdict.broken)
