"""The measurement of claims runs on either kind of database, on one of its own, and leaves nothing behind."""

from __future__ import annotations

import json

from bot.benches import claim
from tests.databases import on_server


async def test_it_measures_and_leaves_the_configured_database_alone(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("ATELIER_DATABASE_URL", database_url)
    report = tmp_path / "figures.json"
    await claim.measure(None, waiting=300, members=30, claims=20, together=2, report=report)
    body = json.loads(report.read_text())
    figures = body["figures"]
    assert body["command"] == "python -m bot bench claim --waiting 300 --crowd 30 --claims 20"
    for name in ("alone", "beside_orders", *(["together"] if "postgresql" in database_url else [])):
        assert 0 < figures[f"claim_p50_ms_{name}"] <= figures[f"claim_p99_ms_{name}"]
    if "postgresql" in database_url:
        if (await on_server("SELECT to_regclass('jobs') IS NOT NULL", database_url))[0][0]:
            assert await on_server("SELECT count(*) FROM jobs", database_url) == [(0,)]
    else:
        assert not (tmp_path / "a.sqlite").exists()
