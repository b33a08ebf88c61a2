"""The starter model from a terminal: `python -m generation.starter train`, `evaluate`, `sheet` and more."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random
from typing import Annotated

import torch
import typer
from rich.console import Console

from generation.models import STARTER
from generation.starter import record
from generation.starter.captions import caption
from generation.starter.checking import schooling as checking
from generation.starter.checking.figures import on_renders
from generation.starter.checking.head import write_head
from generation.starter.judging import schooling
from generation.starter.judging.engine_painter import EnginePainter
from generation.starter.judging.figures import Inquiry, measure, show
from generation.starter.judging.painter import Painter
from generation.starter.judging.questions import gallery
from generation.starter.judging.reader import load_reader
from generation.starter.sheet import write_sheet
from generation.starter.training import loop, parts
from generation.starter.training.dataset import Source
from generation.starter.training.diffusion import ATTENTION, CENTRE
from generation.starter.training.settings import Settings
from generation.starter.words import LEARNT_LATER

HERE = Path(__file__).parent
READER = HERE / "reader.safetensors"
RUN = Path("starter-run")
GUIDANCE = 3.0  # above it, washes and glows of the styles become too strong to be read as such
SUFFIXES = (".json", ".txt", ".safetensors")

World = Annotated[str, typer.Option(help="first (single big things), narrow or full.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:1")]
Dtype = Annotated[
    str, typer.Option(help="Paint with the engine, in auto, float32 or bfloat16; empty: with plain diffusers.")
]
RunFolder = Annotated[Path, typer.Option(help="Folder of checkpoint, log and cached pictures.")]
Threads = Annotated[int, typer.Option(help="CPU threads; 0 leaves it to torch.")]
Before = Annotated[int, typer.Option(help="Samples of earlier runs, from whose weights this one began.")]
SecondsBefore = Annotated[float, typer.Option(help="Seconds of earlier runs.")]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Train and judge the model that comes along.")
console = Console()


@app.command()
def train(
    minutes: Annotated[float, typer.Option(help="How long to train in this call.")] = 30.0,
    world: World = "narrow",
    device: Device = "cpu",
    run: RunFolder = RUN,
    start: Annotated[Path, typer.Option(help="Weights to begin from.")] = STARTER,
    pictures: Annotated[int, typer.Option(help="Cached pictures of the world.")] = 30000,
    batch: Annotated[int, typer.Option(help="Pictures per step and process.")] = 16,
    processes: Annotated[int, typer.Option(help="Processes that share the work on a CPU.")] = 1,
    threads: Threads = 1,
    workers: Annotated[int, typer.Option(help="Processes that draw pictures.")] = 2,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 1e-3,
    cooldown: Annotated[float, typer.Option(help="Share of the time at the end in which it falls.")] = 0.0,
    ema: Annotated[float, typer.Option(help="Decay of the moving average.")] = 0.998,
    centre: Annotated[float, typer.Option(help="Log signal-to-noise ratio that is trained most.")] = CENTRE,
    attention: Annotated[float, typer.Option(help="Extra weight of the cells that show a thing.")] = ATTENTION,
    many: Annotated[float, typer.Option(help="How often several things are seen, one thing being 1.")] = 1.0,
    hazards: Annotated[float, typer.Option(help="Share of pictures with hazard tape.")] = 0.04,
    favoured: Annotated[
        list[str] | None, typer.Option(help="What is weak, e.g. mushroom=2: seen twice as often.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the pictures and of the training.")] = 0,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the network first; worth it on a GPU.")] = False,
) -> None:
    """Train for some minutes, continuing what the run folder holds; the checkpoint stays there."""
    chosen = Settings(
        run=run, start=start, world=world, device=device, minutes=minutes, pictures=pictures, batch=batch,
        processes=processes, threads=threads, workers=workers, lr=lr, cooldown=cooldown, ema=ema, centre=centre,
        attention=attention, many=many, hazards=hazards, favoured=_numbers(favoured or []),
        seed=seed, compile=compiled,
    )  # fmt: skip
    loop.train(chosen)
    export(out=run / "weights", run=run, start=start)
    if (run / "weights").is_dir():
        sheet(out=run / f"sheet-{world}.png", count=16, weights=run / "weights", device=device)


def _numbers(pairs: list[str]) -> dict[str, float]:
    return {name: float(number) for name, _, number in (pair.partition("=") for pair in pairs)}


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    run: RunFolder = RUN,
    start: Annotated[Path, typer.Option(help="Weights the run began from.")] = STARTER,
) -> None:
    """Write the moving average of a run as a pipeline folder."""
    read = parts.read_parts(start)
    saved = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    read.load(saved["average"])
    parts.write_model(read, start, out)
    progressed = saved["progressed"]
    console.print(f"{progressed['samples']} samples in {progressed['seconds'] / 60:.0f} minutes: {out}")


@app.command()
def words(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    start: Annotated[Path, typer.Option(help="Weights to begin from.")] = STARTER,
) -> None:
    """Write weights that know each layout word as one token."""
    parts.with_words(start, LEARNT_LATER, out)


@app.command()
def mute(
    unknown: Annotated[list[str], typer.Argument(help="Words that no picture of the training showed, e.g. city.")],
    weights: Annotated[Path, typer.Option(help="Pipeline folder to change.")] = STARTER,
    like: Annotated[str, typer.Option(help="A word without a picture.")] = "wallpaper",
) -> None:
    """Make words mean nothing, where the weights took one for something else."""
    parts.without_meaning(weights, unknown, like)


@app.command()
def reader(
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 10.0,
    world: World = "narrow",
    run: RunFolder = RUN,
    out: Annotated[Path, typer.Option(help="File to write.")] = READER,
    pictures: Annotated[int, typer.Option(help="Renders to learn from.")] = 16000,
    workers: Annotated[int, typer.Option(help="Processes that draw pictures.")] = 2,
    threads: Threads = 1,
    proceed: Annotated[bool, typer.Option("--continue", help="Begin with what the file holds.")] = False,
) -> None:
    """Train the attribute reader, and say how well it reads renders it has never seen."""
    torch.set_num_threads(threads or torch.get_num_threads())
    schooling.school(world, minutes, run, out, pictures=pictures, workers=workers, proceed=proceed)
    console.print(schooling.examine(load_reader(out), world, run, workers=workers))


@app.command()
def checker(
    weights: Annotated[Path, typer.Option(help="Pipeline folder to add it to.")] = STARTER,
    minutes: Annotated[float, typer.Option(help="How long to train.")] = 6.0,
    run: RunFolder = RUN,
    pictures: Annotated[int, typer.Option(help="Renders of each world to learn from.")] = 6000,
    workers: Annotated[int, typer.Option(help="Processes that draw pictures.")] = 2,
    threads: Threads = 1,
) -> None:
    """Train the safety checker of the starter's world, which knows hazard tape and nothing else."""
    torch.set_num_threads(threads or torch.get_num_threads())
    write_head(checking.school(minutes, run, pictures=pictures, workers=workers), weights)
    for world in ("narrow", "full"):
        console.print(world, on_renders(weights, world))


