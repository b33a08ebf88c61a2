"""The whole engine process in process, for tests that look at what comes through the gate."""

from __future__ import annotations

import time
from typing import Any

from generation.engine.options import EngineOptions
from generation.engine.serving import Order, Serving
from generation.errors import AtelierError
from generation.job import Job, Progress, Result
from generation.request import Request
from generation.workers.worker import EngineSettings


def engine(**settings: Any) -> Serving:
    options = settings.pop("options", EngineOptions(measure_seconds=0.0))
    return Serving(EngineSettings(**{"threads": 1, "options": options} | settings), lambda doing: None)


def paint(subject: Serving, request: Request, image: bytes | None = None, told: list[Progress] | None = None) -> Result:
    results, errors = list[Result](), list[AtelierError]()
    job = Job(id="job", request=request, image=image)
    heard = told if told is not None else []
    subject.paint(Order(1, job, on_progress=heard.append, on_done=results.append, on_failed=errors.append))
    while not results and not errors:
        subject.work()
        time.sleep(0.0 if subject.busy else 0.01)  # at the gate, in another thread
    if errors:
        raise errors[0]
    return results[0]
