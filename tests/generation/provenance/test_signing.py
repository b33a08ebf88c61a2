"""Signed files: valid in every format, invalid after any change that shows, honest about whose they are."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import threading
from pathlib import Path
from typing import Any

import c2pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from generation.engine.files import read_recipe
from generation.intake import inspect
from generation.provenance import inspect_child, signing
from generation.provenance.identity import Identity
from generation.provenance.keyring import Keyring
from generation.provenance.phash import distance
from tests.generation.provenance.pictures import CARD, a_file, a_job, opened, saved, starter_pictures

KINDS = ["webp", "png", "jpeg"]
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring(tmp_path_factory.mktemp("keys") / "provenance")


@pytest.fixture(scope="module")
def identity(keyring: Keyring) -> Identity:
    return keyring.open()


def manifest(data: bytes, media_type: str) -> dict[str, Any]:
    with c2pa.Reader(media_type, io.BytesIO(data)) as reader:
        return dict(reader.get_active_manifest())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_signed_file_is_recognised(kind: str, identity: Identity, keyring: Keyring) -> None:
    file = a_file(identity=identity, file_format=kind)
    found = await inspect(file.data, keyring.roots())
    assert found.claim is not None
    assert (found.claim.ours, found.claim.intact) == (True, True)
    assert (found.claim.manifest, found.claim.model) == (file.mark.manifest, CARD.name)
    assert found.claim.signer == f"{identity.name} pictures"
    assert found.phash is not None
    assert distance(found.phash, file.mark.phash) <= 2
    assert found.inscription is not None
    assert (found.inscription.ours, found.inscription.seed) == (True, "7")


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_itself_and_its_metadata_stay_as_they_were(kind: str, identity: Identity) -> None:
    plain, signed = a_file(file_format=kind), a_file(file_format=kind, identity=identity)
    assert opened(signed.data).tobytes() == opened(plain.data).tobytes()
    assert read_recipe(signed.data) == read_recipe(plain.data) != {}
    assert len(signed.data) - len(plain.data) < 5000
    assert (plain.mark.manifest, plain.mark.phash) == ("", signed.mark.phash)


@pytest.mark.parametrize(
    ("image", "kind"), [(None, "trainedAlgorithmicMedia"), ("0" * 64, "compositeWithTrainedAlgorithmicMedia")]
)
def test_what_is_stated(image: str | None, kind: str, identity: Identity) -> None:
    job = a_job("a very secret lighthouse", embed_prompt=True, image=image, strength=0.5 if image else None)
    file = a_file(job=job, identity=identity)
    stated = manifest(file.data, file.media_type)
    (action,) = stated["assertions"][0]["data"]["actions"]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", AI + kind)
    assert action["parameters"] == {"model": CARD.name, "model_sha256": CARD.sha256}
    assert action["softwareAgent"]["name"] == "Atelier"
    assert stated["claim_generator_info"][0]["name"] == "Atelier"
    assert "lighthouse" not in json.dumps(stated)  # not even where the author has it in the metadata
    assert "thumbnail" not in stated
    assert (AI + kind).encode() in file.data


@settings(max_examples=300)
@given(kind=st.sampled_from(KINDS), place=st.integers(0, 10**9), change=st.integers(1, 255))
def test_any_changed_byte_that_shows_is_found(
    identity: Identity, keyring: Keyring, kind: str, place: int, change: int
) -> None:
    """Only what fills up the manifest itself may differ: then picture and metadata are what was signed, if readable."""
    file = signed_once(kind, identity)
    harmed = bytearray(file.data)
    harmed[place % len(harmed)] ^= change
    try:
        claim = inspect_child._claim(bytes(harmed), keyring.roots())
    except StopIteration:  # not even a picture's first bytes any more
        return
    if claim is not None and claim["intact"]:
        with contextlib.suppress(UnidentifiedImageError):
            assert opened(bytes(harmed)).tobytes() == opened(file.data).tobytes()
            assert read_recipe(bytes(harmed)) == read_recipe(file.data)


_signed: dict[str, Any] = {}


def signed_once(kind: str, identity: Identity) -> Any:
    if kind not in _signed:
        _signed[kind] = a_file(starter_pictures()[1].resize((64, 64)), identity=identity, file_format=kind)
    return _signed[kind]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_changed_picture_is_told_from_an_unchanged_one(kind: str, identity: Identity, keyring: Keyring) -> None:
    file = a_file(identity=identity, file_format=kind)
    harmed = bytearray(file.data)
    harmed[len(harmed) // 2] ^= 1
    claim = (await inspect(bytes(harmed), keyring.roots())).claim
    assert claim is not None
    assert (claim.ours, claim.intact) == (True, False)
    assert claim.manifest == file.mark.manifest


@pytest.mark.parametrize("kind", KINDS)
async def test_saved_anew_it_has_no_signature_but_looks_the_same(
    kind: str, identity: Identity, keyring: Keyring
) -> None:
    file = a_file(identity=identity, file_format=kind)
    found = await inspect(saved(opened(file.data), "JPEG", quality=80), keyring.roots())
    assert (found.claim, found.inscription) == (None, None)
    assert found.phash is not None
    assert distance(found.phash, file.mark.phash) <= 4


async def test_somebody_elses_signature_is_not_ours(identity: Identity, tmp_path: Path) -> None:
    stranger = Keyring(tmp_path / "stranger")
    stranger.open()
    claim = (await inspect(a_file(identity=identity).data, stranger.roots())).claim
    assert claim is not None
    assert (claim.ours, claim.intact) == (False, True)
    assert claim.signer == f"{identity.name} pictures"


async def test_a_stranger_cannot_borrow_our_name(identity: Identity, keyring: Keyring, tmp_path: Path) -> None:
    """Our chain beside a key that is not ours: whatever the signer accepts, it does not count as ours."""
    forged = Identity(name=identity.name, chain=identity.chain, key=Keyring(tmp_path / "stranger").open().key)
    file = a_file(identity=forged)
    if file.mark.manifest:
        claim = (await inspect(file.data, keyring.roots())).claim
        assert claim is None or not (claim.ours and claim.intact)


async def test_a_rotated_key_still_vouches_for_old_pictures(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path / "provenance")
    old = a_file(identity=keyring.open())
    new = a_file(identity=keyring.rotate())
    for file in (old, new):
        claim = (await inspect(file.data, keyring.roots())).claim
        assert claim is not None
        assert (claim.ours, claim.intact) == (True, True)


def test_several_threads_sign_at_once(identity: Identity, keyring: Keyring) -> None:
    signer, plain = signing.Signer(identity), a_file()
    signed: list[signing.Signed | None] = []

    def sign() -> None:
        for _ in range(5):
            facts = signing.Facts(model="m", model_sha256="0", from_upload=False)
            signed.append(signer.sign(plain.data, plain.media_type, facts))

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.manifest for each in signed if each is not None}) == 20
    for each in signed:
        assert each is not None
        claim = inspect_child._claim(each.data, keyring.roots())
        assert claim is not None
        assert claim["ours"]
        assert claim["intact"]


def test_a_picture_that_cannot_be_signed_goes_without(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(signing, "_statement", lambda *_, **__: {"assertions": "not a list"})
    with caplog.at_level(logging.ERROR):
        file = a_file(identity=identity)
    assert "could not be signed" in caplog.text
    assert file.mark.manifest == ""
    assert file.mark.phash is not None
    assert read_recipe(file.data)["Seed"] == "7"
    assert b"trainedAlgorithmicMedia" in file.data


def test_signing_that_hangs_holds_up_no_picture(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plain, stuck = a_file(), threading.Event()
    signer = signing.Signer(identity, timeout=0.1)
    honest = signing.Signer._sign
    monkeypatch.setattr(signing.Signer, "_sign", lambda *_: stuck.wait(30))
    facts = signing.Facts(model="m", model_sha256="0", from_upload=False)
    with caplog.at_level(logging.ERROR):
        assert signer.sign(plain.data, plain.media_type, facts) is None
    assert "took over" in caplog.text
    monkeypatch.setattr(signing.Signer, "_sign", honest)
    signer._timeout = 10.0
    assert signer.sign(plain.data, plain.media_type, facts) is not None  # in another thread
    stuck.set()


def test_the_grid_is_signed_like_a_picture(identity: Identity, keyring: Keyring) -> None:
    grid = Image.new("RGB", (768, 768))
    for place, picture in enumerate(starter_pictures()[:4]):
        grid.paste(picture, (place % 2 * 384, place // 2 * 384))
    file = a_file(grid, a_job(count=4), None, identity=identity)
    claim = inspect_child._claim(file.data, keyring.roots())
    assert claim is not None
    assert claim["ours"]
    assert read_recipe(file.data)["Seed"] == "7"
