"""The same approved picture in a smaller file, for a place that does not take the file the gate approved.

Why that needs no second look: what goes in is an Approved, so every checker has seen these very pixels; what comes out
is made from them here and nowhere else, by an encoder that only loses detail and, as the last resort, by shrinking.
Nothing is added that nobody looked at, so the word and the level of the checkers hold for it. The label and the recipe
inside move over, and the new file is signed like every other.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from generation.errors import NotApproved
from generation.provenance.identity import Identity
from generation.provenance.mark import Mark
from generation.provenance.phash import perceptual_hash
from generation.provenance.signing import Facts, Signer
from generation.safety.approved import Approved

log = logging.getLogger(__name__)

MEDIA_TYPE = "image/webp"
QUALITIES = (92, 85, 75, 60)  # of lossy WebP, the first that fits
SHRUNK_QUALITY = 80
SHRINK = 0.75  # of both sides, as often as is needed
SMALLEST = 32  # pixels along the long side: below that it is no picture any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the signature says of a picture."""

    model: str
    model_sha256: str
    from_upload: bool


class Recoder:
    """Makes smaller files of approved ones. Takes up to seconds of computing: to be called in a thread."""

    def __init__(self, identity: Identity | None) -> None:
        self._identity = identity

    @cached_property
    def _signer(self) -> Signer | None:
        return Signer(self._identity) if self._identity is not None else None

    def within(self, approved: Approved, limit: int, origin: Origin) -> Approved | None:
        """The picture in a file of at most `limit` bytes, as large and as good as may be; None when nothing is left.

        Raises NotApproved when the approved bytes cannot be decoded.
        """
        try:
            with Image.open(io.BytesIO(approved.data), formats=("PNG", "JPEG", "WEBP")) as opened:
                kept = {name: opened.info[name] for name in ("exif", "xmp") if opened.info.get(name)}
                picture = opened.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise NotApproved from error
        mark = Mark(phash=perceptual_hash(picture))
        for image, quality in _ladder(picture):
            file = io.BytesIO()
            image.save(file, "WEBP", quality=quality, method=4, **kept)
            data = file.getvalue()
            if len(data) > limit:
                continue
            data, mark = self._signed(data, mark, origin)
            if len(data) <= limit:
                return approved.recoded(data, media_type=MEDIA_TYPE, width=image.width, height=image.height, mark=mark)
        return None

    def _signed(self, data: bytes, mark: Mark, origin: Origin) -> tuple[bytes, Mark]:
        if self._signer is None:
            return data, mark
        facts = Facts(model=origin.model, model_sha256=origin.model_sha256, from_upload=origin.from_upload)
        signed = self._signer.sign(data, MEDIA_TYPE, facts)
        return (data, mark) if signed is None else (signed.data, Mark(phash=mark.phash, manifest=signed.manifest))


def _ladder(picture: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Ever smaller files: first less exact ones, then smaller pictures."""
    for quality in QUALITIES:
        yield picture, quality
    while max(picture.size) * SHRINK >= SMALLEST:
        smaller = (max(1, round(picture.width * SHRINK)), max(1, round(picture.height * SHRINK)))
        picture = picture.resize(smaller, Image.Resampling.LANCZOS)
        yield picture, SHRUNK_QUALITY
