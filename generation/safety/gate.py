"""The gate: only here pictures become Approved, each on its own, and only when every checker said so.

It fails closed. An exception, a timeout, a missing or surplus verdict, a score or a pixel that is not a finite number,
or no checker that could judge the request: the picture stays inside.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from generation.engine.files import PictureFile, compose_grid
from generation.errors import BrokenPicture, NotApproved
from generation.job import Picture
from generation.request import Request
from generation.safety.approved import Approved
from generation.safety.checker import Checker, Verdict

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds for one checker to look at one picture
NO_CHECKER = "No safety checker is set up that could judge this picture, so it is not shown."
COULD_NOT_CHECK = "The safety check could not be done, so the picture is not shown."

Pixels = npt.NDArray[np.uint8] | None  # (height, width, 3); None where some value was no number
Write = Callable[[Image.Image, int | None], PictureFile]  # makes a file of picture i, or of the grid (None)


@dataclass(frozen=True, slots=True)
class Released:
    """What came through the gate, place by place."""

    pictures: tuple[Picture, ...]
    grid: Approved | None
    flagged: bool  # some checker saw something, as opposed to a check that failed


class Gate:
    """Stands between finished pixels and every file that may leave."""

    def __init__(
        self,
        checkers: Sequence[Checker],
        *,
        timeout: float = TIMEOUT,
        alive: Callable[[], None] = lambda: None,  # told after every look, for whoever watches this process
    ) -> None:
        self._checkers = tuple(checkers)
        self._alive = alive
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gate")
        self._asking = threading.Lock()  # several results may be at the gate at once; a look is one at a time

    @property
    def names(self) -> tuple[str, ...]:
        """What the gate stands on, for people."""
        return tuple(_title(checker) for checker in self._checkers)

    def can_judge(self, request: Request) -> bool:
        """Whether any checker covers pictures of this request."""
        return any(checker.covers(request) for checker in self._checkers)

    def release(self, pixels: Sequence[Pixels], *, request: Request, write: Write) -> Released:
        """Judge pictures (height, width, 3; None: one that is none) and write files of those that were approved."""
        images = [_image(picture) for picture in pixels]
        whole = [image for image in images if image is not None]
        standing = tuple(checker for checker in self._checkers if checker.covers(request))
        words = {checker: self._ask(checker, whole, request) for checker in standing} if whole else {}
        pictures: list[Picture] = []
        passed: list[Image.Image] = []
        flagged = False
        names = tuple(_title(checker) for checker in standing)
        place = 0
        for index, image in enumerate(images):
            if image is None:
                pictures.append(Picture(index=index, approved=None, withheld=BrokenPicture().sentence))
                continue
            verdicts = [words[checker][place] for checker in standing]
            place += 1
            withheld = _objection(verdicts)
            flagged = flagged or any(word is not None and word.sound and not word.approved for word in verdicts)
            if withheld:
                pictures.append(Picture(index=index, approved=None, withheld=withheld))
                continue
            passed.append(image)
            pictures.append(Picture(index=index, approved=_approve(image, index, write, names)))
        grid = _approve(compose_grid(passed), None, write, names) if len(passed) > 1 else None
        return Released(tuple(pictures), grid, flagged)

    def self_test(self, request: Request) -> None:
        """Prove the machinery with a plain picture and broken ones; raises NotApproved when it does not hold.

        `request` is one that the gate claims it can judge.
        """
        side = np.linspace(50, 200, 64).astype(np.uint8)
        plain = np.stack(np.broadcast_arrays(side[:, None], side[None, :], np.uint8(128)), axis=-1)
        broken: list[Pixels] = [None, plain[..., :2], plain[:0]]
        for checker in (checker for checker in self._checkers if checker.covers(request)):
            image = _image(plain)
            verdict = self._ask(checker, [image], request)[0] if image is not None else None
            if verdict is None or not verdict.sound:
                raise NotApproved(f"The safety checker “{checker.name}” failed its self-test.", checker=checker.name)
        released = self.release(broken, request=replace(request, count=len(broken)), write=_refuse_to_write)
        if any(picture.approved is not None for picture in released.pictures):
            raise NotApproved("The safety gate let a broken picture through its self-test.")

    def _ask(self, checker: Checker, images: Sequence[Image.Image], request: Request) -> list[Verdict | None]:
        """One verdict per image; None where the check could not be done. The first failure ends the asking."""
        verdicts: list[Verdict | None] = []
        for image in images:
            verdict = self._ask_one(checker, image, request)
            self._alive()
            if verdict is None:
                break
            verdicts.append(verdict)
        return verdicts + [None] * (len(images) - len(verdicts))

    def _ask_one(self, checker: Checker, image: Image.Image, request: Request) -> Verdict | None:
        with self._asking:
            return self._look(checker, image, request)

    def _look(self, checker: Checker, image: Image.Image, request: Request) -> Verdict | None:
        future = self._thread.submit(checker.check, [image], request=request)
        try:
            answers: list[object] = list(future.result(self._timeout))
        except TimeoutError:
            log.error("checker %s took over %.0f s; nothing is approved", checker.name, self._timeout)
            self._thread.shutdown(wait=False)  # the stuck thread is left behind; the next check gets its own
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="gate")
            return None
        except Exception:  # a checker may fail in any way; whatever it was, its pictures stay inside
            log.exception("checker %s failed; nothing is approved", checker.name)
            return None
        if len(answers) != 1 or not isinstance(answers[0], Verdict):
            log.error("checker %s gave no verdict; nothing is approved", checker.name)
            return None
        return answers[0]


def _objection(verdicts: Sequence[Verdict | None]) -> str:
    """Why a picture with these verdicts stays inside; empty when nothing speaks against it."""
    if not verdicts:
        return NO_CHECKER
    if any(verdict is None or not verdict.sound for verdict in verdicts):
        return COULD_NOT_CHECK
    if all(verdict is not None and verdict.approved is True for verdict in verdicts):
        return ""
    log.info("not approved: %s", "; ".join(verdict.reason for verdict in verdicts if verdict and verdict.reason))
    return NotApproved().sentence


def _approve(image: Image.Image, index: int | None, write: Write, names: tuple[str, ...]) -> Approved:
    file = write(image, index)
    return Approved.of(
        file.data,
        media_type=file.media_type,
        width=image.width,
        height=image.height,
        checked_by=names,
        mark=file.mark,
    )


def _image(pixels: Pixels) -> Image.Image | None:
    """The picture of `pixels`; None where they are no picture at all."""
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        return None
    return Image.fromarray(pixels)


def _title(checker: Checker) -> str:
    return f"{checker.name} {checker.version}".strip()


def _refuse_to_write(image: Image.Image, index: int | None) -> PictureFile:
    raise NotApproved("The safety gate let a broken picture through its self-test.")
