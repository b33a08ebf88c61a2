"""What a benchmark hands over: figures as JSON, tables for people and for Markdown, charts for a folder."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from generation.bench import plots
from generation.errors import BadRequest

PACKAGES = ("torch", "diffusers", "transformers", "pillow", "numpy", "c2pa-python")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(slots=True)
class Report:
    """Everything one command measured."""

    environment: Mapping[str, str]
    figures: dict[str, float] = field(default_factory=dict)
    sheets: list[Sheet] = field(default_factory=list)
    charts: list[plots.Chart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what a reader must know: mixes, bounds, what was left out


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a report goes, besides the terminal."""

    json_file: Path | None = None
    markdown: Path | None = None
    plots: Path | None = None  # a folder

    def check(self) -> None:
        """Raise BadRequest before minutes are spent on what cannot be written."""
        for path in (self.json_file, self.markdown):
            if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
                raise BadRequest(f"“{path}” cannot be written: its folder does not exist, or it is a folder itself.")
        if self.plots is not None:
            if self.plots.exists() and not self.plots.is_dir():
                raise BadRequest(f"“{self.plots}” is a file; plots need a folder.")
            plots.require()


def environment(device: str, **more: str) -> dict[str, str]:
    """The machine and the versions that a figure belongs to."""
    found = {"device": device, "platform": platform.platform(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | more


def command() -> str:
    """The command that is running, as it can be typed again."""
    return " ".join(["python -m generation", *sys.argv[1:]])


def hand_over(report: Report, outputs: Outputs, console: Console) -> None:
    """Print `report` and write what was asked for."""
    for sheet in report.sheets:
        table = Table(*sheet.columns, title=sheet.title)
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for note in report.notes:
        console.print(note, markup=False, highlight=False)
    if outputs.json_file is not None:
        outputs.json_file.write_text(as_json(report), "utf-8")
    if outputs.markdown is not None:
        outputs.markdown.write_text(as_markdown(report), "utf-8")
    if outputs.plots is not None:
        outputs.plots.mkdir(parents=True, exist_ok=True)
        for chart in report.charts:
            plots.draw(chart, outputs.plots / f"{chart.name}.png")


def as_json(report: Report) -> str:
    """The figures in the form that every benchmark of Atelier writes."""
    data = {"figures": report.figures, "environment": dict(report.environment), "command": command()}
    if report.notes:
        data["notes"] = report.notes
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(report: Report) -> str:
    """The tables, ready to be pasted below a heading."""
    lines = [f"`{command()}`", ""]
    for sheet in report.sheets:
        lines += [f"### {sheet.title}", "", _line(sheet.columns), _line(["---"] * len(sheet.columns))]
        lines += [*(_line(row) for row in sheet.rows), ""]
    lines += [f"- {note}" for note in report.notes]
    lines += ["", ", ".join(f"{name} {value}" for name, value in report.environment.items()), ""]
    return "\n".join(lines)


def shown(value: float | None) -> str:
    """A figure with three digits that matter; a dash for what was not measured."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
