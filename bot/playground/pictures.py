"""What a file is, told from its bytes: media type and, for pictures, width and height."""

from __future__ import annotations

import io
import struct
import warnings

PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}

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