@app.command()
def evaluate(
    weights: Annotated[Path, typer.Option(help="Pipeline folder to judge.")] = STARTER,
    world: World = "narrow",
    prompts: Annotated[int, typer.Option(help="How many.")] = 500,
    steps: Annotated[int, typer.Option(help="Denoising steps.")] = 20,
    few: Annotated[int, typer.Option(help="Steps of the quick way; 0 leaves it out.")] = 8,
    guidance: Annotated[float, typer.Option(help="How closely to follow the prompt.")] = GUIDANCE,
    device: Device = "cpu",
    dtype: Dtype = "",
    judge: Annotated[Path, typer.Option("--reader", help="The attribute reader.")] = READER,
    speed: Annotated[bool, typer.Option(help="Also measure seconds per picture.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
    threads: Threads = 1,
) -> None:
    """Measure how well pictures follow their prompts."""
    torch.set_num_threads(threads or torch.get_num_threads())
    figures = measure(
        Inquiry(
            weights=weights,
            reader=judge,
            world=world,
            prompts=prompts,
            steps=steps,
            few=few,
            guidance=guidance,
            device=device,
            speed=speed,
            dtype=dtype,
            threads=threads,
        )
    )
    show(figures, console)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


@app.command()
def sheet(
    out: Annotated[Path, typer.Option(help="Picture file to write.")],
    count: Annotated[int, typer.Option(help="How many pictures.")] = 24,
    weights: Annotated[Path, typer.Option(help="Pipeline folder.")] = STARTER,
    world: World = "narrow",
    steps: Annotated[int, typer.Option(help="Denoising steps.")] = 20,
    guidance: Annotated[float, typer.Option(help="How closely to follow the prompt.")] = GUIDANCE,
    device: Device = "cpu",
    dtype: Dtype = "",
) -> None:
    """Paint the first prompts of a fixed series with fixed seeds; nobody chooses among them."""
    asked = gallery(world, count)
    painter = EnginePainter(weights, device, dtype, 0) if dtype else Painter(weights, device)
    write_sheet(painter.paint(asked, steps=steps, guidance=guidance), out)
    out.with_suffix(".txt").write_text("".join(f"{question.prompt}\n" for question in asked), "utf-8")


@app.command()
def renders(
    out: Annotated[Path, typer.Option(help="Picture file to write.")],
    count: Annotated[int, typer.Option(help="How many pictures.")] = 48,
    world: World = "full",
    seed: Annotated[int, typer.Option(help="Of the series.")] = 0,
) -> None:
    """Show what the training pictures look like, and what they are called."""
    source = Source(world, seed)
    write_sheet([source.picture(number)[0] for number in range(count)], out)
    for number in range(min(count, 12)):
        spec = source.spec(number)[0]
        console.print(caption(spec, Random(f"caption/{number}")), highlight=False)


@app.command()
def curves(
    out: Annotated[Path, typer.Option(help="Folder for the thinned log and the plot.")] = HERE / "record",
    run: RunFolder = RUN,
    before: Before = 0,
    seconds_before: SecondsBefore = 0.0,
) -> None:
    """Keep a small record of a run: its thinned log, and its curves as a picture."""
    out.mkdir(parents=True, exist_ok=True)
    later = record.moved(record.read_lines(run / "log.jsonl"), before, seconds_before)
    earlier = [line for line in record.read_lines(out / "log.jsonl") if line["samples"] <= before]
    log = record.thinned(earlier + later)
    (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log), "utf-8")
    record.draw_curves(log, record.read_lines(out / "adherence.jsonl"), out / "curves.png")


@app.command()
def point(
    figures: Annotated[Path, typer.Argument(help="A file that `evaluate --json` wrote.")],
    run: RunFolder = RUN,
    out: Annotated[Path, typer.Option(help="Folder of the record.")] = HERE / "record",
    before: Before = 0,
    seconds_before: SecondsBefore = 0.0,
) -> None:
    """Add an evaluation of the run's latest checkpoint to its record."""
    out.mkdir(parents=True, exist_ok=True)
    progressed = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)["progressed"]
    found = record.adherence_point(progressed["samples"], progressed["seconds"], json.loads(figures.read_text("utf-8")))
    (found,) = record.moved([found], before, seconds_before)
    with (out / "adherence.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")


@app.command()
def digests(
    weights: Annotated[Path, typer.Option(help="Pipeline folder.")] = STARTER,
    out: Annotated[Path, typer.Option(help="File to write.")] = HERE / "SHA256SUMS",
) -> None:
    """Write the digests by which the shipped weights are recognised."""
    files = sorted(path for path in weights.rglob("*") if path.suffix in SUFFIXES)
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(weights).as_posix()}" for path in files
    ]
    out.write_text("\n".join(lines) + "\n", "ascii")


if __name__ == "__main__":
    app()
