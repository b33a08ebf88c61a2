"""What the bot's process imports of the engine brings no torch with it."""

from __future__ import annotations

import subprocess
import sys

PURE = (
    "bench.configurations",
    "bench.measures",
    "bench.plots",
    "bench.report",
    "bench.trace",
    "bench.worker",
    "catalogue",
    "dispatch",
    "engine.curve",
    "engine.files",
    "engine.notebook",
    "engine.options",
    "engine.painting",
    "engine.planner",
    "engine.recipe",
    "engine.residence",
    "engine.sample",
    "engine.watermark.commands",
    "errors",
    "headers",
    "intake",
    "job",
    "known_models",
    "limits",
    "models",
    "options",
    "prompt",
    "provenance.payload",
    "provenance.watermark",
    "request",
    "safety.approved",
    "safety.checker",
    "safety.gate",
    "safety.starter_world",
    "workers.child",
    "workers.wire",
    "workers.worker",
)


def test_the_pure_modules_import_no_torch() -> None:
    lines = [f"import generation.{name}" for name in PURE]
    lines.append(
        "import sys; print([n for n in ('torch', 'diffusers', 'transformers', 'discord') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", "\n".join(lines)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")
