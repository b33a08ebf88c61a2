"""The engine from a terminal: `python -m generation paint …`, `bench …` and `provenance …`."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from generation.bench import commands as benchmarks
from generation.catalogue import find_lora
from generation.engine.options import EngineOptions
from generation.engine.watermark import commands as provenance
from generation.errors import AtelierError, BadRequest, NotApproved
from generation.intake import clean
from generation.job import Job, Result
from generation.job import Progress as Step
from generation.models import ModelCard, describe
from generation.options import SAMPLERS
from generation.prompt import split_loras
from generation.request import SEED, SIDE_MULTIPLE, Lora, Request
from generation.terminal import EXIT_INTERNAL, err, fail
from generation.workers.child import ChildWorker
from generation.workers.worker import EngineSettings

FORMATS = {".webp": "webp", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(benchmarks.app, name="bench")
app.add_typer(provenance.app, name="provenance")


@app.callback()
def configure(verbose: Annotated[bool, typer.Option(help="Show the log, with the causes of faults.")] = False) -> None:
    """Paint and measure without Discord."""
    level = logging.INFO if verbose else logging.CRITICAL
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


@app.command()
def paint(
    prompt: Annotated[str, typer.Argument(help="What to paint.")],
    out: Annotated[Path, typer.Option(help="File to write: .webp (lossless), .png or .jpg.")],
    negative: Annotated[str, typer.Option(help="What to stay away from.")] = "",
    seed: Annotated[int | None, typer.Option(help="0 to 4,294,967,295; random when not given.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps; what suits the model when not given.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How closely to follow the prompt.")] = None,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT in pixels; rounded to multiples of 8.")] = None,
    count: Annotated[int, typer.Option(help="Pictures, 1 to 4; several are numbered, and a grid is added.")] = 1,
    sampler: Annotated[str | None, typer.Option(help=", ".join(SAMPLERS))] = None,
    model: Annotated[str, typer.Option(help="starter, a folder, a .safetensors file, or a hub id.")] = "starter",
    image: Annotated[Path | None, typer.Option(help="A picture to start from.")] = None,
    strength: Annotated[float | None, typer.Option(help="How much of that picture is repainted.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1")] = "auto",
    lora: Annotated[Path | None, typer.Option(help="Folder of LoRAs, named in the prompt as <lora:name:0.8>.")] = None,
    clip_skip: Annotated[int, typer.Option(help="Last layers of the text encoder to leave out.")] = 0,
    checker: Annotated[list[str] | None, typer.Option(help="A safety checker's folder or hub id; repeatable.")] = None,
) -> None:
    """Paint PROMPT into a file, through the same engine and the same gate as the bot."""
    try:
        if out.suffix.lower() not in FORMATS:
            raise BadRequest(f"The file must end in {', '.join(FORMATS)}; “{out.name}” does not.")
        if not out.parent.is_dir():
            raise BadRequest(f"There is no folder “{out.parent}”.")
        card = describe(model)
        width, height = _size(size, card)
        words, loras = _worded(prompt, lora)
        source = asyncio.run(clean(_read(image))) if image is not None else None
        request = Request(
            prompt=words,
            negative=negative,
            width=width,
            height=height,
            steps=card.steps if steps is None else steps,
            guidance=card.guidance if guidance is None else guidance,
            sampler=sampler or card.sampler,
            seed=secrets.randbelow(int(SEED.high) + 1) if seed is None else seed,
            model=model,
            count=count,
            image=hashlib.sha256(source).hexdigest() if source is not None else None,
            strength=(0.6 if strength is None and source is not None else strength),
            loras=loras,
            clip_skip=clip_skip,
        )
        settings = EngineSettings(
            model=model,
            device=device,
            loras=str(lora.absolute()) if lora is not None else "",
            checkers=tuple(checker or ()),
            file_format=FORMATS[out.suffix.lower()],
            options=EngineOptions(measure_seconds=0.0),  # one picture is painted sooner than a size is measured
            allow_unchecked_uploads=True,  # nobody but the person at this terminal sees the picture
        )
        result = asyncio.run(_paint(settings, Job(id="terminal", request=request, image=source, embed_prompt=True)))
        _write(result, request, out)
    except AtelierError as error:
        fail(error)
    except KeyboardInterrupt:
        err.print("Stopped.")
        raise typer.Exit(130) from None


async def _paint(settings: EngineSettings, job: Job) -> Result:
    worker = ChildWorker(settings)
    await worker.start()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=err, transient=True) as bar:
            task = bar.add_task("Loading the model", total=None)

            def stepped(step: Step) -> None:
                words = f"Step {step.step} of {step.steps}" if step.step < step.steps else "Finishing"
                bar.update(task, description=words, completed=step.step, total=step.steps)

            return await worker.paint(job, stepped)
    finally:
        await worker.close()


def _write(result: Result, request: Request, out: Path) -> None:
    """Write what was approved; raises NotApproved when nothing was. What was held for moderators stays where it is."""
    if not any(picture.approved for picture in result.pictures):
        raise NotApproved(result.pictures[0].withheld)
    several = len(result.pictures) > 1
    for picture in result.pictures:
        if picture.approved is None:
            err.print(f"Picture {picture.index + 1}: {picture.withheld}")
            continue
        path = out.with_stem(f"{out.stem}-{picture.index + 1}") if several else out
        path.write_bytes(picture.approved.data)
        seed = request.single(picture.index).seed
        names = ", ".join(picture.approved.checked_by)
        err.print(f"{path}  seed {seed}, checked by: {names}", highlight=False, soft_wrap=True)
    if result.grid is not None:
        out.write_bytes(result.grid.data)
        err.print(f"{out}  all of them side by side", highlight=False, soft_wrap=True)


def _worded(prompt: str, folder: Path | None) -> tuple[str, tuple[Lora, ...]]:
    """The prompt without its LoRA tags, and what they name; raises ModelUnavailable with the nearest known names."""
    words, loras = split_loras(prompt)
    return words.strip(), tuple(replace(one, name=find_lora(one.name, folder).stem) for one in loras)


def _size(text: str | None, card: ModelCard) -> tuple[int, int]:
    if text is None:
        return card.native, card.native
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(text) < 20):
        raise BadRequest(f"The size must look like 512x768, not “{text[:40]}”.")
    asked = int(width), int(height)
    rounded = _to_cells(asked[0]), _to_cells(asked[1])
    if rounded != asked:
        err.print(f"{text} is no multiple of {SIDE_MULTIPLE}; painting {rounded[0]}x{rounded[1]}.", highlight=False)
    return rounded


def _to_cells(side: int) -> int:
    return max(SIDE_MULTIPLE, round(side / SIDE_MULTIPLE) * SIDE_MULTIPLE)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"The picture “{path}” cannot be read.") from error


def main() -> None:
    """Run the command line; a fault nobody foresaw ends in one sentence and code 70, its cause below."""
    try:
        app()
    except Exception:  # the outermost edge: nothing survives it, but the exit code and a sentence are promised
        logging.getLogger(__name__).critical("Something went wrong inside.", exc_info=True)
        sys.exit(EXIT_INTERNAL)


if __name__ == "__main__":
    main()
