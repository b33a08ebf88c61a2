"""What can be read off a picture file about its origin, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

TEXT_LENGTH = 120  # characters of anything that a file says of itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A C2PA manifest: what it says, and how far that holds."""

    manifest: str = ""  # its name
    ours: bool = False  # its certificate was issued under one of our roots, and it signed just this statement
    intact: bool = False  # statement and picture are as they were signed
    readable: bool = True  # False: there is something of the kind, too damaged to say more
    signer: str = ""  # the certificate's owner, by its own word unless `ours`
    generator: str = ""  # the program that made the statement, by its own word
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inscription:
    """Plain metadata: anybody can write it."""

    ours: bool = False  # it names Atelier
    generated: bool = False  # it says that the picture was made by a trained model
    model: str = ""
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One file."""

    sha256: str
    claim: Claim | None = None
    inscription: Inscription | None = None
    phash: int | None = None  # None: too plain, or the pixels cannot be read
    decoded: bool = False  # whether the pixels could be read

    @classmethod
    def of(cls, sha256: str, found: dict[str, Any]) -> Self:
        """From what the inspecting process wrote; raises TypeError or KeyError for anything else."""
        claim, words = found.get("claim"), found.get("inscription")
        return cls(
            sha256=sha256,
            claim=Claim(**claim) if claim is not None else None,
            inscription=Inscription(**words) if words is not None else None,
            phash=found["likeness"]["phash"] if "likeness" in found else None,
            decoded="likeness" in found,
        )
