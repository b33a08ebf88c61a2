"""Uploaded files of every bad kind, through the real decoding process."""

from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import zlib
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageChops, PngImagePlugin

from generation.errors import BadRequest
from generation.intake import MAX_BYTES, clean


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    image.load()
    return image


def bomb(width: int, height: int) -> bytes:
    """A valid black-and-white PNG of any size in a few KiB."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(b"\0" * ((width + 7) // 8 + 1) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_the_three_formats_come_back_as_plain_png(kind: str) -> None:
    image = opened(await clean(encoded(Image.new("RGB", (300, 200), (200, 30, 40)), kind)))
    assert (image.mode, image.size) == ("RGB", (300, 200))
    pixel = image.getpixel((150, 100))
    assert isinstance(pixel, tuple)
    assert all(abs(a - b) < 6 for a, b in zip(pixel, (200, 30, 40), strict=True))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
async def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert opened(await clean(encoded(Image.new(mode, (64, 48)), kind))).mode == "RGB"


async def test_sixteen_bit_pictures_keep_their_brightness() -> None:
    image = opened(await clean(encoded(Image.new("I;16", (64, 64), 0x8000))))
    assert image.getpixel((5, 5)) == (128, 128, 128)


async def test_transparency_is_laid_on_white() -> None:
    image = opened(await clean(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))))
    assert image.getpixel((5, 5)) == (255, 255, 255)


async def test_orientation_is_applied_and_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the camera was held upright
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    photo = Image.new("RGB", (80, 40), "white")
    photo.paste("red", (0, 0, 40, 40))
    image = opened(await clean(encoded(photo, "JPEG", exif=exif, quality=95, comment=b"from my garden")))
    assert image.size == (40, 80)
    top = image.getpixel((20, 10))
    assert isinstance(top, tuple)
    assert top[0] > 200
    assert top[1] < 80
    assert not image.getexif()
    assert not image.info


async def test_large_pictures_shrink_to_2048_pixels() -> None:
    assert opened(await clean(encoded(Image.new("RGB", (4000, 1000))))).size == (2048, 512)
    assert opened(await clean(encoded(Image.new("RGB", (4000, 3900)), "JPEG"))).size == (2048, 1997)


async def test_of_an_animation_the_first_picture_counts() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue", "green")]
    for kind in ("PNG", "WEBP"):
        image = opened(await clean(encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)))
        assert image.getpixel((25, 25)) == (255, 0, 0)


async def test_bombs_are_refused_by_their_header() -> None:
    data = bomb(9000, 9000)
    assert len(data) < 20_000
    with pytest.raises(BadRequest, match="16 megapixels"):
        await clean(data)
    with pytest.raises(BadRequest, match="too long and thin"):
        await clean(bomb(9000, 10))


async def test_a_bomb_inside_a_text_chunk_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * (200 * 1024 * 1024), zip=True)
    with pytest.raises(BadRequest, match="cannot be read"):
        await clean(encoded(Image.new("RGB", (10, 10)), pnginfo=info))


async def test_files_that_are_no_pictures_are_refused() -> None:
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    for data in (
        b"",
        svg,
        b"GIF89a" + b"\0" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        encoded(Image.new("L", (9, 9)), "TIFF"),
    ):
        with pytest.raises(BadRequest, match="not a PNG, JPEG or WebP"):
            await clean(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_cut_off_and_damaged_files_are_refused(kind: str) -> None:
    whole = encoded(Image.effect_noise((200, 200), 60).convert("RGB"), kind)
    for data in (whole[: len(whole) // 2], whole[:40], whole[:20] + b"\0" * (len(whole) - 20)):
        with pytest.raises(BadRequest, match="cannot be read"):
            await clean(data)


async def test_files_over_ten_mebibytes_are_refused_without_a_process() -> None:
    with pytest.raises(BadRequest, match=r"10\.0 MiB"):
        await clean(b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_BYTES)


async def test_many_at_once_are_all_answered_and_the_loop_stays_free() -> None:
    data = encoded(Image.effect_noise((1200, 900), 60).convert("RGB"), "JPEG")
    gaps: list[float] = []

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.sleep(0.001)
            gaps.append(loop.time() - began)

    watcher = asyncio.create_task(watch())
    results = await asyncio.gather(*(clean(data) for _ in range(6)))
    watcher.cancel()
    assert {opened(result).size for result in results} == {(1200, 900)}
    assert sorted(gaps)[int(len(gaps) * 0.99)] < 0.05


async def test_pictures_are_decoded_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one takes 200 MB."""
    run, now, most = subprocess.run, 0, 0

    def watched(*arguments: Any, **options: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return run(*arguments, **options)
        finally:
            now -= 1

    monkeypatch.setattr("generation.intake.subprocess.run", watched)
    await asyncio.gather(*(clean(encoded(Image.new("RGB", (8, 8)))) for _ in range(4)))
    assert most == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_what_is_made_smaller_looks_as_if_it_had_been_made_smaller_at_once(kind: str, mode: str) -> None:
    """It is done band by band."""
    noise = [Image.effect_noise((240, 160), strength).resize((2400, 1600)) for strength in (20, 60, 90, 40)]
    picture = Image.merge("RGBA", noise) if mode == "RGBA" and kind != "JPEG" else Image.merge("RGB", noise[:3])
    data = encoded(picture, kind, **({"lossless": True} if kind == "WEBP" else {}))
    with Image.open(io.BytesIO(data)) as whole:
        white = Image.new("RGBA", whole.size, "white")
        white.alpha_composite(whole.convert("RGBA"))
    expected = white.convert("RGB").resize((2048, 1365), Image.Resampling.LANCZOS)
    result = opened(await clean(data))
    assert result.size == expected.size
    assert max(high for _, high in ImageChops.difference(result, expected).getextrema()) <= 1


async def test_the_decoding_process_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, str]] = []
    run = subprocess.run

    def watched(*arguments: Any, **options: Any) -> Any:
        told.append(options["env"])
        return run(*arguments, **options)

    monkeypatch.setenv("DISCORD_TOKEN", "geheim")
    monkeypatch.setenv("ATELIER_DATABASE_URL", "postgresql+asyncpg://someone:geheim@db.example/atelier")
    monkeypatch.setattr("generation.intake.subprocess.run", watched)
    opened(await clean(encoded(Image.new("RGB", (8, 8)))))

    [environment] = told
    assert not any("geheim" in value for value in environment.values())
