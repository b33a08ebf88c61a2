"""`python -m generation bench …`: the words of its commands; torch is loaded only once one of them runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from generation.bench import worker
from generation.bench.configurations import architecture
from generation.bench.kills import measure as measure_kills
from generation.bench.report import Outputs, Report, hand_over
from generation.bench.report import environment as machine
from generation.errors import AtelierError, BadRequest
from generation.request import SIDE, SIDE_MULTIPLE
from generation.terminal import err, fail
from generation.workers.worker import THREADS_SETTINGS, EngineSettings

if TYPE_CHECKING:
    from generation.engine.device import Place

app = typer.Typer(help="Measure the worker as the bot uses it, or the engine in itself.")

Told = Callable[[str, int, int], None]
Arch = Annotated[str | None, typer.Option(help="sd15, sdxl, sd-turbo or small, with random weights.")]
Model = Annotated[str, typer.Option(help="starter, a folder, a .safetensors file, or a hub id.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")]
Dtype = Annotated[str, typer.Option(help="auto, float32, float16, bfloat16")]
Threads = Annotated[int, typer.Option(min=0, max=256, help="CPU threads; 0: one per core, and just one for small.")]
Size = Annotated[int, typer.Option(help="Pixels along a side; 0: the model's own size.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the requests.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]
Markdown = Annotated[Path | None, typer.Option(help="Write the tables to this file.")]
Plots = Annotated[Path | None, typer.Option(help="Draw charts into this folder.")]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    json_file: Json = None,
    model: Model = "starter",
    device: Device = "auto",
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Rounds; the median is reported.")] = 3,
) -> None:
    """Measure the worker as the bot uses it, or with one of the commands below the engine in itself."""
    if context.invoked_subcommand is not None:
        return
    try:
        worker.run(EngineSettings(model=model, device=device), rounds, json_file, Console())
    except AtelierError as error:
        fail(error)


@app.command()
def kills(
    number: Annotated[int, typer.Option("--kills", min=1, max=10_000, help="How often the process is killed.")] = 100,
    threads: Annotated[int, typer.Option(min=1, max=256, help="CPU threads.")] = 1,
    seed: Seed = 1,
    json_file: Json = None,
    markdown: Markdown = None,
) -> None:
    """Kill the painting process at random steps; count what is lost and which pictures are others afterwards."""
    with _measuring(Outputs(json_file, markdown), None) as (outputs, told):
        measured = asyncio.run(measure_kills(number, seed, threads=threads, told=told))
        measured.environment = machine("cpu", model="starter", threads=str(threads))
        outputs(measured)


@app.command()
def curves(
    arch: Arch = None,
    model: Model = "starter",
    device: Device = "auto",
    dtype: Dtype = "auto",
    threads: Threads = 0,
    size: Size = 0,
    rows: Annotated[str, typer.Option(help="Rows of a call to measure.")] = "1,2,3,4,6,8,12,16,24,32",
    variants: Annotated[str, typer.Option(help="Ways of running, by name; all that this device knows if empty.")] = "",
    budget: Annotated[float, typer.Option(min=1, help="Seconds in all; larger sizes are left out first.")] = 120.0,
    json_file: Json = None,
    markdown: Markdown = None,
    plots: Plots = None,
) -> None:
    """How long calls of 1 to 32 rows and decodings of 1 to 16 pictures take, against matrix products."""
    with _measuring(Outputs(json_file, markdown, plots), arch) as (outputs, told):
        counts = [int(number) for number in _numbers(rows, "Rows", low=1, high=256, whole=True)]
        from generation.bench import architectures, curves
        from generation.bench import variants as ways

        place = _place(device, dtype, threads, arch)
        chosen = ways.chosen(ways.variants_on(place.device, place.dtype), variants)
        loaded = architectures.find(arch, model, place)
        report = Report(_environment(place, loaded.card.name))
        side = _side(size, loaded.card.native)
        lines = curves.measure(loaded, chosen, rows=counts, side=side, budget=budget, told=told, notes=report.notes)
        curves.fill(report, lines)
        outputs(report)


@app.command()
def trace(
    arch: Arch = None,
    model: Model = "starter",
    device: Device = "auto",
    dtype: Dtype = "auto",
    threads: Threads = 0,
    size: Size = 0,
    arms: Annotated[
        str,
        typer.Option(
            help="fifo, fifo-alike (in ours' number format), fifo-compiled, static4, roof, ours-fast, ours-exact, "
            "ours-objects, ours-unordered; ours may end in -rN (rows), -dN (pictures decoded together), -eN "
            "(encoder threads). Empty: the usual ones."
        ),
    ] = "",
    loads: Annotated[str, typer.Option(help="Rates for everybody, × the capacity of fifo.")] = "0.5,0.9,1.5",
    own_loads: Annotated[str, typer.Option(help="Rates × each arm's own capacity.")] = "",
    minutes: Annotated[float, typer.Option(min=0.05, help="About how long to measure in all.")] = 12.0,
    requests: Annotated[int, typer.Option(min=0, max=3000, help="Of the trace; 0: as the minutes allow.")] = 0,
    seed: Seed = 1,
    bursty: Annotated[bool, typer.Option(help="20 of the requests come within one second.")] = False,
    trace_file: Annotated[Path | None, typer.Option("--trace", help="Play this saved trace.")] = None,
    save_trace: Annotated[Path | None, typer.Option(help="Save the trace that was played.")] = None,
    json_file: Json = None,
    markdown: Markdown = None,
    plots: Plots = None,
) -> None:
    """Serve the same trace with plain pipeline calls, batches and ours, in turns, in one process."""
    with _measuring(Outputs(json_file, markdown, plots), arch) as (outputs, told):
        Outputs(save_trace).check()
        from generation.bench import architectures, standings
        from generation.bench import loads as played
        from generation.bench.arms import choosing
        from generation.bench.trace import Trace, suited

        place = _place(device, dtype, threads, arch)
        wanted = choosing.wanted(arms or choosing.usual(place.device))
        models = choosing.Models(lambda where, plain: architectures.find(arch, model, where, plain=plain), place)
        card = models.plain().card
        plan = played.Plan(
            arms=wanted,
            loads=_numbers(loads, "Loads", low=0.01, high=100),
            own_loads=_numbers(own_loads, "Own loads", low=0.01, high=100),
            minutes=minutes,
            requests=requests,
            seed=seed,
            bursty=bursty,
            side=_side(size, card.native),
            mix=suited(card, cpu=place.device.type == "cpu"),
            trace=Trace.read(trace_file).painted_with(card.name) if trace_file is not None else None,
        )
        outcome = played.compare(plan, card, models, told, save=save_trace)
        environment = _environment(models.plain().place, card.name)
        if any(wish.kind in choosing.OURS for wish in wanted):
            environment["dtype"] += f"; ours and fifo-alike {models.ours(exact=False).place.dtype_name}"
        report = Report(environment)
        standings.fill(report, outcome)
        outputs(report)


@app.command()
def identity(
    arch: Arch = None,
    model: Model = "starter",
    device: Device = "auto",
    dtypes: Annotated[str, typer.Option(help="Number formats, separated by commas; empty: the usual ones.")] = "",
    threads: Threads = 0,
    size: Size = 0,
    modes: Annotated[str, typer.Option(help="exact, fast")] = "exact,fast",
    rows: Annotated[int, typer.Option(min=0, max=64, help="At most so many rows a call; 0: the measured knee.")] = 0,
    requests: Annotated[int, typer.Option(min=2, max=1000, help="Mixed requests.")] = 64,
    shuffles: Annotated[int, typer.Option(min=1, max=20, help="Times in company, each in another order.")] = 2,
    seed: Seed = 1,
    json_file: Json = None,
    markdown: Markdown = None,
    plots: Plots = None,
) -> None:
    """Count the pictures that are the same, to the bit, alone and in any company."""
    with _measuring(Outputs(json_file, markdown, plots), arch) as (outputs, told):
        wanted = _words(modes, "mode", ("exact", "fast"))
        from generation.bench import architectures, identity
        from generation.engine import trying

        found: dict[tuple[str, str], identity.Sameness] = {}
        first = _place(device, "auto", threads, arch)
        formats = "bfloat16,float16" if first.device.type == "cuda" else "auto"
        for asked_for in _words(dtypes or formats, "number format", ("auto", "float32", "float16", "bfloat16")):
            trials = None
            for mode in wanted:
                found_model = architectures.find(arch, model, _place(device, asked_for, threads, arch))
                loaded, trials = trying.settle(found_model, trials)
                place, dtype = loaded.place, loaded.place.dtype_name
                asked = identity.requests_of(loaded, count=requests, seed=seed, side=_side(size, loaded.card.native))
                options = identity.options_of(mode, rows)
                found[mode, dtype] = identity.compare(loaded, options, asked, shuffles=shuffles, seed=seed, told=told)
                first, name = place, loaded.card.name
        report = Report(_environment(first, name))
        identity.fill(report, found, requests)
        outputs(report)


@app.command()
def stages(
    arch: Arch = None,
    model: Model = "starter",
    device: Device = "auto",
    dtype: Dtype = "auto",
    threads: Threads = 0,
    size: Size = 0,
    steps: Annotated[int, typer.Option(min=0, max=100, help="Of the picture; 0: what suits the model.")] = 0,
    overhead: Annotated[bool, typer.Option(help="Also the engine's own time beside a denoiser of SD1.5 size.")] = True,
    budget: Annotated[float, typer.Option(min=0.1, help="Seconds for the stages, and again for SD1.5.")] = 20.0,
    json_file: Json = None,
    markdown: Markdown = None,
    plots: Plots = None,
) -> None:
    """Where the time of a picture goes, and what the engine adds to a denoiser call."""
    with _measuring(Outputs(json_file, markdown, plots), arch) as (outputs, told):
        from generation.bench import architectures, stages
        from generation.bench import overhead as beside
        from generation.engine import trying

        loaded, _ = trying.settle(architectures.find(arch, model, _place(device, dtype, threads, arch)), None)
        place = loaded.place
        report = Report(_environment(place, loaded.card.name))
        count = steps or loaded.card.steps
        seconds = stages.measure(loaded, side=_side(size, loaded.card.native), steps=count, budget=budget, told=told)
        told("The engine beside the denoiser", 0, 1)
        stages.fill(report, seconds, count, beside.measure(place, budget=budget) if overhead else None)
        outputs(report)


@app.command()
def provenance(
    sheet: Annotated[Path | None, typer.Option(help="Many pictures in one, by `generation.starter sheet`.")] = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds in all.")] = 30.0,
    json_file: Json = None,
    markdown: Markdown = None,
) -> None:
    """What it costs to sign, fingerprint and examine a picture file, and how well copies are recognised."""
    with _measuring(Outputs(json_file, markdown), None) as (outputs, told):
        from generation.bench import provenance as origin

        report = Report(machine("CPU", model="any", dtype="any"))
        origin.measure(report, sheet=sheet, budget=budget, told=told)
        outputs(report)


@contextmanager
def _measuring(outputs: Outputs, arch: str | None) -> Iterator[tuple[Callable[[Report], None], Told]]:
    """A progress bar while the body runs; what it hands over is printed and written; errors become sentences."""
    for library in ("TRANSFORMERS", "DIFFUSERS"):  # before they are imported
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    for name, value in THREADS_SETTINGS.items():  # as in service
        os.environ.setdefault(name, value)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    reports: list[Report] = []
    try:
        outputs.check()
        if arch is not None:
            architecture(arch)
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("Loading", total=None)

            def told(what: str, done: int, total: int) -> None:
                bar.update(task, description=what, completed=done, total=total)

            yield reports.append, told
        for report in reports:
            hand_over(report, outputs, Console())
    except AtelierError as error:
        fail(error)


def _place(device: str, dtype: str, threads: int, arch: str | None) -> Place:
    from diffusers.utils import logging as diffusers_log
    from transformers.utils import logging as transformers_log

    from generation.engine.device import choose

    for log in (diffusers_log, transformers_log):
        log.disable_progress_bar()
    # launch-bound work gains nothing from a second thread, and loses much where cores are shared
    return choose(device, dtype, threads or (1 if arch == "small" else 0))


def _environment(place: Place, name: str) -> dict[str, str]:
    import torch

    found = machine(place.words, model=name, dtype=place.dtype_name)
    if place.device.type == "cuda":
        return found | {"cuda": str(torch.version.cuda)}
    return found | {"threads": str(torch.get_num_threads())}


def _side(size: int, native: int) -> int:
    if size == 0:
        return native
    SIDE.check(size)
    if size % SIDE_MULTIPLE:
        raise BadRequest(f"The size must be a multiple of {SIDE_MULTIPLE} pixels; you asked for {size}.")
    return size


def _numbers(text: str, name: str, *, low: float, high: float, whole: bool = False) -> tuple[float, ...]:
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError as error:
        raise BadRequest(f"{name} must be numbers separated by commas, not “{text[:40]}”.") from error
    if not all(low <= number <= high and (not whole or number == int(number)) for number in found):
        kind = "whole numbers" if whole else "numbers"
        raise BadRequest(f"{name} must be {kind} from {low:g} to {high:g}.")
    if whole and not found:
        raise BadRequest(f"{name}: name at least one number.")
    return tuple(sorted(set(found)))


def _words(text: str, name: str, known: tuple[str, ...]) -> list[str]:
    found = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    strange = [word for word in found if word not in known]
    if strange or not found:
        raise BadRequest(f"The {name} must be one of {', '.join(known)}, or several separated by commas.")
    return found
