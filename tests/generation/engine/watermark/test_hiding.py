"""Hiding a payload in pixels and reading it back, with a small watermark that was really trained."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generation.engine.files import compose_grid
from generation.engine.watermark import frame
from generation.engine.watermark.hiding import Hider, Pixels
from generation.engine.watermark.networks import Encoder
from generation.engine.watermark.seeking import Seeker
from generation.engine.watermark.weights import open_decoder
from generation.errors import ConfigError, PaintingError
from generation.provenance.payload import Payload
from generation.provenance.watermark import DECODER, ENCODER, check_folder, digest
from tests.generation.engine.watermark import school
from tests.generation.engine.watermark.copies import WAYS, jpeg, right_bits, smaller
from tests.generation.engine.watermark.schooled import SCHOOLED
from tests.generation.provenance.pictures import starter_pictures

PAYLOAD = Payload(issuer=0x12345, number=0xABCDEF0123)


@pytest.fixture(scope="module")
def hider() -> Hider:
    return Hider.open(SCHOOLED)


@pytest.fixture(scope="module")
def seeker() -> Seeker:
    return Seeker.open(SCHOOLED)


def picture(width: int = 384, height: int = 384, which: int = 0) -> Pixels:
    return np.asarray(starter_pictures()[which].resize((width, height)))


def marked(hider: Hider, cover: Pixels, payload: Payload = PAYLOAD) -> Image.Image:
    return Image.fromarray(hider.hide(cover, payload))


@pytest.mark.parametrize("way", WAYS)
def test_bits_come_back_from_copies(hider: Hider, way: str) -> None:
    """Of this small watermark on pictures of its own world; no figure for any other."""
    decoder = open_decoder(SCHOOLED, hider.card)
    assert right_bits(hider, decoder, starter_pictures()[:12], way) > 0.95


@pytest.mark.parametrize("size", [(256, 256), (384, 288), (520, 300), (641, 427)], ids=str)
def test_the_payload_is_read_at_every_size(hider: Hider, seeker: Seeker, size: tuple[int, int]) -> None:
    cover = picture(*size)
    assert seeker.seek(jpeg(smaller(marked(hider, cover)))) == (PAYLOAD,)
    assert seeker.seek(Image.fromarray(cover)) == ()


def test_other_pictures_hold_nothing(seeker: Seeker) -> None:
    assert [seeker.seek(each) for each in starter_pictures()] == [()] * len(starter_pictures())


def test_long_pictures_are_marked_in_the_middle(hider: Hider, seeker: Seeker) -> None:
    cover = picture(900, 300)
    changed = hider.hide(cover, PAYLOAD) != cover
    assert not changed[:, :300].any()
    assert not changed[:, 600:].any()
    assert changed[:, 300:600].mean() > 0.5
    assert seeker.seek(Image.fromarray(hider.hide(cover, PAYLOAD))) == (PAYLOAD,)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_grid_shows_the_marks_of_its_pictures(hider: Hider, seeker: Seeker, count: int) -> None:
    payloads = [Payload(7, number) for number in range(count)]
    tiles = [marked(hider, picture(which=number), payload) for number, payload in enumerate(payloads)]
    assert set(seeker.seek(jpeg(compose_grid(tiles)))) == set(payloads)


def test_hiding_leaves_the_cover_alone_and_is_the_same_each_time_and_in_every_thread(hider: Hider) -> None:
    cover = picture()
    before = cover.copy()
    first = hider.hide(cover, PAYLOAD)
    results: list[Pixels] = []
    threads = [threading.Thread(target=lambda: results.append(hider.hide(cover, PAYLOAD))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(cover, before)
    assert (first.dtype, first.shape) == (np.uint8, cover.shape)
    assert len(results) == 4
    assert all(np.array_equal(first, other) for other in results)


def test_the_mark_fades_at_the_edges_as_trustmarks_does() -> None:
    shown = frame.fade(400, 300)
    assert shown.shape == (300, 400)
    assert shown[0, 200] == pytest.approx(1 / 3)
    assert shown[1, 200] == shown[-2, 200] == pytest.approx(2 / 3)
    assert shown[0, 0] == shown[-1, -1] == pytest.approx(1 / 3)
    assert shown[0, 1] == pytest.approx(2 / 3)  # at the corners the upright edges count
    assert shown[2:-2, 2:-2].min() == 1.0
    assert frame.fade(64, 64).min() == 1.0


@pytest.mark.parametrize(
    ("size", "widest", "box"),
    [
        ((800, 400), 2.0, (0, 0, 800, 400)),
        ((801, 400), 2.0, (200, 0, 600, 400)),
        ((300, 900), 2.0, (0, 300, 300, 600)),
        ((640, 480), 0.0, (80, 0, 560, 480)),
    ],
    ids=str,
)
def test_which_part_is_marked(size: tuple[int, int], widest: float, box: frame.Box) -> None:
    assert frame.box(*size, widest) == box


def test_weights_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """Right names, right shapes, right hashes: only trying them tells."""
    folder = Path(shutil.copytree(SCHOOLED, tmp_path / "mark"))
    torch.manual_seed(3)
    card = check_folder(SCHOOLED)
    school.save(folder, Encoder(card.encoder), open_decoder(SCHOOLED, card))
    assert check_folder(folder)
    with pytest.raises(ConfigError, match="do not belong together"):
        Hider.open(folder)


def test_other_weights_than_the_configuration_describes_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SCHOOLED, tmp_path / "mark"))
    shutil.copy(folder / ENCODER, folder / DECODER)
    card = check_folder(SCHOOLED).model_dump() | {
        "sha256": {name: digest(folder / name) for name in (ENCODER, DECODER)}
    }
    (folder / "config.json").write_text(type(check_folder(SCHOOLED)).model_validate(card).model_dump_json())
    with pytest.raises(ConfigError, match="lacks"):
        Hider.open(folder)


def test_a_picture_that_cannot_be_marked_is_an_error_and_never_unmarked(hider: Hider) -> None:
    card = hider.card
    torch.manual_seed(0)
    encoder = Encoder(card.encoder)
    with torch.no_grad():
        encoder.pre.conv.bias.fill_(float("nan"))
    with pytest.raises(PaintingError):
        Hider(card, encoder).hide(picture(), PAYLOAD)


@pytest.mark.slow
def test_the_school_makes_such_a_watermark(tmp_path: Path) -> None:
    """About four minutes on one core, 98.6 % of the bits: shorter than that of the other tests' watermark."""
    torch.set_num_threads(1)
    encoder, decoder = school.train(1500)
    hider = Hider.open(school.save(tmp_path / "mark", encoder, decoder))
    for way in WAYS:
        assert right_bits(hider, decoder, starter_pictures(), way) > 0.95, way
