"""`filter` as people run it: a real process with pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(tmp_path: Path, rules: str, stdin: bytes, *extra: str) -> subprocess.CompletedProcess[bytes]:
    path = tmp_path / "rules.txt"
    path.write_text(rules, encoding="utf-8")
    command = [sys.executable, "-m", "bot", "filter", "test", "--rules", str(path), *extra]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=60, check=False)


def test_one_object_a_line_in_order(tmp_path: Path) -> None:
    long = b"a walnut " + b"x" * 300_000
    done = run(tmp_path, "walnut # snack\n", b"a red house\nw4lnut\r\n\n\xff\xfe wal\xc3nut\n" + long)
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0] == {"prompt": "a red house", "verdict": "allow", "rule": None, "match": None, "view": None}
    assert rows[1] == {"prompt": "w4lnut", "verdict": "block", "rule": "walnut", "match": "w4lnut", "view": "leet"}
    assert [row["verdict"] for row in rows] == ["allow", "block", "allow", "block", "block"]
    assert len(rows[4]["prompt"]) == len(long)


def test_severities_of_files(tmp_path: Path) -> None:
    done = run(tmp_path, "review:walnut\nshadow:pelican\nnear:oak, elm\n", b"walnut\npelican\nelm, oak\noak\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["verdict"], row["rule"]) for row in rows] == [
        ("review", "review:walnut"), ("allow", "shadow:pelican"), ("block", "near:oak, elm"), ("allow", None),
    ]  # fmt: skip
    assert (rows[1]["match"], rows[1]["view"]) == ("pelican", "plain")


def test_json_input_carries_newlines_and_survives_rubbish(tmp_path: Path) -> None:
    done = run(tmp_path, "walnut\n", b'"two\\nwalnut"\nno json walnut\n"\\ud800"\n[1]\n', "--json-input")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["prompt"], row["verdict"]) for row in rows] == [
        ("two\nwalnut", "block"), ("no json walnut", "block"), ("\ud800", "allow"), ("[1]", "allow"),
    ]  # fmt: skip
    assert done.stderr.count(b"is not a JSON string") == 2


def test_bad_rules_end_with_one_sentence_for_each(tmp_path: Path) -> None:
    done = run(tmp_path, "walnut\nwal*nut\nre:(\n", b"walnut\n")
    assert (done.returncode, done.stdout) == (78, b"")
    lines = done.stderr.decode().splitlines()
    assert ["Line 2" in lines[0], "Line 3" in lines[1], len(lines)] == [True, True, 2]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot", "filter", "test", "--rules", str(tmp_path / "none")]
    done = subprocess.run(command, input=b"", capture_output=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 78
    assert b"cannot be read" in done.stderr


def test_each_answer_comes_before_the_next_question(tmp_path: Path) -> None:
    path = tmp_path / "rules.txt"
    path.write_text("walnut\n", encoding="utf-8")
    command = [sys.executable, "-m", "bot", "filter", "test", "--rules", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for prompt, verdict in ((b"walnut\n", "block"), (b"house\n", "allow")):
            process.stdin.write(prompt)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["verdict"] == verdict
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize("absent", ["discord", "sqlalchemy", "aiohttp", "torch"])
def test_the_filter_starts_without_the_rest_of_the_house(absent: str) -> None:
    script = f"import sys; sys.modules[{absent!r}] = None; import bot.moderation.cli"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False).returncode == 0


def test_bench_writes_figures(tmp_path: Path) -> None:
    words, report = tmp_path / "words", tmp_path / "figures.json"
    words.write_text("house\nriver\nstar\n", encoding="utf-8")
    extra = ["--json", str(report), "--dictionary", str(words), "--prompts", "200"]
    command = [sys.executable, "-m", "bot", "filter", "bench", *extra]
    subprocess.run(command, cwd=ROOT, timeout=120, check=True, capture_output=True)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert set(found) == {"figures", "environment", "command"}
    assert found["figures"]["recall, plain"] == 1
    assert found["figures"]["mean us, 5,000 rules"] > 0
