"""Files that people bring to be looked at: limits, lies and damage end in a sentence or in “nothing found”."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from generation.errors import BadRequest
from generation.intake import MAX_BYTES, inspect
from generation.provenance.examination import Examination
from generation.provenance.keyring import Keyring
from tests.e2e import nasty_files
from tests.generation.provenance.pictures import a_file, saved, starter_pictures


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "provenance")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a PNG, JPEG or WebP"),
        (nasty_files.SVG, "not a PNG, JPEG or WebP"),
        (nasty_files.gif(), "not a PNG, JPEG or WebP"),
        (b"\xff\xd8\xff" + bytes(MAX_BYTES), "at most 10 MiB"),
    ],
    ids=["empty", "svg", "gif", "large"],
)
async def test_what_is_no_picture_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        await inspect(data, "")


@pytest.mark.parametrize("make", ["bomb", "text_bomb", "lying_header", "truncated", "sliver"])
async def test_hostile_files_tell_nothing(make: str, keyring: Keyring) -> None:
    keyring.open()
    found = await inspect(getattr(nasty_files, make)(), keyring.roots())
    assert (found.claim, found.phash, found.decoded) == (None, None, False)


async def test_broken_manifests_break_nothing(keyring: Keyring) -> None:
    """Files whose signed part is full of nonsense: whatever the parsers make of it, it is never “unchanged”."""
    dice = random.Random(1)
    identity = keyring.open()
    for kind in ("webp", "png", "jpeg"):
        file = a_file(starter_pictures()[0].resize((64, 64)), identity=identity, file_format=kind)
        start = file.data.find(b"jumb")
        assert start > 0
        for _ in range(6):
            harmed = bytearray(file.data)
            for _ in range(dice.choice((3, 30, 300))):
                harmed[start + dice.randrange(1500)] = dice.randrange(256)
            found = await inspect(bytes(harmed), keyring.roots())
            assert found.claim is None or not (found.claim.ours and found.claim.intact)


async def test_without_any_roots_nothing_is_ours(keyring: Keyring) -> None:
    claim = (await inspect(a_file(identity=keyring.open()).data, "")).claim
    assert claim is not None
    assert (claim.ours, claim.intact) == (False, True)


async def test_a_plain_photograph_of_nobody(keyring: Keyring) -> None:
    keyring.open()
    found = await inspect(saved(starter_pictures()[0], "JPEG"), keyring.roots())
    assert (found.claim, found.inscription, found.decoded) == (None, None, True)
    assert found.phash is not None


def test_what_the_inspecting_process_may_say() -> None:
    assert Examination.of("0", {}) == Examination(sha256="0")
    with pytest.raises(TypeError):
        Examination.of("0", {"claim": {"nonsense": 1}})
