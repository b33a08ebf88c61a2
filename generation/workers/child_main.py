"""The child process's side: owns the device, answers its parent, ends with it."""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import time
import warnings
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from generation.errors import AtelierError, ModelDelayed
from generation.models import resolve
from generation.workers.wire import (
    Alive,
    Cancel,
    Done,
    Failed,
    FromChild,
    Hand,
    Leaving,
    LoadFailed,
    LogLine,
    Paint,
    Ready,
    Start,
    Stepped,
    ToChild,
)

if TYPE_CHECKING:
    from generation.engine.serving import Serving

log = logging.getLogger(__name__)

NICENESS = 5  # where both want the same core, answering a member comes before the next step of a picture
CHATTY = ("diffusers", "transformers", "huggingface_hub", "PIL", "torch", "urllib3", "httpx", "filelock")


class Line:
    """The child's end of the pipe; sending is safe from every thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.inbox: queue.SimpleQueue[ToChild] = queue.SimpleQueue()

    def send(self, message: FromChild) -> None:
        """Tell the parent; a parent that is gone ends this process."""
        try:
            with self._lock:
                self._connection.send(message)
        except OSError:
            os._exit(0)

    def next(self, *, wait: bool) -> ToChild | None:
        """The next thing the parent said; None when it said nothing and is not waited for."""
        try:
            return self.inbox.get(block=wait)
        except queue.Empty:
            return None

    def listen(self) -> None:
        """Keep what the parent says until it is gone; then end at once, whatever the painting thread is doing."""
        while True:
            try:
                self.inbox.put(self._connection.recv())
            except (EOFError, OSError):
                os._exit(0)
            except BaseException:  # what cannot be read: deaf, this process is of no use, and nobody could end it
                os._exit(70)


class LineLog(logging.Handler):
    """Sends log lines to the parent, where the log is."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, with its traceback, as text."""
        self._line.send(LogLine(record.levelno, record.name, self.format(record)))


def main(descriptor: int) -> None:
    """Serve the parent at the other end of `descriptor` until it goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    os.nice(NICENESS)
    faulthandler.register(signal.SIGUSR1)  # the parent asks where a hanging child stands before it ends it
    line = Line(Connection(descriptor))
    threading.Thread(target=line.listen, name="listen", daemon=True).start()
    start = line.inbox.get()
    assert isinstance(start, Start)
    _quieten(line, start.log_level)
    try:
        resolve(start.settings.model)  # a wrong name is said at once, before the seconds that the next line takes
        from generation.engine.serving import Serving

        serving = Serving(
            start.settings,
            alive=lambda doing: line.send(Alive(doing)),
            hear=lambda: _hear(line, serving),
            expect=lambda seconds: line.send(Alive("a long call", seconds)),
            hand=lambda paintings: line.send(Hand(paintings)),
        )
    except AtelierError as error:
        log.error("%s", error.sentence, exc_info=error.__cause__)
        line.send(LoadFailed(error.sentence, may_pass=isinstance(error, ModelDelayed)))
        return
    except Exception:  # the edge of this process: the parent gets a sentence, its log the cause, and tries again later
        log.exception("The engine could not start")
        line.send(LoadFailed(ModelDelayed().sentence, may_pass=True))
        return
    line.send(Ready(serving.status))
    try:
        while not serving.worn:
            _serve(line, serving)
        line.send(Leaving())
        log.critical("Only broken pictures any more, or checkers that do not answer; starting anew")
    except Exception:  # a device error sticks to the process; only a new one is of use, and the parent starts it
        log.exception("The engine failed for good")
    time.sleep(0.2)  # let the lines above reach the parent
    os._exit(70)


def _serve(line: Line, serving: Serving) -> None:
    """Hear what the parent says, waiting for it only when there is nothing to do; then do one unit of work."""
    while (message := line.next(wait=not serving.busy)) is not None:
        _obey(line, serving, message)
    serving.work()


def _hear(line: Line, serving: Serving) -> None:
    """In the middle of a long call: give a sign of life, and let everything in that has come."""
    line.send(Alive("painting"))
    while (message := line.next(wait=False)) is not None:
        _obey(line, serving, message)


def _obey(line: Line, serving: Serving, message: ToChild) -> None:
    from generation.engine.serving import Order

    match message:
        case Cancel(number):
            serving.cancel(number)
        case Paint(number, job):
            serving.paint(
                Order(
                    number,
                    job,
                    on_progress=lambda progress: line.send(Stepped(number, progress)),
                    on_done=lambda result: line.send(Done(number, result)),
                    on_failed=lambda error: line.send(Failed(number, error)),
                )
            )


def _quieten(line: Line, level: int) -> None:
    """Send our log to the parent and keep the libraries' chatter below errors."""
    os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "DIFFUSERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    logging.basicConfig(level=level, handlers=[LineLog(line)], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    warnings.simplefilter("ignore")  # the libraries warn of each other; our own suite runs with warnings as errors


if __name__ == "__main__":
    main(int(sys.argv[1]))
