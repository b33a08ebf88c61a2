"""The engine: many members' pictures advance together, one unit of work at a time.

    submit ─► begin (encode, noise) ─► planner ─► lane.advance (one step of some) ─► decode ─► painted(pixels)

A unit is one denoiser call or one decoding. It knows nothing of safety and files: what it has painted goes to the
gate. Everything here runs in one thread.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from generation.engine.faults import is_shortage, stays
from generation.engine.glimpse import Glimpse
from generation.engine.lane import Lane
from generation.engine.options import EngineOptions
from generation.engine.painting import Painting
from generation.engine.planner import Planner
from generation.engine.sample import Key, Sample
from generation.errors import AtelierError, Cancelled, ModelUnavailable, OutOfMemory, PaintingError
from generation.job import Progress
from generation.safety.gate import Pixels

log = logging.getLogger(__name__)

BEGUN_AT_ONCE = 4  # jobs whose words and pictures are encoded between two calls
LONG = 5.0  # seconds; of a call that takes longer the watch outside is told before


@dataclass(slots=True)
class Counts:
    """What the engine has done since it started."""

    calls: int = 0
    rows: int = 0  # that carried somebody's picture
    padded: int = 0  # that did not
    decoded: int = 0
    broken_in_a_row: int = 0  # jobs without one sound picture since the last sound one


@dataclass(slots=True)
class _Live:
    paintings: dict[int, Painting] = field(default_factory=dict)
    beginning: list[Painting] = field(default_factory=list)  # at most one
    stepping: list[Sample] = field(default_factory=list)
    finished: deque[Sample] = field(default_factory=deque)  # through all steps, not yet decoded


class Engine:
    """Paints for everybody at once; `painted` is told of each job whose pictures are all decoded."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        painted: Callable[[Painting, list[Pixels]], None],
        hear: Callable[[], None] = lambda: None,
        expect: Callable[[float], None] = lambda _: None,
        hand: Callable[[Collection[int]], None] = lambda _: None,
        spare: Callable[[], bool] = lambda: False,
        glimpse: Glimpse | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._options = options
        self._painted = painted
        self._hear = hear  # lets cancellations in during a call that takes all the steps of a picture
        self._expect = expect  # told of the seconds that a long call may take
        self._hand = hand  # told beforehand which paintings the next unit of work is for
        self._spare = spare  # lets go of models that paint nothing now; False where there are none
        self._glimpse = glimpse
        self._clock = clock
        self._planner = Planner(preview_first=options.preview_first)
        self._lanes: dict[str, Lane] = {}
        self._submitted: deque[Painting] = deque()
        self._live = _Live()
        self._decode_next = False  # newcomers went before a finished picture once; not twice
        self.counts = Counts()

    # -- from outside ------------------------------------------------------------------------------------------------

    def put(self, lane: Lane) -> None:
        """Make a model's lane ready to paint."""
        self._lanes[lane.name] = lane

    def drop(self, name: str) -> None:
        """Let go of a model that paints nothing now."""
        assert not self.paints_with(name), "a model with pictures in flight stays"
        self._lanes.pop(name, None)

    def paints_with(self, name: str) -> bool:
        """Whether pictures of this model are in flight or about to be."""
        everybody = (*self._live.paintings.values(), *self._live.beginning, *self._submitted)
        return any(painting.job.request.model == name for painting in everybody)

    @property
    def lanes(self) -> dict[str, Lane]:
        """The models that are ready, by name."""
        return dict(self._lanes)

    @property
    def busy(self) -> bool:
        """Whether anything is submitted or in flight."""
        return bool(self._submitted or self._live.paintings)

    def submit(self, painting: Painting) -> None:
        """Take a job up at the next tick."""
        painting.arrived = self._clock()
        self._submitted.append(painting)

    def cancel(self, number: int) -> None:
        """End a painting; unknown numbers are ignored."""
        for painting in [item for item in self._submitted if item.number == number]:
            self._submitted.remove(painting)
            painting.on_failed(Cancelled())
        painting_now = self._live.paintings.get(number)
        if painting_now is not None:
            self._fail(painting_now, Cancelled())

    def tick(self) -> bool:
        """Do one unit of work; False when there is none."""
        for _ in range(min(BEGUN_AT_ONCE, len(self._submitted))):
            self._live.beginning = [self._submitted.popleft()]
            self._begin(self._live.beginning[0])
            self._live.beginning = []
        newcomers = any(not sample.done for sample in self._live.stepping)
        if self._live.finished and (self._decode_next or not newcomers):
            self._decode_next = False
            self._decode()
            return True
        samples = self._next_call()  # only where the call is made: the planner remembers whom it passed over
        if not samples:
            return bool(self._submitted)
        self._decode_next = True
        self._advance(samples)
        return True

    # -- beginning ---------------------------------------------------------------------------------------------------

    def _begin(self, painting: Painting) -> None:
        name = painting.job.request.model
        lane = self._lanes.get(name)
        if lane is None:
            painting.on_failed(ModelUnavailable(f"The model “{name}” is not loaded here."))
            return
        painting.lane = lane
        self._hand((painting.number,))
        try:
            painting.samples = lane.begin(painting.number, painting.job, painting.arrived)
        except AtelierError as error:
            painting.on_failed(error)
            return
        except Exception as error:  # whatever it was, this job ends with a sentence and its neighbours go on
            if is_shortage(error) and self._relieve(lane):
                self._begin(painting)
            else:
                self._end_with(painting, error)
            return
        self._live.paintings[painting.number] = painting
        self._live.stepping += painting.samples

    def _next_call(self) -> list[Sample]:
        return self._planner.choose(self._live.stepping, self._clock(), room=self._room, row_seconds=self._row_seconds)

    def _room(self, key: Key) -> int:
        return self._lanes[key.model].room(key)

    def _row_seconds(self, key: Key) -> float:
        return self._lanes[key.model].row_seconds(key)

    # -- stepping ----------------------------------------------------------------------------------------------------

    def _advance(self, samples: Sequence[Sample]) -> None:
        self._hand({sample.painting for sample in samples})
        began = self._clock()
        lane = self._lanes[samples[0].key.model]
        before = [sample.done for sample in samples]
        seconds = lane.row_seconds(samples[0].key) * sum(sample.rows for sample in samples)
        if seconds > LONG:
            self._expect(seconds)
        try:
            ran = lane.advance(samples, self._moved)
        except Exception as error:  # one picture's fault must not end its neighbours': each goes on alone
            if isinstance(error, OutOfMemory) and self._spare():
                return  # nothing has changed: the same call is made again, with more room
            self._isolate(samples, error)
            return
        moved = [sample for sample, done in zip(samples, before, strict=True) if sample.done != done]
        seconds = self._clock() - began
        lane.observe(samples[0].key, ran, seconds)
        self._account(moved, ran, seconds)
        for painting in self._paintings_of(moved):
            self._tell(painting)
        for sample in moved:
            if not sample.left:
                self._finish(sample)

    def _moved(self, sample: Sample) -> bool:
        """A step within a long call: tell of it; whether the picture is still wanted."""
        painting = self._live.paintings.get(sample.painting)
        if painting is not None:
            self._tell(painting)
        self._hear()
        return sample.painting in self._live.paintings

    def _isolate(self, samples: Sequence[Sample], error: Exception) -> None:
        paintings = self._paintings_of(samples)
        if not paintings:
            return  # cancelled in the middle of the call
        if len(paintings) == 1 or stays(error):
            for painting in paintings:
                self._end_with(painting, error)
            return
        log.warning("A call for %d jobs failed; each is tried alone", len(paintings))
        for painting in paintings:
            self._advance([sample for sample in samples if sample.painting == painting.number])

    def _account(self, samples: Sequence[Sample], ran: int, seconds: float) -> None:
        rows = sum(sample.rows for sample in samples)
        self.counts.calls += 1
        self.counts.rows += rows
        self.counts.padded += ran - rows
        for sample in samples:
            painting = self._live.paintings[sample.painting]
            painting.seconds += seconds * sample.rows / max(1, rows)
            painting.rows.add(ran)

    def _tell(self, painting: Painting) -> None:
        """Tell of a step; with a preview where one is due and can be seen."""
        if painting.step <= painting.told:
            return
        painting.told = painting.step
        preview = None
        if self._glimpse is not None and painting.lane is not None:
            try:
                preview = self._glimpse.of(painting, self._clock())
            except Exception:  # a preview is a courtesy: the picture is painted all the same
                log.exception("job %s: no preview could be made", painting.job.id)
        painting.on_progress(Progress(step=painting.step, steps=painting.steps, preview=preview))

    def _finish(self, sample: Sample) -> None:
        self._live.stepping.remove(sample)
        painting = self._live.paintings[sample.painting]
        if self._lanes[sample.key.model].broken(sample):
            self._keep(painting, sample, None)
        else:
            self._live.finished.append(sample)

    # -- decoding ----------------------------------------------------------------------------------------------------

    def _decode(self) -> None:
        began = self._clock()
        first = self._live.finished[0]
        lane = self._lanes[first.key.model]
        alike = [sample for sample in self._live.finished if sample.key == first.key][: lane.decodes(first.key)]
        for sample in alike:
            self._live.finished.remove(sample)
        self._hand({sample.painting for sample in alike})
        try:
            pixels = lane.decode(alike)
        except Exception as error:  # as in _advance
            if is_shortage(error) and self._relieve(lane):
                self._live.finished.extendleft(reversed(alike))
                return
            for painting in self._paintings_of(alike):
                self._end_with(painting, error)
            return
        self.counts.decoded += len(alike)
        share = (self._clock() - began) / len(alike)
        for sample, picture in zip(alike, pixels, strict=True):
            painting = self._live.paintings[sample.painting]
            painting.seconds += share
            self._keep(painting, sample, picture)

    def _keep(self, painting: Painting, sample: Sample, picture: Pixels) -> None:
        painting.pixels[sample.index] = picture
        if len(painting.pixels) < len(painting.samples):
            return
        self._forget(painting)
        sound = any(found is not None for found in painting.pixels.values())
        if sound or not painting.job.request.loras:  # a LoRA may well break every picture, the weights being sound
            self.counts.broken_in_a_row = 0 if sound else self.counts.broken_in_a_row + 1
        self._painted(painting, [painting.pixels[index] for index in range(len(painting.samples))])

    # -- ending ------------------------------------------------------------------------------------------------------

    def _paintings_of(self, samples: Sequence[Sample]) -> list[Painting]:
        numbers = dict.fromkeys(sample.painting for sample in samples)
        return [self._live.paintings[number] for number in numbers if number in self._live.paintings]

    def _relieve(self, lane: Lane) -> bool:
        """Memory is short: other models go first, then what this one can do without; False: nothing is left to do."""
        return self._spare() or lane.relieve()

    def _end_with(self, painting: Painting, error: Exception) -> None:
        if stays(error):
            raise error  # only a new process is of use: whoever owns this one ends it
        if is_shortage(error):
            log.warning("job %s: memory is too short for it", painting.job.id)
            error = OutOfMemory()
        if isinstance(error, AtelierError):
            self._fail(painting, error)
            return
        log.error("job %s: the engine failed", painting.job.id, exc_info=error)
        self._fail(painting, PaintingError())

    def _fail(self, painting: Painting, error: AtelierError) -> None:
        self._forget(painting)
        painting.on_failed(error)

    def _forget(self, painting: Painting) -> None:
        self._live.paintings.pop(painting.number, None)
        self._live.stepping = [sample for sample in self._live.stepping if sample.painting != painting.number]
        self._live.finished = deque(sample for sample in self._live.finished if sample.painting != painting.number)
        if painting.lane is not None:
            for sample in painting.samples:
                painting.lane.forget(sample)
