"""Previews pass the gate like everything else: judged in a thread of their own, so that no step waits for them."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from PIL import Image

from generation.job import Job, Progress
from generation.safety.gate import Gate

log = logging.getLogger(__name__)

PENDING = 8  # previews that may wait to be judged; whoever comes then is shown without one, as an older one is no news


class Glance:
    """Tells of steps at once, and of their previews once the gate has let them through."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="glance")
        self._places = threading.Semaphore(PENDING)

    def follow(self, job: Job, gate: Gate, tell: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """What the engine tells of a job's progress, with unjudged previews, turned into what `tell` may hear."""
        latest: list[Progress] = []

        def heard(progress: Progress) -> None:
            latest[:] = [replace(progress, preview=None)]
            tell(latest[0])
            if progress.preview is not None and self._places.acquire(blocking=False):
                self._thread.submit(judged, progress.preview)

        def judged(preview: bytes) -> None:
            try:
                if _passes(gate, preview, job):
                    tell(replace(latest[0], preview=preview))
            except Exception:  # a preview is a courtesy: the picture is painted all the same
                log.exception("job %s: its preview could not be judged", job.id)
            finally:
                self._places.release()

        return heard

    def close(self) -> None:
        """Judge nothing more."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _passes(gate: Gate, preview: bytes, job: Job) -> bool:
    with Image.open(io.BytesIO(preview)) as image:
        return gate.passes(image.convert("RGB"), job)
