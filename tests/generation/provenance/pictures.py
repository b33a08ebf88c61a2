"""Pictures that the starter model painted, and their files, signed or not."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

import generation
from generation.engine.marking import Marking
from generation.job import Job
from generation.models import describe
from generation.request import Request
from generation.workers.worker import EngineSettings

SHEET = Path(generation.__file__).parent / "starter" / "record" / "sheet.webp"
TILE = 192  # pixels along a side
CARD = describe("starter")


@cache
def starter_pictures() -> tuple[Image.Image, ...]:
    """24 of them, 384 pixels along a side."""
    with Image.open(SHEET) as sheet:
        whole = sheet.convert("RGB")
    corners = [(x, y) for y in range(0, whole.height, TILE) for x in range(0, whole.width, TILE)]
    tiles = [whole.crop((x, y, x + TILE, y + TILE)) for x, y in corners]
    return tuple(tile.resize((2 * TILE, 2 * TILE), Image.Resampling.BICUBIC) for tile in tiles)


def a_job(prompt: str = "a red house", *, embed_prompt: bool = False, **changes: Any) -> Job:
    values: dict[str, Any] = {"width": 256, "height": 256, "steps": 20, "guidance": 4.0, "sampler": "dpmpp_2m"}
    request = Request(**values | {"prompt": prompt, "seed": 7, "model": "starter"} | changes)
    return Job(id="a" * 16, request=request, embed_prompt=embed_prompt)


def a_file(image: Image.Image | None = None, job: Job | None = None, index: int | None = 0, **settings: Any) -> Any:
    """The file of a picture as the engine makes it."""
    image = image or starter_pictures()[0]
    return Marking(EngineSettings(**settings)).file(image, index, job or a_job(), CARD)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
