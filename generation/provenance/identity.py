"""Who signs: the key and the certificates of one bot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A signing key with its chain; crosses to the engine process through the pipe, never through a log."""

    name: str  # of the root certificate, e.g. "Atelier 3f9a2c17"
    chain: str  # PEM: the signing certificate, then its root
    key: str = field(repr=False)  # PEM, PKCS 8
