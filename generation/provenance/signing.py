"""Content Credentials (C2PA): each picture file gets a signed statement of what made it."""

from __future__ import annotations

import datetime
import io
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import c2pa

import generation
from generation.engine.files import source_type
from generation.provenance.identity import Identity
from generation.provenance.payload import new_manifest

log = logging.getLogger(__name__)

TIMEOUT = 10.0  # seconds; a signature takes about two thousandths of one
ALGORITHM = b"es256"
NO_THUMBNAIL = {"builder": {"thumbnail": {"enabled": False}}}  # it would add up to a megabyte to say the same again


@dataclass(frozen=True, slots=True)
class SoftBinding:
    """A watermark as C2PA names it."""

    algorithm: str  # e.g. "com.adobe.trustmark.Q"
    value: str


@dataclass(frozen=True, slots=True)
class Signed:
    """A file with its manifest inside."""

    data: bytes = field(repr=False)
    manifest: str  # the manifest's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is claimed of a picture: made by a model, and by which; neither words nor people."""

    model: str
    model_sha256: str
    from_upload: bool
    manifest: str = field(default_factory=new_manifest)
    watermark: SoftBinding | None = None  # that the picture carries


class Signer:
    """Signs picture files; one at a time, in a thread of its own."""

    def __init__(self, identity: Identity, *, timeout: float = TIMEOUT) -> None:
        """Raises c2pa.C2paError when key and certificates cannot sign."""
        self._context = c2pa.Context(c2pa.Settings.from_dict(NO_THUMBNAIL))
        about = c2pa.C2paSignerInfo(ALGORITHM, identity.chain.encode(), identity.key.encode(), None)
        self._signer = c2pa.Signer.from_info(about)
        self._timeout = timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sign")

    def sign(self, data: bytes, media_type: str, facts: Facts) -> Signed | None:
        """The file with a manifest; None, with the cause in the log, when that cannot be done.

        A picture is worth more to its author than a signature: it is shown without one rather than not at all.
        """
        future = self._thread.submit(self._sign, _statement(facts, media_type), data, media_type)
        try:
            return Signed(future.result(self._timeout), facts.manifest)
        except TimeoutError:
            log.error("signing took over %.0f s; the picture goes without", self._timeout)
            self._thread.shutdown(wait=False)  # the stuck thread is left behind; the next picture gets its own
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="sign")
        except Exception:  # a native library's fault must not cost the picture
            log.exception("a picture could not be signed and goes without")
        return None

    def _sign(self, statement: dict[str, object], data: bytes, media_type: str) -> bytes:
        signed = io.BytesIO()
        with c2pa.Builder(statement, context=self._context) as builder:
            builder.sign(self._signer, media_type, io.BytesIO(data), signed)
        return signed.getvalue()


def _statement(facts: Facts, media_type: str) -> dict[str, object]:
    program = {"name": "Atelier", "version": generation.__version__}
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made = {
        "action": "c2pa.created",
        "when": moment,
        "digitalSourceType": source_type(from_upload=facts.from_upload),
        "softwareAgent": program,
        "parameters": {"model": facts.model, "model_sha256": facts.model_sha256},
    }
    actions, assertions = [made], []
    if facts.watermark is not None:
        actions.append({"action": "c2pa.watermarked", "when": moment, "softwareAgent": program})
        block = {"scope": {}, "value": facts.watermark.value}
        binding = {"alg": facts.watermark.algorithm, "blocks": [block]}
        assertions.append({"label": "c2pa.soft-binding", "data": binding})
    return {
        "label": facts.manifest,
        "format": media_type,
        "claim_generator_info": [program],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}, *assertions],
    }
