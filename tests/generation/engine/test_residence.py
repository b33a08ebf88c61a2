"""Orders wait for their model, and nobody waits for ever, whatever fits into memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from generation.engine.residence import RETRY, TRIES, Residence
from generation.errors import AtelierError, ModelDelayed, ModelUnavailable, NoRoom


class House:
    """A residence with room for `room` models of equal size, and a clock that a test moves."""

    def __init__(self, room: int = 1, patience: float = 30.0) -> None:
        self.now = 0.0
        self.room = room
        self.busy: set[str] = set()
        self.loads: list[str] = []
        self.left: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self.delayed: set[str] = set()
        self.begun: list[tuple[str, str]] = []
        self.refused: list[tuple[str, AtelierError]] = []
        self.residence: Residence[str, str] = Residence(
            self.load,
            in_use=lambda: frozenset(self.busy),
            settle=lambda name, ready: None,
            leave=self.left.append,
            patience=patience,
            clock=lambda: self.now,
        )

    def load(self, name: str, in_use: frozenset[str]) -> str:
        self.gate.wait(10)
        self.loads.append(name)
        if name in self.broken:
            raise ModelUnavailable("It is broken.")
        if name in self.delayed:
            raise ModelDelayed
        if len(in_use) >= self.room:
            raise NoRoom
        for other in [other for other in self.residence.ready if other not in in_use]:
            if len(self.residence.ready) >= self.room:
                self.residence.drop(other)
        return f"easel of {name}"

    def step(self) -> None:
        for order, answer in list(self.residence.step()):
            if isinstance(answer, AtelierError):
                self.refused.append((order, answer))
            else:
                self.begun.append((order, answer))

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + 5
        while not reached():
            assert time.monotonic() < end
            self.step()
            time.sleep(0.001)


def test_an_order_for_a_model_in_service_begins_at_once() -> None:
    house = House()
    house.residence.put("a", "easel of a")
    house.residence.ask("a", "one")
    house.step()
    assert house.begun == [("one", "easel of a")]
    assert not house.residence.waiting


def test_a_model_is_loaded_for_those_who_wait_while_others_go_on() -> None:
    house = House(room=2)
    house.residence.put("a", "easel of a")
    house.busy = {"a"}
    house.gate.clear()
    house.residence.ask("b", "waits")
    house.step()
    assert house.residence.loading == "b"
    assert house.residence.orders_for("b") == ["waits"]
    house.residence.ask("a", "goes on")
    house.step()
    assert house.begun == [("goes on", "easel of a")]
    house.gate.set()
    house.until(lambda: len(house.begun) == 2)
    assert house.begun[1] == ("waits", "easel of b")
    assert set(house.residence.ready) == {"a", "b"}


def test_nothing_begins_on_a_model_that_may_have_to_make_room() -> None:
    house = House()
    house.residence.put("a", "easel of a")
    house.gate.clear()
    house.residence.ask("b", "b1")
    house.step()  # b is being loaded, and a is idle: it may go
    house.residence.ask("a", "a1")
    house.step()
    assert house.begun == []
    house.gate.set()
    house.until(lambda: len(house.begun) == 2)
    assert house.begun == [("b1", "easel of b"), ("a1", "easel of a")]  # a was loaded again
    assert house.loads == ["b", "a"]


def test_a_model_in_use_goes_on_until_patience_ends_and_then_makes_room() -> None:
    house = House(patience=30.0)
    house.residence.put("a", "easel of a")
    house.busy = {"a"}
    house.residence.ask("b", "b1")
    house.until(lambda: house.loads == ["b"] and not house.residence.loading)
    house.now = 29.0
    house.residence.ask("a", "a1")
    house.step()
    assert house.begun == [("a1", "easel of a")]
    house.now = 30.0
    house.residence.ask("a", "a2")
    house.step()
    assert len(house.begun) == 1  # nothing new: b has waited long enough
    assert house.loads == ["b"]  # and is not tried again while a paints
    house.busy = set()
    house.until(lambda: len(house.begun) == 3)
    assert [order for order, _ in house.begun] == ["a1", "b1", "a2"]


def test_a_broken_model_turns_away_its_own_orders_and_no_other() -> None:
    house = House(room=2)
    house.residence.put("a", "easel of a")
    house.broken = {"b"}
    for name, order in (("b", "b1"), ("b", "b2"), ("a", "a1")):
        house.residence.ask(name, order)
    house.until(lambda: len(house.refused) == 2 and len(house.begun) == 1)
    assert [order for order, _ in house.refused] == ["b1", "b2"]
    assert house.refused[0][1].sentence == "It is broken."
    assert set(house.residence.ready) == {"a"}
    house.broken = set()
    house.residence.ask("b", "b3")  # mended in the meantime
    house.until(lambda: len(house.begun) == 2)


def test_the_model_waited_for_the_longest_is_loaded_first() -> None:
    house = House(room=3)
    house.residence.ask("late", "2")
    house.residence._waiting["late"][0].since = 5.0
    house.residence.ask("early", "1")
    house.until(lambda: len(house.begun) == 2)
    assert house.loads == ["early", "late"]


def test_an_order_can_be_withdrawn_while_it_waits() -> None:
    house = House()
    house.gate.clear()
    house.residence.ask("a", "one")
    house.residence.ask("a", "two")
    house.step()
    assert house.residence.withdraw(lambda order: order == "one") == ["one"]
    house.gate.set()
    house.until(lambda: bool(house.begun))
    assert house.begun == [("two", "easel of a")]


def test_a_delay_that_passes_costs_nobody_their_job() -> None:
    house = House()
    house.delayed.add("a")
    house.residence.ask("a", "one")
    house.until(lambda: house.loads == ["a"] and not house.residence.loading)
    house.delayed.clear()
    house.step()
    assert house.loads == ["a"]  # not at once
    house.now += RETRY
    house.until(lambda: house.begun == [("one", "easel of a")])
    assert not house.refused


def test_a_delay_that_stays_ends_in_a_sentence() -> None:
    house = House()
    house.delayed.add("a")
    house.residence.ask("a", "one")
    for tried in range(1, TRIES + 1):
        house.until(lambda tried=tried: len(house.loads) == tried and not house.residence.loading)
        house.now += RETRY
    assert [(order, type(error)) for order, error in house.refused] == [("one", ModelDelayed)]
    assert not house.residence.waiting


def test_models_that_are_asked_for_in_turns_do_not_swap_at_every_job() -> None:
    house, ends, asked = House(), dict[str, float](), dict[str, float]()
    waits: list[float] = []
    for second in range(480):
        name = "ab"[second % 2]
        house.residence.ask(name, f"{name}{second}")
        asked[f"{name}{second}"] = house.now
        for _ in range(3):
            house.busy = {order[0] for order, end in ends.items() if end > house.now}
            before = len(house.begun)
            house.step()
            if house.residence.loading:
                house.until(lambda: not house.residence.loading)
            for order, _ in house.begun[before:]:
                ends[order] = house.now + 5.0
                waits.append(house.now - asked[order])
        house.now += 1.0
    swaps = len(house.loads) - 1
    assert len(house.begun) / max(1, len(house.left)) >= 8.0  # jobs per model that had to go
    assert max(waits) < 120.0, swaps
