"""A watermark from the engine to a copy that somebody brings: on every picture, before the gate, never left out."""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import c2pa
import numpy as np
import pytest
from PIL import Image

from generation import intake
from generation.engine import marking
from generation.engine.finishing import Finishing
from generation.engine.painting import Painting
from generation.engine.watermark.hiding import Hider
from generation.engine.watermark.seeking import Seeker
from generation.errors import AtelierError, BadRequest, ConfigError, ModelUnavailable, PaintingError
from generation.intake import seek_watermarks
from generation.job import Job, Progress, Result
from generation.provenance.identity import Identity
from generation.provenance.keyring import Keyring
from generation.provenance.payload import MANIFEST, NOBODY, Payload, issuers, number_of
from generation.provenance.watermark import DECODER
from generation.request import Request
from generation.safety.approved import Approved
from generation.safety.checker import Checker, Verdict
from generation.safety.gate import Gate
from generation.safety.level import Level
from generation.safety.recoding import Origin, Recoder
from generation.workers.child import ChildWorker
from generation.workers.worker import EngineSettings
from tests.generation.engine.served import engine, paint
from tests.generation.engine.watermark.copies import jpeg, smaller
from tests.generation.engine.watermark.schooled import SCHOOLED
from tests.generation.provenance.pictures import opened, saved, starter_pictures

Wish = Callable[..., Request]


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Keyring(tmp_path_factory.mktemp("keys") / "provenance").open()


@pytest.fixture(scope="module")
def seeker() -> Seeker:
    return Seeker.open(SCHOOLED)


def shown(result: Result) -> list[Approved]:
    return [picture.approved for picture in result.pictures if picture.approved is not None]


