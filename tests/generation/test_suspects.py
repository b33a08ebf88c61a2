"""Who may have taken a painting process down, and in which order they are tried."""

from __future__ import annotations

from generation.job import Job
from generation.suspects import PASSED_OVER, Suspects
from tests.orders import a_request


def job(name: str) -> Job:
    return Job(id=name, request=a_request())


def test_the_probably_innocent_come_before_known_culprits() -> None:
    suspects = Suspects()
    suspects.hold(job("culprit"), known=True)
    assert not suspects.due  # everybody else goes first
    suspects.hold(job("a"), known=False)
    suspects.hold(job("b"), known=False)
    assert suspects.due
    assert [found.id for _ in range(3) if (found := suspects.take())] == ["a", "b", "culprit"]
    assert suspects.take() is None


def test_a_culprit_is_not_passed_over_for_ever() -> None:
    now = [0.0]
    suspects = Suspects(lambda: now[0])
    suspects.hold(job("culprit"), known=True)
    now[0] = PASSED_OVER
    assert suspects.due


def test_one_can_be_withdrawn() -> None:
    suspects = Suspects()
    for name in ("a", "b"):
        suspects.hold(job(name), known=True)
    assert suspects.withdraw({"other"}) is None
    found = suspects.withdraw({"b"})
    assert found is not None
    assert found.id == "b"
    assert [held.id for held in suspects.empty()] == ["a"]
    assert len(suspects) == 0
