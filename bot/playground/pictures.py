"""What a file is, told from its bytes: media type and, for pictures, width and height."""

from __future__ import annotations

import io
import struct
import warnings

PICTURES = {"image/jpeg": "JPEG", "image/gif": "GIF"}  # those that are left to Pillow

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
)
_BY_ENDING = {
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".csv": "text/csv; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
}


def media_type(content: bytes, filename: str) -> str:
    """Told from the first bytes; only text, which has no signature, is told from the name."""
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "image/avif" if content[8:12] in (b"avif", b"avis") else "video/mp4"
    ending = filename[filename.rfind(".") :].lower() if "." in filename else ""
    is_text = b"\0" not in content[:1024]
    return _BY_ENDING.get(ending, "application/octet-stream") if is_text else "application/octet-stream"


def dimensions(content: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height in pixels from a picture's header; none for a header that cannot be read or makes no sense.

    Nothing is decoded, so a bomb costs no more than its header.
    """
    if kind == "image/png":
        return _png_dimensions(content)
    if kind == "image/webp":
        return _webp_dimensions(content)
    if kind not in PICTURES:
        return None
    from PIL import Image  # imported for the first picture, not at start

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[PICTURES[kind]]) as picture:
                return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _png_dimensions(content: bytes) -> tuple[int, int] | None:
    if content[12:16] != b"IHDR" or len(content) < 33 or b"IEND" not in content[-16:]:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if 0 < width < 2**31 and 0 < height < 2**31 else None


def _webp_dimensions(content: bytes) -> tuple[int, int] | None:
    """The three kinds of WebP header: extended, lossless, lossy."""
    if len(content) < 30 or len(content) < int.from_bytes(content[4:8], "little") + 8:
        return None
    match content[12:16]:
        case b"VP8X":
            return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
        case b"VP8L" if content[20] == 0x2F:
            bits = int.from_bytes(content[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", content[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case _:
            return None
