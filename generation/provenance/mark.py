"""What a picture can be recognised by later."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """Made with the file; holds nothing of its prompt and nobody's name."""

    phash: int | None = None  # see generation.provenance.phash; None: too plain to be recognised
    manifest: str = ""  # name of the C2PA manifest inside, e.g. "urn:c2pa:…"; empty: not signed


UNMARKED = Mark()
