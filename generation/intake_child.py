"""The short-lived process that decodes one uploaded picture: bytes on standard input, plain PNG on standard output."""

from __future__ import annotations

import contextlib
import io
import resource
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 16_000_000
MAX_ASPECT = 8
MAX_SIDE = 2048  # pixels of the result
MEMORY = 768 * 1024**2  # bytes of address space; 16 megapixels in RGBA and RGB are 112 MB, the interpreter maps 200
SECONDS = 5
SIGNATURES = ((b"\x89PNG\r\n\x1a\n", 0), (b"\xff\xd8\xff", 0), (b"WEBP", 8))  # first bytes and where they stand
UNREADABLE, TOO_LARGE, TOO_LONG = 10, 11, 12  # exit codes
REASONS = {
    UNREADABLE: "That picture cannot be read; it may be cut off or damaged.",
    TOO_LARGE: "That picture has too many pixels; at most {pixels} megapixels are possible.",
    TOO_LONG: "That picture is too long and thin; at most {aspect} times as long as wide is possible.",
}


def main() -> int:
    """Decode standard input; the exit code is a reason, or 0."""
    confine()
    data = sys.stdin.buffer.read()
    try:
        return _decode(data)
    except Exception as error:  # Pillow's parsers raise almost anything; every one of them means a bad picture
        sys.stderr.write(f"{type(error).__name__}: {error}"[:300])
        return TOO_LARGE if type(error).__name__.startswith("DecompressionBomb") else UNREADABLE


def confine() -> None:
    """Bound what this process may take, whatever a file makes of it."""
    with contextlib.suppress(ValueError):  # macOS knows no such limit; the size of pictures is limited all the same
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def upright(data: bytes) -> Image.Image | int:
    """The picture as people see it, RGB, at most 2,048 pixels on the long side; or the reason why there is none."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS * 4  # our own limit comes first; this one catches what hides in frames
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow warns of bombs and of broken metadata
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                return TOO_LARGE
            if max(width, height) > MAX_ASPECT * min(width, height):
                return TOO_LONG
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # lets JPEG decode at a fraction of its size
            image.load()  # the first frame of an animation
            turned = ImageOps.exif_transpose(image)
        return _plain(turned)


def _plain(picture: Image.Image) -> Image.Image:
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture.alpha_composite(layer)
    elif picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    plain = picture.convert("RGB")
    plain.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return plain


def _decode(data: bytes) -> int:
    from PIL import Image

    plain = upright(data)
    if isinstance(plain, int):
        return plain
    clean = Image.new("RGB", plain.size)
    clean.paste(plain)  # a new picture carries no metadata of the old one
    buffer = io.BytesIO()
    clean.save(buffer, "PNG", compress_level=1)
    sys.stdout.buffer.write(buffer.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
