"""The measurement of admission runs and reports what it says."""

from __future__ import annotations

import json

from bot.benches import submit


async def test_it_reports_what_it_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(submit, "RULES", 20)
    report = tmp_path / "figures.json"
    await submit.measure(None, rate=100.0, seconds=0.5, report=report)
    body = json.loads(report.read_text())
    figures = body["figures"]
    assert body["command"] == "python -m bot bench submit --rate 100 --seconds 0.5"
    assert body["environment"]["cores"] >= 1
    assert figures["submit_most_per_s"] > 0
    assert 0 < figures["submit_p50_ms"] <= figures["submit_p99_ms"] <= figures["submit_worst_ms"]
    assert figures["submit_waiting_at_the_end"] == 300 + 25 + 50