def test_every_picture_carries_a_mark_that_leads_to_its_manifest(
    wish: Wish, identity: Identity, seeker: Seeker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden, honest = list[Payload](), Hider.hide
    monkeypatch.setattr(
        Hider, "hide", lambda self, pixels, payload: hidden.append(payload) or honest(self, pixels, payload)
    )
    subject = engine(watermark=str(SCHOOLED), identity=identity)
    hidden.clear()  # of the trial at the start
    told = list[Progress]()
    result = paint(subject, wish(count=2), told=told)
    assert any(progress.preview for progress in told)
    pictures = shown(result)
    expected = [Payload(issuers(identity.chain)[-1], number_of(each.mark.manifest)) for each in pictures]
    assert hidden == expected  # once for each picture, not for previews and not for the grid
    for approved, payload in zip(pictures, expected, strict=True):
        assert seeker.seek(opened(approved.data)) == (payload,)
        assert seeker.seek(jpeg(smaller(opened(approved.data).convert("RGB")))) == (payload,)
        assert _soft_binding(approved) == payload.soft_binding
        origin = Origin(model="starter", model_sha256="0", from_upload=False)
        sent = Recoder(identity).within(approved, len(approved.data) // 3, origin)  # where the file is too large
        assert sent is not None
        assert seeker.seek(opened(sent.data).convert("RGB")) == (payload,)
    assert result.grid is not None
    assert set(seeker.seek(opened(result.grid.data).convert("RGB"))) == set(expected)
    assert _soft_binding(result.grid) is None
    assert str(result.recipe["watermark"]).startswith("Schooled ")


def _soft_binding(approved: Approved) -> str | None:
    with c2pa.Reader(approved.media_type, io.BytesIO(approved.data)) as reader:
        manifest = reader.get_active_manifest() or {}
    found = [each for each in manifest["assertions"] if each["label"] == "c2pa.soft-binding"]
    return str(found[0]["data"]["blocks"][0]["value"]) if found else None


def test_without_a_watermark_nothing_is_hidden(wish: Wish, identity: Identity, seeker: Seeker) -> None:
    result = paint(engine(identity=identity), wish())
    (approved,) = shown(result)
    assert seeker.seek(opened(approved.data)) == ()
    assert _soft_binding(approved) is None
    assert "watermark" not in result.recipe


class Onlooker(Checker):
    """Approves what it sees, and remembers it."""

    name, version, coverage = "onlooker", "1", "nothing"

    def __init__(self) -> None:
        self.seen: list[Image.Image] = []

    def covers(self, request: Request) -> bool:
        return True

    def check(self, images: Sequence[Image.Image], *, request: Request) -> Sequence[Verdict]:
        self.seen += images
        return [Verdict(Level.NEUTRAL)] * len(images)


def finished(settings: EngineSettings, gate: Gate, pixels: np.ndarray, wish: Wish) -> list[Result | AtelierError]:
    """What becomes of painted pixels, by the last stages alone."""
    model = engine()._residence.ready["starter"].model
    ended = list[Result | AtelierError]()
    finishing = Finishing(settings, lambda _, result: ended.append(result))
    job = Job(id="job", request=wish(width=pixels.shape[1], height=pixels.shape[0]))
    finishing.finish(Painting(number=1, job=job, on_failed=ended.append), model, gate, [pixels], {})
    finishing.close()
    return ended


def test_the_checkers_see_the_very_pixels_that_are_shown(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of all numbers that could be drawn, the small watermark cannot read a few back from this picture.
    monkeypatch.setattr(marking, "new_manifest", lambda: f"{MANIFEST}00000000-0000-4000-8000-000000000007")
    onlooker, pixels = Onlooker(), np.asarray(starter_pictures()[3])
    settings = EngineSettings(watermark=str(SCHOOLED), file_format="png")
    (result,) = finished(settings, Gate([onlooker]), pixels, wish)
    assert isinstance(result, Result)
    (approved,), (seen,) = shown(result), onlooker.seen
    assert np.array_equal(np.asarray(opened(approved.data)), np.asarray(seen))
    assert not np.array_equal(np.asarray(seen), pixels)
    found = Seeker.open(SCHOOLED).seek(seen)
    assert [payload.issuer for payload in found] == [NOBODY], approved.mark  # these settings have no key


def test_a_picture_that_cannot_be_marked_is_not_shown_without(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = EngineSettings(watermark=str(SCHOOLED))
    monkeypatch.setattr(Hider, "trial", lambda *_: 1.0)

    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Hider, "hide", fails)
    onlooker = Onlooker()
    (error,) = finished(settings, Gate([onlooker]), np.asarray(starter_pictures()[3]), wish)
    assert isinstance(error, PaintingError)
    assert onlooker.seen == []


def test_an_engine_whose_watermark_is_missing_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        engine(watermark=str(tmp_path / "gone"))
    assert caught.value.sentence == marking.UNUSABLE  # for members: no path of this machine
    assert isinstance(caught.value.__cause__, ConfigError)
    assert str(tmp_path / "gone") in caught.value.__cause__.sentence


async def test_a_worker_whose_watermark_is_missing_paints_nothing_and_logs_why(
    tmp_path: Path, wish: Wish, caplog: pytest.LogCaptureFixture
) -> None:
    worker = ChildWorker(EngineSettings(watermark=str(tmp_path / "gone"), threads=1))
    await worker.start()
    try:
        with caplog.at_level(logging.ERROR), pytest.raises(ModelUnavailable, match="Nothing is painted now"):
            await worker.paint(Job(id="job", request=wish()), lambda progress: None)
        assert "There is no watermark in" in caplog.text
    finally:
        await worker.close()


# -- files that people bring -------------------------------------------------------------------------------------------


def brought(payload: Payload) -> bytes:
    cover = np.asarray(starter_pictures()[1])
    marked = Image.fromarray(Hider.open(SCHOOLED).hide(cover, payload))
    return saved(smaller(marked), "JPEG", quality=85)


async def test_a_process_of_its_own_reads_marks_in_files_that_people_bring() -> None:
    payload = Payload(5, 7)
    assert await seek_watermarks(brought(payload), str(SCHOOLED)) == (payload,)
    assert await seek_watermarks(saved(starter_pictures()[1], "WEBP"), str(SCHOOLED)) == ()


async def test_what_is_no_picture_never_comes_near_the_decoder() -> None:
    with pytest.raises(BadRequest):
        await seek_watermarks(b"\x89PNG\r\n\x1a\n", str(SCHOOLED))


async def test_where_marks_cannot_be_read_that_is_said_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(SCHOOLED, tmp_path / "mark"))
    (folder / DECODER).write_bytes(b"")
    data = saved(starter_pictures()[1], "PNG")
    assert await seek_watermarks(data, str(folder)) is None
    assert "reading watermarks ended with code 1" in caplog.text
    monkeypatch.setattr(intake, "SEEK_TIMEOUT", 0.05)
    assert await asyncio.wait_for(seek_watermarks(data, str(SCHOOLED)), 20) is None
    assert "reading watermarks took over" in caplog.text
