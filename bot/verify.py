"""Whether a picture is from here: evidence from the file and from memory, and what may honestly be said of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum

from bot.echo import echo
from bot.store.fingerprints import Fingerprint, Fingerprints
from generation.errors import BadRequest
from generation.intake import inspect, seek_watermarks
from generation.provenance.examination import Claim, Examination, Inscription
from generation.provenance.keyring import Keyring
from generation.provenance.payload import issuers
from generation.provenance.phash import BITS, distance

COPY = 4  # bits; copies saved anew were never further away, other pictures never this near (BENCHMARKS.md)
RESEMBLANCE = 6  # bits; an edited copy, or another picture of the same thing
NOTHING = (
    "**There is no sign that it is from here.** That does not prove that it is not: cropping and screenshots take the "
    "signs away, and so do many places where pictures are uploaded."
)
NO_WATERMARK = "No watermark of this bot was found in it; pictures from before it was switched on have none."
UNSOUGHT = "Whether it carries a watermark of this bot could not be found out just now."
COPYABLE = "Such a mark lasts longer than metadata, but it can be copied onto other pictures, so it proves nothing."
UNREADABLE = "That picture cannot be read; it may be cut off or damaged."


class Watermark(Enum):
    """What came of looking for a watermark of this bot."""

    NOT_WANTED = "there is none here, or something stronger was found"
    UNKNOWN = "it could not be looked for"
    NONE = "none was found"
    FOUND = "one was found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that speaks for or against."""

    file: Examination
    known: Fingerprint | None = None  # the very picture, by its bytes or by its signature
    same_bytes: bool = False  # `known` is this file, byte for byte
    watermark: Watermark = Watermark.NOT_WANTED
    named: Fingerprint | None = None  # the picture that a watermark of ours names, while it is remembered
    alike: tuple[Fingerprint, int] | None = None  # the picture that looks most like it, and how far away it is


class Verifier:
    """Examines files that people bring; keeps none of them."""

    def __init__(self, fingerprints: Fingerprints, keyring: Keyring, watermark: str = "") -> None:
        """`watermark`: the folder of its weights; empty: pictures here carry none."""
        self._fingerprints = fingerprints
        self._keyring = keyring
        self._folder = watermark

    async def examine(self, data: bytes) -> Evidence:
        """Look at an uploaded file; raises BadRequest when it is no picture that could be looked at."""
        roots = await asyncio.to_thread(self._keyring.roots)
        file = await inspect(data, roots)
        known = await self._fingerprints.of_file(file.sha256)
        if known is not None:
            return Evidence(file=file, known=known, same_bytes=True)
        if file.claim is not None and file.claim.ours:
            return Evidence(file=file, known=await self._fingerprints.of_manifest(file.claim.manifest))
        if not file.decoded and file.claim is None:
            raise BadRequest(UNREADABLE)
        watermark, named = await self._watermark(data, roots) if file.decoded else (Watermark.NOT_WANTED, None)
        alike = None
        if file.phash is not None:
            alike = await self._fingerprints.nearest(file.phash, within=RESEMBLANCE)
        return Evidence(file=file, watermark=watermark, named=named, alike=alike)

    async def _watermark(self, data: bytes, roots: str) -> tuple[Watermark, Fingerprint | None]:
        """Whether a mark of ours is in the picture, and which picture it names."""
        if not self._folder:
            return Watermark.NOT_WANTED, None
        found = await seek_watermarks(data, self._folder)
        if found is None:
            return Watermark.UNKNOWN, None
        ours = [payload for payload in found if payload.issuer in issuers(roots)]
        for payload in ours:
            known = await self._fingerprints.of_watermark(payload)
            if known is not None:
                return Watermark.FOUND, known
        return (Watermark.FOUND if ours else Watermark.NONE), None


