"""What is remembered of pictures: in the transaction that keeps them, found again by bytes, signature and looks."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bot.store.database import Database
from bot.store.fingerprints import FARTHEST, Fingerprint, Fingerprints, _split
from bot.store.jobs import JobStore
from bot.store.preferences import Preferences
from bot.store.schema import fingerprints
from generation.job import Picture, Result
from generation.limits import Allowance
from generation.provenance.mark import Mark
from generation.provenance.payload import Payload, new_manifest, number_of
from generation.provenance.phash import BITS
from generation.safety.approved import Approved
from generation.safety.held import Held
from generation.safety.level import Level
from tests.orders import a_request, an_order

ALLOWANCE = Allowance(burst=20, per_hour=120, daily=400, waiting=30)


@pytest.fixture
async def database(tmp_path: Path, database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, tmp_path) as database:
        yield database


def approved(data: bytes, phash: int | None, manifest: str = "") -> Approved:
    size = {"width": 1, "height": 1}
    mark = Mark(phash, manifest)
    return Approved.of(data, media_type="image/webp", **size, checked_by=("test",), mark=mark)


def a_result(job_id: str) -> Result:
    held = Held(
        data=b"held",
        media_type="image/webp",
        width=1,
        height=1,
        level=Level.MEDIUM,
        seen=("much",),
        checked_by=("test",),
        mark=Mark(0xF0F0, "urn:c2pa:held"),
    )
    return Result(
        job_id=job_id,
        pictures=(
            Picture(index=0, approved=approved(b"first", 2**64 - 1, "urn:c2pa:first")),
            Picture(index=1, approved=approved(b"plain", None)),
            Picture(index=2, approved=None, withheld="Not shown.", held=held),
        ),
        grid=approved(b"grid", 0x0FF0),
        recipe={"model": "/srv/models/ink"},
        seconds=1.0,
    )


async def rendered(database: Database) -> str:
    jobs = JobStore(database)
    await jobs.enqueue(an_order(request=a_request(count=3)), 1.0, ALLOWANCE, 10)
    job = await jobs.claim()
    assert job is not None
    assert await jobs.rendered(job, a_result(job.id))
    return job.id


async def test_everything_that_is_kept_is_remembered(database: Database) -> None:
    job_id, before = await rendered(database), time.time()
    store = Fingerprints(database)
    async with database.read() as connection:
        rows = (await connection.execute(select(fingerprints))).all()
    assert len(rows) == 4
    for data in (b"first", b"plain", b"held", b"grid"):
        found = await store.of_file(approved(data, None).sha256)
        assert found is not None
        assert (found.job_id, found.model) == (job_id, "ink")  # of a path only its end
        assert abs(found.made_at - before) < 10
    first = await store.of_manifest("urn:c2pa:first")
    assert first is not None
    assert first.phash == 2**64 - 1
    assert await store.of_file("0" * 64) is None
    assert await store.of_manifest("urn:c2pa:other") is None
    assert await store.of_manifest("") is None  # of unsigned ones there are many


def test_nobodys_name_is_kept() -> None:
    names = set(fingerprints.c.keys()) | {field.name for field in fields(Fingerprint)}
    assert not {name for name in names if any(word in name for word in ("author", "member", "user", "guild", "prompt"))}


async def test_the_same_file_twice_is_remembered_once(database: Database) -> None:
    first = await rendered(database)
    second = await rendered(database)
    assert first != second
    found = await Fingerprints(database).of_file(approved(b"first", None).sha256)
    assert found is not None
    assert found.job_id == first


async def filled(database: Database, count: int, seed: int = 0) -> list[int]:
    dice = random.Random(seed)
    hashes = [sum(1 << bit for bit in dice.sample(range(BITS), BITS // 2)) for _ in range(count)]
    async with database.write() as connection:
        values = [
            {"sha256": f"{place:064x}", "manifest": "", "job_id": "a" * 16, "model": "m", "made_at": float(place)}
            | {f"band{band}": part for band, part in enumerate(_split(phash))}
            for place, phash in enumerate(hashes)
        ]
        await connection.execute(insert(fingerprints), values)
    return hashes


async def test_the_nearest_is_found_wherever_the_bits_differ(database: Database) -> None:
    hashes = await filled(database, 3000)
    store, dice = Fingerprints(database), random.Random(1)
    for _ in range(40):
        place, flips = dice.randrange(len(hashes)), dice.randrange(FARTHEST + 1)
        asked = hashes[place]
        for bit in dice.sample(range(BITS), flips):
            asked ^= 1 << bit
        found = await store.nearest(asked, within=FARTHEST)
        expected = min((asked ^ each).bit_count() for each in hashes)  # the plain way
        assert found is not None
        assert found[1] == expected <= flips
        assert found[0].phash is not None
        assert (found[0].phash ^ asked).bit_count() == expected


@pytest.mark.slow
async def test_among_a_hundred_thousand_the_nearest_is_found_at_once(database: Database) -> None:
    hashes = await filled(database, 100_000)
    store, dice, taken = Fingerprints(database), random.Random(1), []
    for _ in range(100):
        asked = dice.choice(hashes) ^ 0b110011
        began = time.perf_counter()
        found = await store.nearest(asked, within=FARTHEST)
        taken.append(time.perf_counter() - began)
        assert found is not None
    sys.stdout.write(
        f"\nnearest of 100,000: median {1000 * sorted(taken)[50]:.1f} ms, p95 {1000 * sorted(taken)[95]:.1f} ms\n"
    )
    assert sorted(taken)[50] < 0.05


async def test_what_is_too_far_away_is_not_found(database: Database) -> None:
    hashes = await filled(database, 50)
    far = next(each for each in range(2**63, 2**63 + 1000) if min((each ^ h).bit_count() for h in hashes) > FARTHEST)
    assert await Fingerprints(database).nearest(far, within=FARTHEST) is None
    near = hashes[0] ^ 0b111
    assert await Fingerprints(database).nearest(near, within=2) is None
    assert await Fingerprints(database).nearest(near, within=3) is not None


async def test_of_equals_the_latest_is_named(database: Database) -> None:
    await rendered(database)
    await rendered(database)
    hashes = await filled(database, 2)
    async with database.write() as connection:
        twin = {f"band{band}": part for band, part in enumerate(_split(hashes[0]))}
        values = {"sha256": "f" * 64, "manifest": "", "job_id": "b" * 16, "model": "m", "made_at": 99.0}
        await connection.execute(insert(fingerprints).values(values | twin))
    found = await Fingerprints(database).nearest(hashes[0], within=0)
    assert found is not None
    assert found[0].sha256 == "f" * 64


async def test_old_ones_are_forgotten(database: Database) -> None:
    await filled(database, 10)
    store = Fingerprints(database)
    assert await store.delete_older_than(4.0) == 4
    assert await store.of_file(f"{3:064x}") is None
    assert await store.of_file(f"{4:064x}") is not None


async def test_preferences_are_no_until_said(database: Database) -> None:
    preferences = Preferences(database)
    assert not await preferences.embeds_prompt(1)
    await preferences.set_embed_prompt(1, True)
    assert await preferences.embeds_prompt(1)
    assert not await preferences.embeds_prompt(2)
    await preferences.set_embed_prompt(1, False)
    assert not await preferences.embeds_prompt(1)
    await preferences.set_embed_prompt(1, True)
    await preferences.forget(1)
    assert not await preferences.embeds_prompt(1)


async def test_a_watermark_leads_to_the_picture_that_it_names(database: Database) -> None:
    store, names = Fingerprints(database), [new_manifest() for _ in range(50)]
    twin = names[0][:-1] + ("0" if names[0][-1] != "0" else "1")  # begins like the first one
    rows = [(f"{number:064x}", name) for number, name in enumerate([*names, twin, "", "urn:c2pa:first"])]
    values = [
        {"sha256": digest, "manifest": name, "job_id": "j", "model": "m", "made_at": 1.0} for digest, name in rows
    ]
    async with database.write() as connection:
        await connection.execute(insert(fingerprints), values)
    for name in names[1:]:
        found = await store.of_watermark(Payload(5, number_of(name)))
        assert found is not None
        assert found.manifest == name
    assert await store.of_watermark(Payload(5, number_of(names[0]))) is None  # two pictures begin like that
    assert await store.of_watermark(Payload(5, number_of(names[1]) ^ 1)) is None
