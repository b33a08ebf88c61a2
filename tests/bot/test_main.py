"""The command line as an owner meets it: exit codes, and one sentence instead of a traceback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ.GabcDE.abcdefghijklmnopqrstuvwxyz0123"


def bot(*arguments, folder, **environment):
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "ATELIER_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=plain | {"PYTHONPATH": str(ROOT), "ATELIER_DATA_DIR": str(folder / "data")} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def assert_one_sentence(done, sentence):
    assert done.returncode == 78, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert sentence in lines[0]
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("modle: starter", "did you mean “model”?"),
        (f"model: {TOKEN}", "looks like a bot token"),
        ("engine: {threads: -1}", "engine.threads"),
        ("model: nothing-here.safetensors", "nothing-here.safetensors"),
        ("model: weights.ckpt", "weights.ckpt"),
    ],
)
def test_configuration_mistakes_end_with_78_and_one_sentence(tmp_path, settings, sentence):
    (tmp_path / "config.yaml").write_text(settings)
    assert_one_sentence(bot("run", folder=tmp_path, DISCORD_TOKEN=TOKEN), sentence)


def test_a_named_settings_file_must_exist(tmp_path):
    assert_one_sentence(bot("run", "--config", "none.yaml", folder=tmp_path), "none.yaml: cannot be read")
    assert_one_sentence(bot("migrate", folder=tmp_path, ATELIER_CONFIG="none.yaml"), "none.yaml: cannot be read")


def test_a_busy_port_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_one_sentence(bot("playground", "--server-only", "--port", port, folder=tmp_path), port)
        assert_one_sentence(bot("run", "--port", port, folder=tmp_path), port)


def test_migrate_makes_a_database_and_doing_it_twice_changes_nothing(tmp_path):
    for _ in range(2):
        done = bot("migrate", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "newest schema" in done.stdout
    assert (tmp_path / "data" / "atelier.sqlite").exists()


def test_help_names_every_command(tmp_path):
    shown = bot("--help", folder=tmp_path).stdout
    assert all(command in shown for command in ("run", "playground", "doctor", "migrate", "filter", "sweep"))


def test_the_filter_command_answers_line_by_line(tmp_path):
    (tmp_path / "rules.txt").write_text("turnip*\n")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "filter", "test", "--rules", "rules.txt"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input="a house\ntwo turnips\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert ['"verdict": "allow"' in line for line in done.stdout.splitlines()] == [True, False]


def test_sweep_says_what_would_go_then_deletes_it(tmp_path):
    assert_one_sentence(bot("sweep", "--dry-run", folder=tmp_path), "The database is not there yet")
    bot("migrate", folder=tmp_path)
    assert bot("sweep", "--dry-run", folder=tmp_path).stdout == "Nothing is too old.\n"
    stray = tmp_path / "data" / "pictures" / "ab" / ("ab" * 32)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"nobody's")
    os.utime(stray, (0, 0))
    assert "1 files of pictures" in bot("sweep", "--dry-run", folder=tmp_path).stdout
    assert stray.exists()
    assert "1 files of pictures" in bot("sweep", folder=tmp_path).stdout
    assert not stray.exists()
    assert bot("sweep", folder=tmp_path).stdout == "Nothing is too old.\n"
