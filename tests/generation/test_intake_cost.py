"""What a hostile picture costs: a refusal within a second and 100 MiB at most; what is as large as allowed, 200 MiB.

Each on top of what a harmless one costs.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from PIL import ExifTags, Image

from tests.e2e import nasty_files

PROGRAM = """
import asyncio, json, resource, sys, time
from generation.errors import BadRequest
from generation.intake import clean
from tests.e2e import nasty_files

def memory():  # MiB, the most so far: of this process, and of one that it started
    return [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]

async def refused(data):
    began = time.perf_counter()
    try:
        await clean(data)
    except BadRequest:
        return time.perf_counter() - began
    return 99.0

async def main():
    await clean(nasty_files.png())
    before = memory()
    taken = {}
    for name in sys.argv[1:]:
        data = getattr(nasty_files, name)()
        taken[name] = min([await refused(data) for _ in range(3)])
    print(json.dumps({"seconds": taken, "mebibytes": [max(0, b - a) for a, b in zip(before, memory())]}))

asyncio.run(main())
"""
DECODING = """
import sys
from generation import intake_child
intake_child.main()
with open("/proc/self/status") as status:  # what getrusage says includes the process that started this one
    sys.stderr.write(next(line for line in status if line.startswith("VmHWM:")).split()[1])
"""
GREEDY = """
import resource
from generation import intake_child
intake_child.confine()
assert resource.getrlimit(resource.RLIMIT_CPU) == (5, 5)
try:
    bytearray(768 * 2**20)
except MemoryError:
    print("refused")
"""
HOSTILE = ("bomb", "text_bomb", "lying_header", "truncated", "sliver", "gif", "too_big")


def test_a_hostile_picture_is_refused_within_a_second_and_costs_no_memory() -> None:
    assert all(hasattr(nasty_files, name) for name in HOSTILE)
    command = [sys.executable, "-c", PROGRAM, *HOSTILE]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    told = json.loads(done.stdout)
    assert max(told["seconds"].values()) <= 1.0, told
    assert max(told["mebibytes"]) < 100.0, told


def large(size: tuple[int, int] = (4000, 4000)) -> Image.Image:
    """All the pixels that are possible, and in each all that one can have."""
    return Image.new("RGBA", size, (200, 40, 60, 100))


def webp(**options: object) -> bytes:
    return _saved(large(), "WEBP", **options)


def animated() -> bytes:
    return webp(lossless=True, save_all=True, append_images=[Image.new("RGBA", (4000, 4000), "navy")])


def flat_png(mode: str = "RGBA", size: tuple[int, int] = (4000, 4000)) -> bytes:
    return _saved(large(size).convert(mode), "PNG")


def turned_png() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return _saved(large(), "PNG", exif=exif)


def jpeg(mode: str, **options: object) -> bytes:
    return _saved(large().convert("RGB").convert(mode), "JPEG", subsampling=0, **options)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def _decoding(data: bytes) -> float:
    """MiB that the process which decodes `data` had at most."""
    done = subprocess.run([sys.executable, "-c", DECODING], input=data, capture_output=True, timeout=60, check=False)
    assert done.stdout.startswith(nasty_files.MAGIC), done.stderr
    return int(done.stderr) / 1024


@pytest.mark.parametrize(
    ("made", "most"),
    [
        pytest.param(flat_png, 100, id="PNG"),
        pytest.param(lambda: flat_png("LA"), 100, id="PNG, grey"),
        pytest.param(lambda: flat_png("P"), 100, id="PNG, palette"),
        pytest.param(lambda: flat_png(size=(11_200, 1428)), 100, id="PNG, long"),
        pytest.param(turned_png, 100, id="PNG, turned"),
        pytest.param(lambda: jpeg("RGB"), 100, id="JPEG"),
        # libjpeg keeps all coefficients of a progressive one; libwebp two canvases beside the pixels, Pillow a copy.
        pytest.param(lambda: jpeg("CMYK", progressive=True), 200, id="JPEG, progressive"),
        pytest.param(webp, 280, id="WebP"),
        pytest.param(lambda: webp(lossless=True), 280, id="WebP, lossless"),
        pytest.param(animated, 280, id="WebP, moving"),
    ],
)
def test_a_picture_as_large_as_allowed_costs_little_memory(made: Callable[[], bytes], most: float) -> None:
    assert _decoding(made()) - _decoding(nasty_files.png()) < most


def test_whatever_a_file_makes_of_the_decoding_process_it_has_little_memory_and_time() -> None:
    done = subprocess.run([sys.executable, "-c", GREEDY], capture_output=True, timeout=60, check=True)
    assert done.stdout.split() == [b"refused"]
