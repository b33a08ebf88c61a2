"""Files that mean harm, or come from somebody whose disk is full."""

from __future__ import annotations

import io
import os
import struct
import zlib

from PIL import Image

MAGIC = b"\x89PNG\r\n\x1a\n"
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>"""


def png(width: int = 64, height: int = 64) -> bytes:
    """A picture as it should be."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "seagreen").save(file, "PNG")
    return file.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _raw_png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)  # one bit a pixel, grey
    return MAGIC + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IEND", b"")


def bomb(side: int = 8_900) -> bytes:
    """About 10 KiB that want 79 megapixels."""
    rows = zlib.compress(bytes((side // 8 + 2) * side), 9)
    return _raw_png(side, side, _chunk(b"IDAT", rows))


def text_bomb() -> bytes:
    """A small picture with a compressed comment of 10 MB in 10 KiB."""
    comment = b"Comment\0\0" + zlib.compress(bytes(10_000_000), 9)
    return _raw_png(8, 8, _chunk(b"zTXt", comment), _chunk(b"IDAT", zlib.compress(bytes(16), 9)))


def lying_header() -> bytes:
    """A few bytes that say they are 10 gigapixels."""
    return _raw_png(100_000, 100_000, _chunk(b"IDAT", zlib.compress(bytes(16))))


def truncated() -> bytes:
    """A picture that was cut off in the middle."""
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(file, "PNG")
    return file.getvalue()[: len(file.getvalue()) // 2]


def sliver() -> bytes:
    """1 x 100000 pixels."""
    return png(1, 100_000)


def gif() -> bytes:
    """A moving picture of a kind that is not taken."""
    file = io.BytesIO()
    frames = [Image.new("P", (16, 16), colour) for colour in (1, 2)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


def too_big() -> bytes:
    """A valid picture of 11 MiB."""
    picture = png()
    return picture[:-12] + _chunk(b"juNk", bytes(11 * 2**20)) + picture[-12:]
