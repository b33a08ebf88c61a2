"""The short-lived process that decodes one uploaded picture: bytes on standard input, plain PNG on standard output."""

from __future__ import annotations

import contextlib
import io
import math
import resource
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 16_000_000
MAX_ASPECT = 8
MAX_SIDE = 2048  # pixels of the result
MEMORY = 768 * 1024**2  # bytes of address space; a WebP of 16 megapixels takes 260 MB, the interpreter maps 200
BAND = 2**19  # pixels that are made smaller at a time
LANCZOS_REACH = 3  # rows of the result on either side whose part of the picture counts for one row
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
    from PIL import ExifTags, Image, ImageOps

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
            small = _shrunk(image)
            turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        del image  # its pixels
        small.getexif()[ExifTags.Base.Orientation] = turn
        ImageOps.exif_transpose(small, in_place=True)  # the small one: a second large one would be 64 MB
        return small


def _shrunk(picture: Image.Image) -> Image.Image:
    """As `_plain`, at most 2,048 pixels on the long side; band by band, since each copy of the whole is 64 MB."""
    from PIL import Image

    share = min(1.0, MAX_SIDE / max(picture.size))
    width, height = (max(1, round(side * share)) for side in picture.size)
    if (width, height) == picture.size:
        return _plain(picture)
    small, scale = Image.new("RGB", (width, height)), picture.height / height
    reach = math.ceil(LANCZOS_REACH * scale) + 1  # rows beside a band that have a part in it
    rows = max(1, int(BAND / (picture.width * scale)))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first = max(0, math.floor(top * scale) - reach)
        last = min(picture.height, math.ceil(bottom * scale) + reach)
        band = _plain(picture.crop((0, first, picture.width, last)))
        box = (0, top * scale - first, picture.width, min(bottom * scale - first, band.height))
        small.paste(band.resize((width, bottom - top), Image.Resampling.LANCZOS, box), (0, top))
    return small


def _plain(picture: Image.Image) -> Image.Image:
    """RGB, on white where it is transparent."""
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        picture.alpha_composite(layer)
    elif picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    return picture.convert("RGB")


def _decode(data: bytes) -> int:
    plain = upright(data)
    if isinstance(plain, int):
        return plain
    from PIL import Image

    buffer = io.BytesIO()
    clean = Image.new("RGB", plain.size)
    clean.paste(plain)  # a new picture carries no metadata of the old one
    clean.save(buffer, "PNG", compress_level=1)
    sys.stdout.buffer.write(buffer.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
