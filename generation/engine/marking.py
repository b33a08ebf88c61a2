"""What a picture file says of its origin: the label, the line of settings, the signature; and what it is known by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from PIL import Image

from generation.engine import files, recipe
from generation.engine.files import PictureFile
from generation.job import Job
from generation.models import ModelCard
from generation.provenance.mark import Mark
from generation.provenance.phash import perceptual_hash
from generation.provenance.signing import Signer
from generation.workers.worker import EngineSettings


class Marking:
    """Makes the files of one engine."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._signer = Signer(settings.identity) if settings.identity is not None else None

    def file(self, image: Image.Image, index: int | None, job: Job, card: ModelCard) -> PictureFile:
        """The file of picture `index` of `job`, or of the grid (None)."""
        request = job.request if index is None else job.request.single(index)
        parameters = None
        if self._settings.embed_recipe:
            parameters = recipe.as_parameters(request, card, with_prompt=job.embed_prompt)
        upload = request.image is not None
        file = files.encode(image, self._settings.file_format, parameters=parameters, from_upload=upload)
        file = replace(file, mark=Mark(phash=perceptual_hash(image)))
        return self._signed(file, card, from_upload=upload)

    def _signed(self, file: PictureFile, card: ModelCard, *, from_upload: bool) -> PictureFile:
        if self._signer is None:
            return file
        signed = self._signer.sign(
            file.data,
            file.media_type,
            model=PurePath(card.name).name,
            model_sha256=card.sha256,
            from_upload=from_upload,
        )
        if signed is None:
            return file
        return replace(file, data=signed.data, mark=replace(file.mark, manifest=signed.manifest))
