"""What a watermark says: which bot made the picture, and the beginning of its C2PA manifest's name. Nothing else.

100 bits in TrustMark's schema BCH_5, so that its own detectors read it as well: 61 of payload, 35 that repair any five
wrong ones, four that name the schema. The payload is 21 bits of the SHA-256 of the bot's root certificate, then the
first 40 bits of the manifest's name. Everybody can read it, and whoever copies a mark copies its payload: it is a way
to find the record of a picture again, and proves nothing.
"""

from __future__ import annotations

import hashlib
import ssl
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from generation.provenance import bch

BITS: Final = 100
ISSUER_BITS, NUMBER_BITS = 21, 40
PAYLOAD_BITS = ISSUER_BITS + NUMBER_BITS
SCHEMA = 1  # of TrustMark: BCH_5
SCHEMA_BITS = 4
PADDING = 3  # zeros behind the payload that are checked but not sent: the schema counts in whole bytes
NOBODY = 0  # issuer of marks made without a key, as in a trial picture
MANIFEST = "urn:c2pa:"
_CODEWORD = PAYLOAD_BITS + PADDING + bch.CHECK_BITS
_NUMBER_DIGITS = NUMBER_BITS // 4


@dataclass(frozen=True, slots=True)
class Payload:
    """The message of one watermark."""

    issuer: int  # whose bot: see `issuers`
    number: int  # which picture: see `number_of`

    def bits(self) -> tuple[int, ...]:
        """The 100 bits that are hidden in the picture, first bit first."""
        codeword = bch.protected(self._message() << PADDING)
        text = f"{self._message():0{PAYLOAD_BITS}b}"
        text += f"{codeword & (1 << bch.CHECK_BITS) - 1:0{bch.CHECK_BITS}b}{SCHEMA:0{SCHEMA_BITS}b}"
        return tuple(map(int, text))

    @classmethod
    def read(cls, bits: Sequence[int]) -> Self | None:
        """What 100 bits say when at most five of the first 96 are wrong; None for anything else."""
        text = "".join(map(str, bits))
        if len(text) != BITS or int(text[-SCHEMA_BITS:], 2) != SCHEMA:
            return None
        received = text[:PAYLOAD_BITS] + "0" * PADDING + text[PAYLOAD_BITS:-SCHEMA_BITS]
        codeword = bch.repaired(int(received, 2), _CODEWORD)
        if codeword is None:
            return None
        message = codeword >> bch.CHECK_BITS
        if message & (1 << PADDING) - 1:
            return None
        return cls(message >> PADDING + NUMBER_BITS, message >> PADDING & (1 << NUMBER_BITS) - 1)

    @property
    def soft_binding(self) -> str:
        """As C2PA's assertion of that name has it: the schema and the 61 bits."""
        return f"{SCHEMA}*{self._message():0{PAYLOAD_BITS}b}"

    def manifests(self) -> tuple[str, str]:
        """The first and the last name of a manifest that begins with this number, in the order of texts."""
        digits = f"{self.number:0{_NUMBER_DIGITS}x}"
        first, last = (uuid.UUID(hex=digits + filler * (32 - _NUMBER_DIGITS)) for filler in "0f")
        return f"{MANIFEST}{first}", f"{MANIFEST}{last}"

    def _message(self) -> int:
        return self.issuer << NUMBER_BITS | self.number


def new_manifest() -> str:
    """A name for a manifest that is yet to be made."""
    return f"{MANIFEST}{uuid.uuid4()}"


def number_of(manifest: str) -> int:
    """The number by which a watermark names a manifest."""
    return int(uuid.UUID(manifest.removeprefix(MANIFEST)).hex[:_NUMBER_DIGITS], 16)


def issuers(certificates: str) -> tuple[int, ...]:
    """The numbers by which watermarks name the owners of these certificates (PEM), in order."""
    end = "-----END CERTIFICATE-----"
    blocks = [block + end for block in certificates.split(end) if "-----BEGIN" in block]
    digests = (hashlib.sha256(ssl.PEM_cert_to_DER_cert(block.strip())).hexdigest() for block in blocks)
    return tuple(int(digest, 16) >> 256 - ISSUER_BITS for digest in digests)
