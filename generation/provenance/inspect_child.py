"""The short-lived process that looks for a file's origin.

PEM of our roots, a zero byte and the file on standard input; one JSON object a line on standard output, each as soon as
it is known: a file that breaks one of the parsers does not hide what the others have found.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from generation.intake_child import MAX_ASPECT, MAX_PIXELS, SIGNATURES, confine, upright
from generation.provenance.examination import TEXT_LENGTH, Claim, Inscription

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")  # in the order of SIGNATURES
OFFLINE = {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}  # a file must not make us call
PROGRAM = "Atelier"
CONTAINER = b"jumb"  # type of the box that every manifest is in


def main() -> int:
    """Look in three ways; always 0, whatever comes of it."""
    confine()
    roots, _, data = sys.stdin.buffer.read().partition(b"\0")
    looks: dict[str, Callable[[], dict[str, Any] | None]] = {
        "likeness": lambda: _likeness(data),
        "inscription": lambda: _inscription(data),
        "claim": lambda: _claim(data, roots.decode("ascii")),
    }
    for name, look in looks.items():
        try:
            found = look()
        except Exception as error:  # hostile files make parsers raise almost anything
            sys.stderr.write(f"{name}: {type(error).__name__}: {error}"[:300] + "\n")
            continue
        if found is not None:
            sys.stdout.write(json.dumps({name: found}) + "\n")
            sys.stdout.flush()
    return 0


def _likeness(data: bytes) -> dict[str, Any]:
    from generation.provenance.phash import perceptual_hash

    picture = upright(data)
    if isinstance(picture, int):
        raise ValueError(f"refused with reason {picture}")
    return {"phash": perceptual_hash(picture)}


def _inscription(data: bytes) -> dict[str, Any] | None:
    from PIL import ExifTags, Image

    from generation.engine.files import read_recipe

    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        width, height = image.size
        if width * height > MAX_PIXELS or max(width, height) > MAX_ASPECT * min(width, height):
            return None
        program = str(image.getexif().get(ExifTags.Base.Software, ""))
        xmp = str(image.info.get("xmp", image.info.get("XML:com.adobe.xmp", "")))
    told = read_recipe(data)
    words = Inscription(
        ours=program == PROGRAM or told.get("Version", "") == PROGRAM,
        generated="digitalsourcetype/trainedAlgorithmicMedia" in xmp
        or "digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in xmp
        or bool(told),
        model=told.get("Model", "")[:TEXT_LENGTH],
        seed=told.get("Seed", "")[:TEXT_LENGTH],
    )
    return asdict(words) if words.ours or words.generated else None


def _claim(data: bytes, roots: str) -> dict[str, Any] | None:
    import c2pa

    media_type = next(
        kind
        for kind, (magic, skip) in zip(MEDIA_TYPES, SIGNATURES, strict=True)
        if data[skip : skip + len(magic)] == magic
    )
    settings: dict[str, Any] = {"verify": OFFLINE}
    if roots:  # no roots at all are an error for the library
        settings["trust"] = {"user_anchors": roots}
    try:
        reader = c2pa.Reader(media_type, io.BytesIO(data), context=c2pa.Context(c2pa.Settings.from_dict(settings)))
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.RemoteManifest):
        return None
    except c2pa.C2paError:
        return asdict(Claim(readable=False)) if CONTAINER in data else None
    with reader:
        try:
            manifest = reader.get_active_manifest() or {}
        except KeyError:  # its list names a manifest that is not there: somebody has changed a name
            return asdict(Claim(readable=False))
        return asdict(_told(manifest, reader.get_validation_results() or {}))


def _told(manifest: dict[str, Any], results: dict[str, Any]) -> Claim:
    active = results.get("activeManifest", {})
    passed = {item["code"] for item in active.get("success", ())}
    failed = {item["code"] for item in active.get("failure", ())} - {"signingCredential.untrusted"}
    signature = manifest.get("signature_info", {})
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    deeds = [a["data"]["actions"] for a in manifest.get("assertions", ()) if a["label"].startswith("c2pa.actions")]
    about = deeds[0][0].get("parameters", {}) if deeds and deeds[0] else {}
    return Claim(
        manifest=_short(manifest.get("label")),
        # Trusted says whose certificate it is; only a valid signature says that its key signed this statement.
        ours={"signingCredential.trusted", "claimSignature.validated"} <= passed,
        intact=bool(passed) and not failed,
        signer=_short(signature.get("common_name") or signature.get("issuer")),
        generator=_short(f"{generator.get('name', '')} {generator.get('version', '')}".strip()),
        model=_short(about.get("model")),
    )


def _short(value: object) -> str:
    return str(value or "")[:TEXT_LENGTH]


if __name__ == "__main__":
    sys.exit(main())
