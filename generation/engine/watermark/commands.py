"""`python -m generation provenance …`: where a picture came from, and the watermark's weights."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from generation.errors import AtelierError, BadRequest
from generation.intake import inspect, seek_watermarks
from generation.provenance.examination import Claim, Inscription
from generation.provenance.keyring import Keyring
from generation.provenance.payload import issuers
from generation.provenance.watermark import check_folder
from generation.terminal import fail

Variant = Literal["Q", "P", "B", "C"]

app = typer.Typer(help="Where a picture came from; weights of the watermark.", no_args_is_help=True)


@app.command()
def examine(
    picture: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP file.")],
    keys: Annotated[Path, typer.Option(help="The bot's folder of keys.")] = Path("data/provenance"),
    watermark: Annotated[Path | None, typer.Option(help="The folder of the watermark's weights.")] = None,
) -> None:
    """Say what a file tells of its origin by signature, metadata and watermark; the bot's memory is not asked."""
    try:
        roots = Keyring(keys).roots()
        found = asyncio.run(inspect(_read(picture), roots))
        typer.echo(f"{'signature':12}{_signature(found.claim)}")
        typer.echo(f"{'metadata':12}{_metadata(found.inscription)}")
        typer.echo(f"{'watermark':12}{_watermark(picture, watermark, roots)}")
    except AtelierError as error:
        fail(error)


@app.command()
def convert_watermark(
    source: Annotated[Path, typer.Argument(help="Folder with trustmark_X.yaml, encoder_X.ckpt and decoder_X.ckpt.")],
    destination: Annotated[Path, typer.Argument(help="Folder to make, for files.watermark in config.yaml.")],
    variant: Annotated[Variant, typer.Option(help="X in the names of the files.")] = "Q",
) -> None:
    """Turn TrustMark's published weights into safetensors; whatever is more than plain weights is refused."""
    from generation.engine.watermark.published import convert

    try:
        made = convert(source, destination, variant)
    except AtelierError as error:
        fail(error)
    typer.echo(f"{destination} holds {made.card.title}; put it under files.watermark in config.yaml.")
    if not made.known:
        typer.echo("These are not the files that TrustMark's authors published; see that you know where they are from.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRequest(f"The picture “{path}” cannot be read.") from error


def _signature(claim: Claim | None) -> str:
    if claim is None:
        return "none"
    if not claim.readable:
        return "damaged, proves nothing"
    whose = "of this bot" if claim.ours else f"of “{claim.signer}”, which was not checked"
    return f"{whose}, {'unchanged since' if claim.intact else 'but it does not fit this picture'}"


def _metadata(words: Inscription | None) -> str:
    if words is None:
        return "none"
    facts = ", ".join(f"{name} {value}" for name, value in (("model", words.model), ("seed", words.seed)) if value)
    return (
        f"made by {'an Atelier bot' if words.ours else 'an AI model'}{f' ({facts})' if facts else ''}; proves nothing"
    )


def _watermark(picture: Path, folder: Path | None, roots: str) -> str:
    if folder is None:
        return "not looked for; name its weights with --watermark"
    check_folder(folder)
    found = asyncio.run(seek_watermarks(_read(picture), str(folder)))
    if found is None:
        return "could not be looked for"
    ours = [payload for payload in found if payload.issuer in issuers(roots)]
    if not ours:
        return "none of this bot was found"
    numbers = ", ".join(f"{payload.number:010x}" for payload in ours)
    return (
        f"of this bot; it names pictures whose manifests begin with {numbers}. Marks can be copied, this proves nothing"
    )
