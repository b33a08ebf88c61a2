"""How gateway frames go over the wire: plain text, or one compressed stream for the whole connection."""

from __future__ import annotations

import zlib
from typing import Protocol

import zstandard


class Stream(Protocol):
    """Turns one gateway payload into the frame that is sent; keeps the connection's compression context."""

    def encode(self, payload: str) -> str | bytes:
        """The frame for the next payload: text as str, binary as bytes."""


class PlainStream:
    """Text frames, one JSON document each."""

    def encode(self, payload: str) -> str:
        """The payload itself."""
        return payload


class ZlibStream:
    """One zlib context; every payload ends with a sync flush (00 00 ff ff)."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj()

    def encode(self, payload: str) -> bytes:
        """The compressed payload, decodable as soon as it arrives."""
        return self._deflate.compress(payload.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)


class ZstdStream:
    """One zstd frame that is never ended; every payload ends with a block flush."""

    def __init__(self) -> None:
        self._compress = zstandard.ZstdCompressor().compressobj()

    def encode(self, payload: str) -> bytes:
        """The compressed payload, decodable as soon as it arrives."""
        return self._compress.compress(payload.encode()) + self._compress.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


def stream_for(compress: str | None) -> Stream:
    """The stream for the `compress` query parameter; an unknown name gets text, which every client accepts."""
    match compress:
        case "zlib-stream":
            return ZlibStream()
        case "zstd-stream":
            return ZstdStream()
        case _:
            return PlainStream()
