"""What everybody who serves a trace has in common, and the witness that writes down when things happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from PIL import Image

from generation.bench.measures import Calls, Served
from generation.engine import files
from generation.request import Request


class Witness:
    """Writes down the moments of one run; encoders may report from their own threads."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._start = clock()
        self._began: dict[int, float] = {}
        self._first: dict[int, float] = {}
        self._done: dict[int, float] = {}

    @property
    def now(self) -> float:
        """Seconds since the run's start."""
        return self._clock() - self._start

    def began(self, number: int) -> None:
        """Work on request `number` begins."""
        self._note(self._began, number)

    def previewed(self, number: int) -> None:
        """Its first preview is there; later ones are not noted."""
        self._note(self._first, number)

    def finished(self, number: int) -> None:
        """The bytes of its last picture are there."""
        self._note(self._done, number)

    def served(self, number: int, request: Request, arrived: float) -> Served:
        """All moments of one finished request."""
        with self._lock:
            return Served(
                number=number,
                pictures=request.count,
                image_steps=request.count * request.steps,
                arrived=arrived,
                started=self._began.get(number),
                first=self._first.get(number),
                done=self._done[number],
            )

    def _note(self, moments: dict[int, float], number: int) -> None:
        now = self.now
        with self._lock:
            moments.setdefault(number, now)


class Arm(Protocol):
    """One way of serving requests; used from a single thread."""

    name: str

    def submit(self, number: int, request: Request, witness: Witness) -> None:
        """A request becomes visible."""
        ...

    def work(self) -> bool:
        """One unit of work, as long as a cancel would have to wait; False when there is nothing to do."""
        ...

    def settle(self) -> None:
        """Wait until everything that was begun is encoded."""
        ...

    def counted(self) -> Calls:
        """Denoiser calls since the arm was made."""
        ...

    def ripen(self) -> bool:
        """Wait for what makes the arm faster in the background; True when there was anything to wait for."""
        ...

    def close(self) -> None:
        """Give threads and memory back."""
        ...


def encode(image: Image.Image) -> bytes:
    """The file every arm makes: lossless WebP at the fastest setting."""
    return files.encode(image, "webp", parameters=None, from_upload=False).data
