"""What a picture says of its origin: watermark, label, line of settings, signature; and what it is known by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from PIL import Image

from generation.engine import files, recipe
from generation.engine.files import PictureFile
from generation.engine.watermark.hiding import Hider
from generation.errors import ConfigError, ModelUnavailable
from generation.job import Job
from generation.models import ModelCard
from generation.provenance.mark import Mark
from generation.provenance.payload import NOBODY, Payload, issuers, new_manifest, number_of
from generation.provenance.phash import perceptual_hash
from generation.provenance.signing import Facts, Signer, SoftBinding
from generation.safety.gate import Pixels
from generation.workers.worker import EngineSettings


@dataclass(frozen=True, slots=True)
class Numbered:
    """A picture with the name that its manifest will have, and the watermark in it that says so."""

    pixels: Pixels = field(repr=False)
    manifest: str
    payload: Payload | None = None  # None: it carries no watermark


UNUSABLE = "Nothing is painted now: the watermark that pictures should carry cannot be used. The owner's log says why."


class Marking:
    """Marks the pictures of one engine and makes their files."""

    def __init__(self, settings: EngineSettings) -> None:
        """Raises ModelUnavailable when the settings name a watermark that cannot be used: nothing is painted then."""
        self._settings = settings
        self._signer = Signer(settings.identity) if settings.identity is not None else None
        self._hider = _hider(settings.watermark)
        self._issuer = issuers(settings.identity.chain)[-1] if settings.identity is not None else NOBODY

    @property
    def how(self) -> dict[str, str]:
        """What a recipe says of the watermark, which changes the last bits of a picture."""
        return {"watermark": self._hider.card.title} if self._hider is not None else {}

    def numbered(self, pixels: Pixels) -> Numbered:
        """A finished picture with a number of its own, hidden in it where there is a watermark.

        A picture that cannot be marked raises, so that none goes unmarked in silence.
        """
        manifest = new_manifest()
        if self._hider is None or pixels is None:
            return Numbered(pixels, manifest)
        payload = Payload(self._issuer, number_of(manifest))
        return Numbered(self._hider.hide(pixels, payload), manifest, payload)

    def file(
        self, image: Image.Image, index: int | None, job: Job, card: ModelCard, numbered: Numbered | None = None
    ) -> PictureFile:
        """The file of picture `index` of `job`, or of the grid (None), which is made of numbered ones."""
        request = job.request if index is None else job.request.single(index)
        parameters = None
        if self._settings.embed_recipe:
            parameters = recipe.as_parameters(request, card, with_prompt=job.embed_prompt)
        upload = request.image is not None
        file = files.encode(image, self._settings.file_format, parameters=parameters, from_upload=upload)
        file = replace(file, mark=Mark(phash=perceptual_hash(image)))
        facts = Facts(
            model=PurePath(card.name).name,
            model_sha256=card.sha256,
            from_upload=upload,
            manifest=numbered.manifest if numbered is not None else new_manifest(),
            watermark=self._soft_binding(numbered),
        )
        return self._signed(file, facts)

    def _soft_binding(self, numbered: Numbered | None) -> SoftBinding | None:
        if self._hider is None or numbered is None or numbered.payload is None or not self._hider.card.soft_binding:
            return None
        return SoftBinding(self._hider.card.soft_binding, numbered.payload.soft_binding)

    def _signed(self, file: PictureFile, facts: Facts) -> PictureFile:
        if self._signer is None:
            return file
        signed = self._signer.sign(file.data, file.media_type, facts)
        if signed is None:
            return file
        return replace(file, data=signed.data, mark=replace(file.mark, manifest=signed.manifest))


def _hider(folder: str) -> Hider | None:
    if not folder:
        return None
    try:
        return Hider.open(Path(folder))
    except ConfigError as error:  # for the owner; members are told what it means to them
        raise ModelUnavailable(UNUSABLE) from error
