"""The shape of the house: directions, sizes, names, and what the bot process may load."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.doctor import NEEDED_PERMISSIONS

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for package in ("bot", "generation", "cogs")
    for path in (ROOT / package).rglob("*.py")
    if path.parent.name != "versions"
)
WORDLESS = "util utils helper helpers manager common misc base handler service processor"
SILENT_NAMES = set(WORDLESS.split())
IMPORTED_BY_BOT = """
import sys
import bot.app, bot.doctor, bot.launch, bot.playground.server
from bot.client import COGS
for cog in COGS:
    __import__(cog)
heavy = {"torch", "diffusers", "transformers", "numpy", "accelerate"} & set(sys.modules)
assert not heavy, heavy
"""
PURE = """
import sys
import generation.dispatch, generation.intake, generation.limits, generation.models, generation.queue
import generation.workers.child
heavy = {"torch", "diffusers", "transformers", "discord", "sqlalchemy"} & set(sys.modules)
assert not heavy, heavy
"""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("program", [IMPORTED_BY_BOT, PURE], ids=["bot", "pure core"])
def test_heavy_libraries_stay_in_the_engine_process(program):
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_can_be_held_in_the_head(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert not set(re.split(r"[_/.]", path.stem)) & SILENT_NAMES
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or len(text) < 200, "every module says in one sentence what it is for"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno >= 60]
    assert not too_long


def test_only_the_gate_approves():
    """Approved.of is called in one file of the product; the store re-reads through the checking constructor."""
    callers = {
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Approved.of"
    }
    assert callers == {"generation/safety/gate.py"}
    makers = {
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Approved"
    }
    assert makers == {"bot/store/pictures.py"}
    reviewers = {
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "Approved.reviewed"
    }
    assert reviewers == {"bot/store/pictures.py"}  # only what the gate held, on a moderator's word
    recoders = {
        name(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "recoded"
    }
    assert recoders == {"generation/safety/recoding.py"}  # only what was approved, in a smaller file


def test_the_invite_link_asks_for_exactly_what_doctor_checks():
    link = re.search(r"permissions=(\d+)", (ROOT / "README.md").read_text())
    assert link is not None
    assert int(link[1]) == sum(NEEDED_PERMISSIONS.values())


def test_no_pickle_enters():
    """But for one: TrustMark's weights are published as one, and are read by what knows plain weights only."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "trust_remote_code=True" not in text, path
        if "torch.load(" in text and "starter" not in path.parts:
            assert name(path) == "generation/engine/watermark/published.py"
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            loads = [ast.unparse(node) for node in calls if ast.unparse(node.func) == "torch.load"]
            assert loads == ["torch.load(path, map_location='cpu', weights_only=True)"]


def test_everything_is_pinned_exactly():
    for file in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line
    assert "\ntorch==2.13.0\n" in (ROOT / "requirements.txt").read_text()
