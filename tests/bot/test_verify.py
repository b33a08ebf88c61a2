"""What is said of a picture: never more than the evidence holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bot.store.database import Database
from bot.store.fingerprints import Fingerprint, Fingerprints
from bot.store.schema import fingerprints
from bot.verify import NO_WATERMARK, NOTHING, UNSOUGHT, Evidence, Verifier, Watermark, evidence_text
from generation.provenance.examination import Claim, Examination, Inscription
from generation.provenance.keyring import Keyring
from generation.provenance.payload import NOBODY, Payload, issuers, new_manifest, number_of
from tests.generation.provenance.pictures import saved, starter_pictures

FILE = Examination(sha256="0" * 64, phash=0, decoded=True)
KNOWN = Fingerprint(sha256="1" * 64, manifest="urn:x", job_id="a" * 16, model="ink", made_at=1_790_000_000.5, phash=0)
OURS = Claim(manifest="urn:x", ours=True, intact=True, signer="Atelier 1", generator="Atelier 0.1.0", model="ink")
THEIRS = Claim(manifest="urn:y", intact=True, signer="ACME <@1> **Camera**", generator="acme 3")
WORDS = Inscription(ours=True, generated=True, model="ink", seed="7")
MADE = "made here on <t:1790000000:D> with ink"


def said(known: Fingerprint | None = None, **about) -> str:
    names = ("alike", "same_bytes", "watermark", "named")
    evidence = {name: about.pop(name) for name in names if name in about}
    return evidence_text(Evidence(file=replace(FILE, **about), known=known, **evidence))


def test_the_very_file() -> None:
    text = said(KNOWN, same_bytes=True)
    assert text == f"**Made by this bot, and unchanged since.** It is, byte for byte, a file {MADE}."


def test_our_signature_that_holds() -> None:
    assert said(KNOWN, claim=OURS) == (
        f"**Made by this bot, and unchanged since.** Its signature holds: a picture {MADE}."
    )
    assert "made here, with ink; the record of it is no longer kept" in said(claim=OURS)


@pytest.mark.parametrize(("phash", "words"), [(0b111, "still looks much like"), (2**40 - 1, "does not look like")])
def test_our_signature_on_a_changed_picture(phash: int, words: str) -> None:
    text = said(KNOWN, claim=replace(OURS, intact=False), phash=phash)
    assert text.startswith("**Signed by this bot, but changed since.**")
    assert MADE in text
    assert words in text
    assert "unchanged" not in text


def test_our_signature_on_a_file_that_cannot_be_read() -> None:
    text = said(KNOWN, claim=OURS, decoded=False, phash=None)
    assert text.startswith("**Signed by this bot, but changed since.**")
    assert "look" not in text.partition("belongs to")[2]


def test_a_strangers_signature() -> None:
    text = said(claim=THEIRS)
    assert text.startswith("**Signed by somebody else.**")
    assert "was not checked" in text
    assert "<@1>" not in text.replace("\\<@1>", "")
    assert "**Camera**" not in text
    broken = said(claim=replace(THEIRS, intact=False))
    assert broken.startswith("**A signature that does not hold.**")
    assert "no signature of this bot" in broken
    assert said(claim=Claim(readable=False)).startswith("**Its signature cannot be read.**")


def test_metadata_proves_nothing() -> None:
    text = said(inscription=WORDS)
    assert text.startswith("**Its metadata says that an Atelier bot made it** (model ink, seed 7).")
    assert "proves nothing" in text
    assert "Its metadata says that an AI model made it." in said(inscription=Inscription(generated=True))


def test_looks_are_a_hint() -> None:
    assert said(alike=(KNOWN, 2)).startswith(f"**It looks almost exactly like a picture {MADE}.**")
    assert "Difference in looks: 2 of 64" in said(alike=(KNOWN, 2))
    assert said(alike=(KNOWN, 6)).startswith(f"**It resembles a picture {MADE}.**")
    assert "just another picture" in said(alike=(KNOWN, 6))


def test_hints_add_up() -> None:
    text = said(claim=THEIRS, inscription=WORDS, alike=(KNOWN, 0))
    assert [line[:12] for line in text.splitlines()] == ["**Signed by ", "**Its metada", "**It looks a", "-# Differenc"]


def test_nothing_at_all() -> None:
    assert said() == NOTHING
    assert "does not prove" in NOTHING


def test_a_watermark_that_names_a_picture() -> None:
    text = said(watermark=Watermark.FOUND, named=KNOWN)
    assert text.startswith(f"**A watermark of this bot was found in it.** It names a picture {MADE}.")
    assert "also looks like that one" in text
    assert "can be copied onto other pictures, so it proves nothing" in text
    other = said(watermark=Watermark.FOUND, named=KNOWN, phash=2**40 - 1)
    assert "does not look like that one" in other
    plain = said(watermark=Watermark.FOUND, named=KNOWN, phash=None)
    assert "look" not in plain.partition("model")[0].partition(MADE)[2]


def test_a_watermark_whose_picture_is_forgotten() -> None:
    text = said(watermark=Watermark.FOUND)
    assert text.startswith("**A watermark of this bot was found in it.** There is no record of the picture")
    assert "proves nothing" in text
    assert "made here" not in text


def test_a_watermark_and_looks_that_agree_are_said_once() -> None:
    assert "Difference in looks" not in said(watermark=Watermark.FOUND, named=KNOWN, alike=(KNOWN, 2))
    another = replace(KNOWN, sha256="2" * 64)
    assert "Difference in looks" in said(watermark=Watermark.FOUND, named=KNOWN, alike=(another, 2))


@pytest.mark.parametrize(
    ("watermark", "words"), [(Watermark.NONE, NO_WATERMARK), (Watermark.UNKNOWN, UNSOUGHT)], ids=["none", "unknown"]
)
def test_no_watermark_is_said_last_and_takes_nothing_back(watermark: Watermark, words: str) -> None:
    assert said(watermark=watermark) == f"{NOTHING}\n{words}"
    assert said(watermark=watermark, alike=(KNOWN, 2)).endswith(words)
    assert NOTHING not in said(watermark=watermark, alike=(KNOWN, 2))


def test_the_order_is_signature_metadata_watermark_looks() -> None:
    another = replace(KNOWN, sha256="2" * 64)
    text = said(claim=THEIRS, inscription=WORDS, watermark=Watermark.FOUND, named=KNOWN, alike=(another, 0))
    assert [line[:12] for line in text.splitlines()] == [
        "**Signed by ",
        "**Its metada",
        "**A watermar",
        "**It looks a",
        "-# Differenc",
    ]


@pytest.mark.parametrize(
    ("found", "watermark", "named"),
    [
        (None, Watermark.UNKNOWN, False),
        ((), Watermark.NONE, False),
        (("stranger",), Watermark.NONE, False),
        (("nobody",), Watermark.NONE, False),
        (("ours, forgotten",), Watermark.FOUND, False),
        (("ours",), Watermark.FOUND, True),
        (("of our former key",), Watermark.FOUND, True),
        (("stranger", "ours, forgotten", "ours"), Watermark.FOUND, True),
    ],
    ids=str,
)
async def test_whose_watermark_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Any, watermark: Watermark, named: bool
) -> None:
    """The marks that the decoder reads are given; the certificates and the memory are real."""
    keyring, stranger = Keyring(tmp_path / "ours"), Keyring(tmp_path / "theirs").open()
    former, ours, manifest = keyring.open(), keyring.rotate(), new_manifest()
    owners = {"ours": ours, "ours, forgotten": ours, "of our former key": former, "stranger": stranger}
    marks = {name: Payload(issuers(each.chain)[-1], number_of(manifest)) for name, each in owners.items()}
    marks |= {"nobody": Payload(NOBODY, number_of(manifest)), "ours, forgotten": Payload(marks["ours"].issuer, 1)}

    async def given(data: bytes, folder: str) -> Any:
        assert folder == "the folder"
        return found if found is None else tuple(marks[name] for name in found)

    monkeypatch.setattr("bot.verify.seek_watermarks", given)
    async with Database(f"sqlite+aiosqlite:///{tmp_path / 'atelier.sqlite'}", tmp_path) as database:
        async with database.write() as connection:
            values = {"sha256": "0" * 64, "manifest": manifest, "job_id": "j", "model": "m", "made_at": 1.0}
            await connection.execute(insert(fingerprints), [values])
        verifier = Verifier(Fingerprints(database), keyring, "the folder")
        evidence = await verifier.examine(saved(starter_pictures()[2], "PNG"))
    assert evidence.watermark is watermark
    assert (evidence.named is not None and evidence.named.manifest == manifest) is named
