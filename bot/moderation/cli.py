"""`filter` on the command line: what rules say of prompts from a pipe, and how good the filter is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from bot.moderation.filter import Filter
from bot.moderation.rules import parse_rules
from bot.moderation.verdict import Decision, Verdict

EXIT_CONFIG: Final = 78

app = typer.Typer(help="Try moderators' rules without Discord.", no_args_is_help=True, add_completion=False)


@app.command("test")
def try_rules(
    rules: Annotated[Path, typer.Option(help="File with one rule a line.")],
    json_input: Annotated[bool, typer.Option("--json-input", help="Each line of input is a JSON string.")] = False,
) -> None:
    """Read prompts from standard input, one a line, and write one JSON object a line for each, in order."""
    compiled = _load(rules)
    try:
        for number, line in enumerate(_lines(sys.stdin.buffer), start=1):
            prompt = _decoded(line, number) if json_input else line
            typer.echo(json.dumps(_row(prompt, compiled.check(prompt))))
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; without this, the interpreter complains once more while it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@app.command("bench")
def bench(
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    dictionary: Annotated[Path | None, typer.Option(help="Word list; the system's by default.")] = None,
    prompts: Annotated[int, typer.Option(min=1, help="Random prompts for the false positives.")] = 20_000,
) -> None:
    """Measure recall by class of evasion, false positives and cost."""
    # Imported here so that `filter test` starts without it.
    from bot.moderation.bench import environment, measure

    figures = measure(dictionary, prompts)
    for name, value in figures.items():
        typer.echo(f"{name:<44} {value:>12.4f}")
    if json_path is not None:
        command = f"python -m bot filter bench --prompts {prompts}"
        report = {"figures": figures, "environment": environment(), "command": command}
        json_path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _load(path: Path) -> Filter:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        typer.echo(f"The rules in {path} cannot be read: {error.strerror}.", err=True)
        raise typer.Exit(EXIT_CONFIG) from error
    rules, errors = parse_rules(text.split("\n"))
    for problem in errors:
        typer.echo(f"{path}: {problem}", err=True)
    if errors:
        raise typer.Exit(EXIT_CONFIG)
    return Filter(rules)


def _lines(stream: BinaryIO) -> Iterator[str]:
    for line in stream:
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")


def _decoded(line: str, number: int) -> str:
    """The prompt in a JSON line; one that is no JSON string is checked as it stands, so that nothing slips by."""
    try:
        prompt = json.loads(line)
    except (ValueError, RecursionError):
        prompt = None
    if isinstance(prompt, str):
        return prompt
    typer.echo(f"Line {number} of the input is not a JSON string; it was checked as plain text.", err=True)
    return line


def _row(prompt: str, verdict: Verdict) -> dict[str, str | None]:
    # A shadow rule lets everything pass, and is named all the same: that is what it is on trial for.
    decision = Decision.ALLOW if verdict.verdict is Decision.SHADOW else verdict.verdict
    return {
        "prompt": prompt,
        "verdict": decision.value,
        "rule": verdict.rule,
        "match": verdict.match,
        "view": verdict.view.value if verdict.view else None,
    }
