"""Picture files: encoding, the recipe inside them, reading it back, and the grid of a set. No torch."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from generation.engine.recipe import parse_parameters
from generation.provenance.mark import UNMARKED, Mark

MEDIA_TYPES = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg"}
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"  # IPTC's vocabulary of how a picture came to be
UNICODE = b"UNICODE\0"  # EXIF 2.3: the character code of a UserComment, eight bytes
LIKENESS_SIDE = 256  # pixels along the long side
GRID_SIDE = 2048  # pixels; a larger grid is shrunk by half until it fits
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="{source}"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """An encoded picture that nobody approved yet."""

    data: bytes = field(repr=False)
    media_type: str
    mark: Mark = UNMARKED


def source_type(*, from_upload: bool) -> str:
    """The IPTC's word for how a picture came to be: by a trained model alone, or with an uploaded picture."""
    return SOURCE_TYPE + ("compositeWithTrainedAlgorithmicMedia" if from_upload else "trainedAlgorithmicMedia")


def encode(image: Image.Image, file_format: str, *, parameters: str | None, from_upload: bool) -> PictureFile:
    """Encode `image` ("webp" is lossless), with `parameters` in its metadata unless None."""
    xmp = XMP.format(source=source_type(from_upload=from_upload)).encode()
    exif = _exif(parameters)
    buffer = io.BytesIO()
    if file_format == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        if parameters is not None:
            info.add_itxt("parameters", parameters)
        image.save(buffer, "PNG", pnginfo=info, exif=exif, compress_level=1)
    elif file_format == "jpeg":
        image.save(buffer, "JPEG", quality=95, subsampling=0, exif=exif, xmp=xmp)
    else:
        # quality 0, method 0: the fastest lossless setting, and still smaller than a PNG
        image.save(buffer, "WEBP", lossless=True, quality=0, method=0, exif=exif, xmp=xmp)
    return PictureFile(buffer.getvalue(), MEDIA_TYPES.get(file_format, "image/webp"))


def opened(png: bytes) -> Image.Image:
    """An upload as an RGB picture; intake hands over clean PNG only."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return image.convert("RGB")


def likeness(image: Image.Image, side: int) -> tuple[Image.Image, PictureFile]:
    """A blurred likeness of `side` pixels along the long side, shown larger; carries no recipe."""
    shrink = side / max(image.size)
    small = image.resize([max(1, round(length * shrink)) for length in image.size], Image.Resampling.BOX)
    grow = LIKENESS_SIDE / max(small.size)
    blurred = small.resize([max(8, round(length * grow)) for length in small.size], Image.Resampling.BICUBIC)
    return blurred, encode(blurred, "jpeg", parameters=None, from_upload=False)


def read_recipe(data: bytes) -> dict[str, str]:
    """The recipe inside a picture file of ours or of a like program (see recipe.parse_parameters); empty when none.

    Reads metadata only; still, hand it nothing that is not known to be a picture of sensible size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            text = image.info.get("parameters")
            if not isinstance(text, str):
                comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment, b"")
                text = _comment(comment) if isinstance(comment, bytes) else str(comment)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}
    return parse_parameters(text)


def compose_grid(images: Sequence[Image.Image]) -> Image.Image:
    """The pictures of a set side by side, two across, in order."""
    across = 2
    width, height = images[0].size
    shrink = 1
    while max(width * across, height * -(-len(images) // across)) // shrink > GRID_SIDE:
        shrink *= 2
    tiles = [image.reduce(shrink) if shrink > 1 else image for image in images]
    width, height = tiles[0].size
    sheet = Image.new("RGB", (width * across, height * -(-len(tiles) // across)), (24, 24, 27))
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (i % across * width, i // across * height))
    return sheet


def _exif(parameters: str | None) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Atelier"
    if parameters is not None:
        # big-endian, as readers of this field expect whatever the byte order of the rest
        comment = UNICODE + parameters.encode("utf-16-be")
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    return exif.tobytes()


def _comment(raw: bytes) -> str:
    if raw.startswith(UNICODE):
        return raw[8:].decode("utf-16-be", "replace")
    return raw[8:].decode("utf-8", "replace")
