"""The gate: only here pictures become Approved, each on its own, and only when every checker said so.

A picture that was judged and found wanting may be *held* for moderators, with a blurred likeness of it that passed the
same checkers. Nothing else of it is kept.

It fails closed. An exception, a timeout, a missing or surplus verdict, a score or a pixel that is not a finite number,
or no checker that could judge the request: the picture stays inside.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from generation.engine.files import PictureFile, compose_grid, likeness
from generation.errors import BrokenPicture, NotApproved
from generation.job import Job, Picture
from generation.request import Request
from generation.safety.approved import Approved
from generation.safety.checker import Checker, Verdict
from generation.safety.held import Held
from generation.safety.judgement import Judgement, is_absolute, judge
from generation.safety.level import Level

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds for one checker to look at one picture
STUCK = 3  # looks in a row that took too long: each has left a thread behind, and only a new process ends those
LIKENESS_SIDES = (24, 12, 6)  # pixels along the long side of a likeness; coarser where checkers still see too much

Pixels = npt.NDArray[np.uint8] | None  # (height, width, 3); None where some value was no number
Write = Callable[[Image.Image, int | None], PictureFile]  # makes a file of picture i, or of the grid (None)


@dataclass(frozen=True, slots=True)
class Released:
    """What came through the gate, place by place."""

    pictures: tuple[Picture, ...]
    grid: Approved | None
    flagged: bool  # some picture was judged and withheld, as opposed to a check that failed


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
        self._late: Counter[str] = Counter()  # by checker, looks in a row that took too long
        self._asking = threading.Lock()  # several results may be at the gate at once; a look is one at a time

    @property
    def names(self) -> tuple[str, ...]:
        """What the gate stands on, for people."""
        return tuple(_title(checker) for checker in self._checkers)

    @property
    def coverage(self) -> tuple[str, ...]:
        """What every checker looks for and does not, for moderators."""
        return tuple(f"{checker.name}: {checker.coverage}" for checker in self._checkers)

    @property
    def stuck(self) -> bool:
        """Whether its checkers do not answer any more."""
        return any(late >= STUCK for late in tuple(self._late.values()))

    def can_judge(self, request: Request) -> bool:
        """Whether any checker covers pictures of this request."""
        return bool(self._standing(request))

    def release(self, pixels: Sequence[Pixels], *, job: Job, write: Write) -> Released:
        """Judge pictures (height, width, 3; None: one that is none) and write files of those that may be shown."""
        images = [_image(picture) for picture in pixels]
        judgements = iter(self._judge([image for image in images if image is not None], job))
        pictures: list[Picture] = []
        shown: list[Image.Image] = []
        flagged = False
        names = self._names(job.request)
        for index, image in enumerate(images):
            if image is None:
                pictures.append(Picture(index=index, approved=None, withheld=BrokenPicture().sentence))
                continue
            judgement = next(judgements)
            if judgement.withheld:
                flagged = flagged or judgement.sound
                pictures.append(self._withhold(index, image, judgement, job, write))
                continue
            shown.append(image)
            approved = _approve(image, write(image, index), names, judgement.level)
            pictures.append(Picture(index=index, approved=approved, level=judgement.level))
        grid = None
        if len(shown) > 1:
            sheet = compose_grid(shown)
            level = max(picture.level for picture in pictures if picture.approved is not None)
            grid = _approve(sheet, write(sheet, None), names, level)
        return Released(tuple(pictures), grid, flagged)

    def passes(self, image: Image.Image, job: Job) -> bool:
        """Whether an unfinished picture of a job may be shown as it is."""
        return not self._judge([image], job)[0].withheld

    def admits(self, image: Image.Image, job: Job) -> bool:
        """Whether an uploaded picture may be started from: it is judged like a painted one, and never held."""
        judgement = self._judge([image], job)[0]
        return judgement.sound and judgement.level <= job.clearance and not is_absolute(judgement.level, job)

    def self_test(self, request: Request) -> None:
        """Prove the machinery with plain, broken and forced pictures; raises NotApproved when it does not hold.

        `request` is one that the gate claims it can judge.
        """
        plain = _plain_picture()
        image = _image(plain)
        assert image is not None, "the plain picture is one"
        for checker in self._standing(request):
            verdict = self._ask(checker, [image], request)[0]
            if verdict is None or not verdict.sound:
                raise NotApproved(f"The safety checker “{checker.name}” failed its self-test.", checker=checker.name)
        job = Job(id="self-test", request=request)
        broken: list[Pixels] = [None, plain[..., :2], plain[:0]]
        if any(picture.approved for picture in self.release(broken, job=job, write=_refuse_to_write).pictures):
            raise NotApproved("The safety gate let a broken picture through its self-test.")
        for forced in (None, Verdict(Level.HIGH), Verdict(Level.NEUTRAL, (float("nan"),))):
            if not judge([forced], job).withheld:
                raise NotApproved("The safety gate let a flagged picture through its self-test.")

    def _standing(self, request: Request) -> tuple[Checker, ...]:
        return tuple(checker for checker in self._checkers if checker.covers(request))

    def _names(self, request: Request) -> tuple[str, ...]:
        return tuple(_title(checker) for checker in self._standing(request))

    def _judge(self, images: Sequence[Image.Image], job: Job) -> list[Judgement]:
        """One judgement per image, in order."""
        if not images:
            return []
        words = [self._ask(checker, images, job.request) for checker in self._standing(job.request)]
        return [judge([answers[place] for answers in words], job) for place in range(len(images))]

    def _withhold(self, index: int, image: Image.Image, judgement: Judgement, job: Job, write: Write) -> Picture:
        if not judgement.holdable:
            return Picture(index=index, approved=None, withheld=judgement.withheld, level=judgement.level)
        file = write(image, index)
        held = Held(
            data=file.data,
            media_type=file.media_type,
            width=image.width,
            height=image.height,
            level=judgement.level,
            seen=judgement.seen,
            checked_by=self._names(job.request),
            mark=file.mark,
        )
        return Picture(
            index=index,
            approved=None,
            withheld=judgement.withheld,
            level=judgement.level,
            held=held,
            evidence=self._evidence(image, job),
        )

    def _evidence(self, image: Image.Image, job: Job) -> Approved | None:
        """A likeness in which no checker sees anything any more; None when even the coarsest shows too much."""
        for side in LIKENESS_SIDES:
            blurred, file = likeness(image, side)
            judgement = self._judge([blurred], job)[0]
            if judgement.sound and judgement.level is Level.NEUTRAL:
                return _approve(blurred, file, self._names(job.request), judgement.level)
        return None

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
            self._late[checker.name] += 1
            self._thread.shutdown(wait=False)  # the stuck thread is left behind; the next check gets its own
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="gate")
            return None
        except Exception:  # a checker may fail in any way; whatever it was, its pictures stay inside
            log.exception("checker %s failed; nothing is approved", checker.name)
            return None
        self._late[checker.name] = 0  # another that answers says nothing of one that does not
        if len(answers) != 1 or not isinstance(answers[0], Verdict):
            log.error("checker %s gave no verdict; nothing is approved", checker.name)
            return None
        return answers[0]


def _approve(image: Image.Image, file: PictureFile, names: tuple[str, ...], level: Level) -> Approved:
    return Approved.of(
        file.data,
        media_type=file.media_type,
        width=image.width,
        height=image.height,
        checked_by=names,
        level=level,
        mark=file.mark,
    )


def _plain_picture() -> npt.NDArray[np.uint8]:
    side = np.linspace(50, 200, 64).astype(np.uint8)
    return np.stack(np.broadcast_arrays(side[:, None], side[None, :], np.uint8(128)), axis=-1)


def _image(pixels: Pixels) -> Image.Image | None:
    """The picture of `pixels`; None where they are no picture at all."""
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        return None
    return Image.fromarray(pixels)


def _title(checker: Checker) -> str:
    return f"{checker.name} {checker.version}".strip()


def _refuse_to_write(image: Image.Image, index: int | None) -> PictureFile:
    raise NotApproved("The safety gate let a broken picture through its self-test.")
