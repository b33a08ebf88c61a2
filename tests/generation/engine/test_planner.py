"""Who takes part in the next call: order, room, and that nobody waits for ever."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from generation.engine.planner import Planner
from generation.engine.sample import Key, Sample

KEY = Key("starter", (), (8, 32, 32), 77)
OTHER = Key("starter", (), (8, 24, 40), 77)
CALL = 0.1  # seconds of a call
ROW = 0.02  # seconds of a row


def sample(
    painting: int, *, calls: int = 10, done: int = 0, rows: int = 2, arrived: float = 0.0, key: Key = KEY
) -> Sample:
    return Sample(painting, 0, key, rows, calls, arrived, done)


def choose(samples: list[Sample], now: float = 0.0, room: int = 4, planner: Planner | None = None) -> list[int]:
    chosen = (planner or Planner()).choose(samples, now, room=lambda _: room, row_seconds=lambda _: ROW)
    return [item.painting for item in chosen]


def test_nobody_is_nothing_to_do() -> None:
    assert choose([]) == []


def test_a_lone_sample_does_not_wait_for_company() -> None:
    assert choose([sample(1)]) == [1]


def test_a_newcomer_goes_before_those_who_have_begun() -> None:
    assert choose([sample(1, done=9), sample(2, done=1), sample(3, arrived=5.0)], now=5.0) == [3, 1]


def test_then_the_job_with_the_least_work_left() -> None:
    assert choose([sample(1, done=2), sample(2, done=8), sample(3, done=5)], room=2) == [2]


def test_all_pictures_of_a_job_count_as_its_work() -> None:
    pair = [Sample(1, index, KEY, 2, 10, 0.0, 6) for index in range(2)]
    assert choose([*pair, sample(2, done=3)], room=2) == [2]


def test_age_outweighs_work() -> None:
    old = sample(1, calls=50, done=1, arrived=0.0)  # two seconds of work
    assert choose([old, sample(2, done=8, arrived=0.5)], now=10.0, room=2) == [2]
    assert choose([old, sample(2, done=8, arrived=9.0)], now=10.0, room=2) == [1]


def test_only_samples_of_one_key_share_a_call_and_rows_are_filled_with_whoever_fits() -> None:
    crowd = [sample(1, done=9), sample(2, done=8, key=OTHER), sample(3, done=7), sample(4, done=6, rows=1)]
    assert choose(crowd, room=3) == [1, 4]
    assert choose(crowd, room=5) == [1, 4, 3]


def test_a_sample_larger_than_the_room_goes_alone() -> None:
    assert choose([sample(1, rows=2), sample(2, rows=2)], room=1) == [1]


def test_newcomers_do_not_take_two_whole_calls_in_a_row() -> None:
    planner, waiting = Planner(), sample(1, done=5)
    newcomers = [sample(number) for number in range(2, 8)]
    assert choose([waiting, *newcomers], planner=planner) == [2, 3]
    assert choose([waiting, *newcomers[2:]], planner=planner)[0] == 1


def test_without_previews_first_the_least_work_goes_first() -> None:
    planner = Planner(preview_first=False)
    assert choose([sample(1, calls=20), sample(2, calls=4, done=2)], room=2, planner=planner) == [2]


@dataclass
class Arrival:
    """A job of some member."""

    after: float
    calls: int
    rows: int
    key: Key


@dataclass
class House:
    """Samples in flight under a clock that only calls move."""

    planner: Planner
    room: int
    now: float = 0.0
    live: list[Sample] = field(default_factory=list)
    waited: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)

    def call(self) -> None:
        chosen = self.planner.choose(
            self.live, self.now, room=lambda _: self.room, row_seconds=lambda _: CALL / self.room
        )
        assert chosen, "there was work, and none was chosen"
        assert len({item.key for item in chosen}) == 1
        assert len(set(map(id, chosen))) == len(chosen)
        assert sum(item.rows for item in chosen) <= max(self.room, chosen[0].rows)
        self.now += CALL
        for item in chosen:
            if not item.done:
                self.waited[item.painting] = self.now - item.arrived
            item.done += 1
            if not item.left:
                self.live.remove(item)
                self.ended[item.painting] = self.now - item.arrived


arrivals = st.lists(
    st.builds(
        Arrival,
        after=st.floats(0.0, 0.5),
        calls=st.integers(1, 30),
        rows=st.integers(1, 2),
        key=st.sampled_from([KEY, OTHER]),
    ),
    min_size=1,
    max_size=40,
)


def run(jobs: list[Arrival], room: int) -> House:
    house, at = House(Planner(), room), 0.0
    pending = []
    for number, job in enumerate(jobs):
        at += job.after
        pending.append(Sample(number, 0, job.key, job.rows, job.calls, at))
    while pending or house.live:
        while pending and (pending[0].arrived <= house.now or not house.live):
            house.now = max(house.now, pending[0].arrived)
            house.live.append(pending.pop(0))
        house.call()
    return house


@given(arrivals, st.integers(2, 16))
def test_everybody_is_painted_in_the_end_whatever_comes(jobs: list[Arrival], room: int) -> None:
    house = run(jobs, room)
    assert sorted(house.ended) == list(range(len(jobs)))
    work = sum(job.calls for job in jobs)
    assert max(house.ended.values()) <= work * CALL + 1e-6  # nobody waits longer than all work together takes


@settings(max_examples=30)
@given(st.integers(2, 8), st.floats(0.11, 0.4), st.integers(1, 3))
def test_an_endless_stream_of_short_jobs_does_not_starve_a_long_one(room: int, every: float, calls: int) -> None:
    """The stream is more than the engine can do; the long job is overtaken only by those that come soon after it."""
    house = House(Planner(), room)
    long_one = Sample(0, 0, KEY, 2, 40, 0.0)
    house.live.append(long_one)
    number = 1
    while 0 not in house.ended and house.now < 600:
        while number * every / 4 <= house.now:  # four times as often as `every`
            house.live.append(Sample(number, 0, KEY, 2, calls, house.now))
            number += 1
        house.call()
    work = 40 * 2 * CALL / room
    overtaking = (work / (every / 4) + 1) * calls * 2 * CALL / room
    assert house.ended[0] <= 2 * (overtaking + 40 * CALL) + 1.0  # twice: every second call may be of newcomers


@given(arrivals, st.integers(2, 16))
def test_a_newcomer_waits_for_at_most_every_second_call_of_others(jobs: list[Arrival], room: int) -> None:
    house = run(jobs, room)
    assert max(house.waited.values()) <= (2 * len(jobs) + 1) * CALL + 1e-6
