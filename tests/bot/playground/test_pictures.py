"""What a file is, told from its bytes alone."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from bot.playground.attachments import Attachments, stored_name
from bot.playground.pictures import dimensions, media_type


def encoded(kind: str, size: tuple[int, int] = (24, 16)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    made = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + made


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_pictures_under_any_name(kind: str) -> None:
    content = encoded(kind)
    assert media_type(content, "notes.txt") == f"image/{kind.lower()}"
    assert dimensions(content, f"image/{kind.lower()}") == (24, 16)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"<svg/>", "a.png", "application/octet-stream"),
        (b"<svg/>", "a.svg", "image/svg+xml"),
        (b"words", "a.txt", "text/plain; charset=utf-8"),
        (b"\0\1\2", "a.txt", "application/octet-stream"),
        (b"", "a", "application/octet-stream"),
        (b"\0\0\0\x20ftypavif", "x", "image/avif"),
        (b"%PDF-1.7", "x.png", "application/pdf"),
    ],
)
def test_other_files(content: bytes, name: str, kind: str) -> None:
    assert media_type(content, name) == kind


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"exif": b"Exif\0\0x"}])
def test_every_kind_of_webp(options: dict) -> None:
    out = io.BytesIO()
    Image.new("RGB", (321, 77), "red").save(out, "WEBP", **options)
    assert dimensions(out.getvalue(), "image/webp") == (321, 77)
    assert dimensions(out.getvalue()[:-2], "image/webp") is None


def test_bombs_and_broken_pictures_are_stored_all_the_same() -> None:
    assert dimensions(bomb(60_000, 60_000), "image/png") == (60_000, 60_000)
    assert dimensions(bomb(0, 5), "image/png") is None
    assert dimensions(encoded("PNG")[:-20], "image/png") is None
    for kind in ("JPEG", "GIF", "WEBP"):
        assert dimensions(encoded(kind)[:9], f"image/{kind.lower()}") is None


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("my picture.png", "my_picture.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a.png", "a.png"),
        ("häuser (1).png", "huser_1.png"),
        ("", "unknown"),
        ("...", "unknown"),
        ("SPOILER_a.png", "SPOILER_a.png"),
    ],
)
def test_names(given: str, stored: str) -> None:
    assert stored_name(given) == stored


def test_the_oldest_files_lose_their_bytes_first() -> None:
    files = Attachments(kept_bytes=250)
    for number in range(3):
        files.store(number, 1, f"{number}.txt", b"x" * 100)
    assert files.lookup(0) is None
    assert files.lookup(1) == (b"x" * 100, "text/plain; charset=utf-8")
    assert files.take_emptied() == [0]
    assert files[0].size == 100
