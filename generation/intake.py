"""Makes uploaded pictures safe: decoded in a short-lived process of little memory, re-encoded, metadata gone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import generation
from generation.errors import BadRequest
from generation.intake_child import MAX_ASPECT, MAX_PIXELS, REASONS, SIGNATURES, UNREADABLE
from generation.provenance.examination import Examination
from generation.provenance.payload import Payload

log = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024  # Discord's own limit for a member's file
TIMEOUT = 5.0  # seconds; a picture of 16 megapixels takes about one
SEEK_TIMEOUT = 60.0  # seconds for reading watermarks; it takes three or four, most of them for loading torch
NEEDED = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT"})  # of the environment
ALONE = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # threads would each take a share of the little memory

_threads = ThreadPoolExecutor(1, thread_name_prefix="intake")  # one at a time: a large WebP takes 260 MB
_seeking = ThreadPoolExecutor(1, thread_name_prefix="seek")  # one at a time: that process needs half a gigabyte


async def clean(data: bytes) -> bytes:
    """PNG, RGB, upright, at most 2,048 pixels on the long side, of an uploaded file; raises BadRequest."""
    _check(data)
    return await asyncio.get_running_loop().run_in_executor(_threads, _decode, data)


async def inspect(data: bytes, roots: str) -> Examination:
    """What an uploaded file says of its origin; `roots` are PEM of our own certificates. Raises BadRequest."""
    _check(data)
    return await asyncio.get_running_loop().run_in_executor(_threads, _inspect, data, roots)


async def seek_watermarks(data: bytes, folder: str) -> tuple[Payload, ...] | None:
    """What watermarks in an uploaded picture say, whosever they are; None when that cannot be found out now.

    `folder` holds the weights that read them. Raises BadRequest.
    """
    png = await clean(data)
    return await asyncio.get_running_loop().run_in_executor(_seeking, _seek, png, folder)


def _check(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        size, most = len(data) / 1024**2, MAX_BYTES // 1024**2
        raise BadRequest(f"That file has {size:.1f} MiB; at most {most} MiB are possible.")
    if not any(data[skip : skip + len(magic)] == magic for magic, skip in SIGNATURES):
        raise BadRequest("That file is not a PNG, JPEG or WebP picture, whatever its name says.")


def _decode(data: bytes) -> bytes:
    done = _in_child("generation.intake_child", data)
    if done is None:
        raise BadRequest("That picture takes too long to read; please save it anew and try again.")
    if done.returncode == 0 and done.stdout:
        return done.stdout
    if done.returncode not in REASONS:
        log.warning("intake ended with code %s: %s", done.returncode, _said(done.stderr))
    sentence = REASONS.get(done.returncode, REASONS[UNREADABLE])
    raise BadRequest(sentence.format(pixels=MAX_PIXELS // 1_000_000, aspect=MAX_ASPECT))


def _inspect(data: bytes, roots: str) -> Examination:
    done = _in_child("generation.provenance.inspect_child", roots.encode("ascii") + b"\0" + data)
    if done is None:
        raise BadRequest("That picture takes too long to read, so nothing can be said of it.")
    if done.returncode:
        log.warning("inspection ended with code %s: %s", done.returncode, _said(done.stderr))
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return Examination.of(hashlib.sha256(data).hexdigest(), found)


def _seek(png: bytes, folder: str) -> tuple[Payload, ...] | None:
    done = _in_child("generation.engine.watermark.reading_child", os.fsencode(folder) + b"\n" + png, SEEK_TIMEOUT)
    if done is None:
        log.error("reading watermarks took over %.0f s", SEEK_TIMEOUT)
        return None
    if done.returncode:
        log.error("reading watermarks ended with code %s: %s", done.returncode, _said(done.stderr))
        return None
    return tuple(Payload(*pair) for pair in json.loads(done.stdout))


def _in_child(module: str, given: bytes, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[bytes] | None:
    """Run `module` in a process of its own; None when it took too long, in seconds."""
    root = str(Path(generation.__file__).parents[1])
    # Whatever a hostile file makes of this process, it finds no token and no password there.
    environment = {name: value for name, value in os.environ.items() if name in NEEDED} | ALONE | {"PYTHONPATH": root}
    try:
        return subprocess.run(  # noqa: S603 - our own modules, by name
            [sys.executable, "-m", module],
            input=given,
            capture_output=True,
            timeout=timeout,
            env=environment,
            process_group=0,
        )
    except subprocess.TimeoutExpired:
        return None


def _said(stderr: bytes) -> str:
    return stderr.decode("utf-8", "replace")[-400:]
