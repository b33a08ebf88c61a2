"""One incarnation of the painting process, and the two threads at its socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import generation
from generation.workers.wire import FromChild, Start, ToChild
from generation.workers.worker import THREADS_SETTINGS, EngineSettings

log = logging.getLogger(__name__)

FAREWELL = 5.0  # seconds in which a process that has closed its line ends by itself
PROGRAM = "generation.workers.child_main"


@dataclass(slots=True)
class Child:
    """One incarnation of the process, with the two threads at its socket."""

    process: subprocess.Popen[bytes]
    connection: Connection
    outbox: queue.SimpleQueue[ToChild | None]
    threads: tuple[threading.Thread, ...] = ()
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    ready_at: float = 0.0  # 0: not yet
    said: str = "starting"
    explained: bool = False  # it said why it could not load a model
    leaves: bool = False  # it said that it ends for a reason of its own
    hung: bool = False  # it was ready, and then said nothing for so long that it was ended
    hand: frozenset[int] = frozenset()  # what it is working at
    heard: float = field(default_factory=time.monotonic)
    expected: float = 0.0  # seconds that it said its next sign may take

    @property
    def ready(self) -> bool:
        """Whether its model was loaded."""
        return self.ready_at > 0.0


def spawn(
    settings: EngineSettings, loop: asyncio.AbstractEventLoop, hear: Callable[[Child, FromChild | None], None]
) -> Child:
    """Start a process; `hear` is called on the loop for everything it says, and with None at its end.

    Raises OSError, or RuntimeError where no thread can be started.

    It is a fresh interpreter: Python's own spawn would import the parent's main module, and with it the whole bot,
    into the process that needs its memory for the model.
    """
    ours, theirs = Pipe(duplex=True)
    root = str(Path(generation.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    secret = ("DISCORD_", "ATELIER_")  # the bot's token, the database's password
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(secret)}
    environment = THREADS_SETTINGS | inherited | {"PYTHONPATH": os.pathsep.join(paths)}
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, nothing from outside
            [sys.executable, "-m", PROGRAM, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
            process_group=0,  # Ctrl-C in a terminal goes to the parent alone
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    child = Child(process, ours, queue.SimpleQueue())
    child.outbox.put(Start(settings, logging.getLogger().getEffectiveLevel()))
    child.threads = (
        threading.Thread(target=_write, args=(child,), name="to-child", daemon=True),
        threading.Thread(target=_read, args=(child, loop, hear), name="from-child", daemon=True),
    )
    try:
        for thread in child.threads:
            thread.start()
    except RuntimeError:  # as many threads as the system allows
        process.kill()
        process.wait()
        child.outbox.put(None)
        ours.close()
        raise
    return child


def _write(child: Child) -> None:
    """Send what the loop put into the outbox: a large upload would block the loop on a full socket."""
    while (message := child.outbox.get()) is not None:
        try:
            child.connection.send(message)
        except (OSError, ValueError):
            return  # the reading thread has noticed as well, and says so


def _read(child: Child, loop: asyncio.AbstractEventLoop, hear: Callable[[Child, FromChild | None], None]) -> None:
    message: FromChild | None = None
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
        while True:
            try:
                message = child.connection.recv()
            except (EOFError, OSError):
                break
            except Exception:  # half a message, or one that this process cannot read: no other will be understood
                log.exception("The painting process sent what cannot be read; it is ended")
                child.process.kill()
                break
            loop.call_soon_threadsafe(hear, child, message)
        _see_off(child.process)
        loop.call_soon_threadsafe(hear, child, None)


def _see_off(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process with which nobody can speak any more has ended; its own code says why."""
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end(child: Child) -> None:
    """Kill the process and wait until nothing of it is left."""
    child.process.kill()
    child.process.wait()
    child.outbox.put(None)
    for thread in child.threads:  # the descriptor may only be closed when nobody reads from it any more
        thread.join()
    child.connection.close()