def evidence_text(evidence: Evidence) -> str:
    """What can be said, the strongest first: signature, then metadata, then watermark, then looks."""
    claim, known = evidence.file.claim, evidence.known
    if evidence.same_bytes and known is not None:
        return f"**Made by this bot, and unchanged since.** It is, byte for byte, a file {_made(known)}."
    if claim is not None and claim.ours:
        return _own(claim, known, evidence.file)
    lines = []
    if claim is not None:
        lines.append(_foreign(claim))
    if evidence.file.inscription is not None:
        lines.append(_inscribed(evidence.file.inscription))
    if evidence.watermark is Watermark.FOUND:
        lines.append(_watermarked(evidence.named, evidence.file))
    if evidence.alike is not None and (evidence.named is None or evidence.alike[0].sha256 != evidence.named.sha256):
        lines.append(_alike(*evidence.alike))
    lines = lines or [NOTHING]
    if evidence.watermark is Watermark.NONE:
        lines.append(NO_WATERMARK)
    if evidence.watermark is Watermark.UNKNOWN:
        lines.append(UNSOUGHT)
    return "\n".join(lines)


def _own(claim: Claim, known: Fingerprint | None, file: Examination) -> str:
    model = f", with {echo(claim.model, 60)}" if claim.model else ""
    made = _made(known) if known is not None else f"made here{model}; the record of it is no longer kept"
    if claim.intact and file.decoded:
        return f"**Made by this bot, and unchanged since.** Its signature holds: a picture {made}."
    lines = [
        "**Signed by this bot, but changed since.** What you see is not what was signed.",
        f"The signature belongs to a picture {made}.",
    ]
    if known is not None and known.phash is not None and file.phash is not None:
        near = distance(known.phash, file.phash) <= RESEMBLANCE
        lines.append("It still looks much like that one." if near else "It does not look like that one any more.")
    return "\n".join(lines)


def _foreign(claim: Claim) -> str:
    if not claim.readable:
        return "**Its signature cannot be read.** It is damaged, so it proves nothing, whoever made it."
    who = f"“{echo(claim.signer or 'somebody without a name', 80)}”"
    with_what = f", made with {echo(claim.generator, 80)}" if claim.generator else ""
    if claim.intact:
        return (
            f"**Signed by somebody else.** It carries the signature of {who}{with_what}. That is what the signature "
            "says; who is behind it was not checked."
        )
    return (
        f"**A signature that does not hold.** It names {who}{with_what}, but it does not fit this picture: one of them "
        "was changed or taken from elsewhere. It is no signature of this bot."
    )


def _inscribed(words: Inscription) -> str:
    facts = [f"model {echo(words.model, 60)}"] if words.model else []
    facts += [f"seed {echo(words.seed, 20)}"] if words.seed else []
    told = f" ({', '.join(facts)})" if facts else ""
    if words.ours:
        return f"**Its metadata says that an Atelier bot made it**{told}. Anybody can write that, so it proves nothing."
    return f"Its metadata says that an AI model made it{told}. Anybody can write that, so it proves nothing."


def _watermarked(named: Fingerprint | None, file: Examination) -> str:
    if named is None:
        return (
            f"**A watermark of this bot was found in it.** There is no record of the picture that it names. {COPYABLE}"
        )
    looks = ""
    if named.phash is not None and file.phash is not None:
        near = distance(named.phash, file.phash) <= RESEMBLANCE
        looks = " It also looks like that one." if near else " It does not look like that one, or not any more."
    return f"**A watermark of this bot was found in it.** It names a picture {_made(named)}.{looks} {COPYABLE}"


def _alike(known: Fingerprint, bits: int) -> str:
    if bits <= COPY:
        said = (
            f"**It looks almost exactly like a picture {_made(known)}.** Copies that were saved again or resized look "
            "like this; another picture of the same thing rarely does."
        )
    else:
        said = (
            f"**It resembles a picture {_made(known)}.** That may be an edited copy of it, or just another picture of "
            "the same thing."
        )
    return f"{said}\n-# Difference in looks: {bits} of {BITS}"


def _made(known: Fingerprint) -> str:
    model = f" with {echo(known.model, 60)}" if known.model else ""
    return f"made here on <t:{int(known.made_at)}:D>{model}"
