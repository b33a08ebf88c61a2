"""`certs` on the command line: the certificates that pictures are signed with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from bot.config import load
from generation.errors import ConfigError
from generation.provenance.keyring import FOLDER, Keyring

EXIT_CONFIG: Final = 78

app = typer.Typer(help="The certificates that pictures are signed with.", no_args_is_help=True, add_completion=False)
ConfigPath = Annotated[Path | None, typer.Option("--config", help="Settings file.")]


@app.command()
def show(
    config: ConfigPath = None,
    pem: Annotated[bool, typer.Option("--pem", help="Every root as PEM, for other programs to trust.")] = False,
) -> None:
    """Name the certificate in service; it is made if there is none yet."""
    try:
        keyring = Keyring(load(config).data_dir / FOLDER)
        identity = keyring.open()
        roots = keyring.roots()
    except ConfigError as error:
        _fail(error)
    if pem:
        typer.echo(roots, nl=False)
        return
    former = roots.count("-----BEGIN") - 1
    typer.echo(f"Pictures are signed as “{identity.name}”.")
    if former:
        keys = "key" if former == 1 else "keys"
        typer.echo(f"Signatures of {former} former {keys} are still recognised.")


@app.command()
def rotate(config: ConfigPath = None) -> None:
    """Make a new key; it serves from the bot's next start, and pictures signed before are still recognised."""
    try:
        identity = Keyring(load(config).data_dir / FOLDER).rotate()
    except ConfigError as error:
        _fail(error)
    typer.echo(f"From the next start on, pictures are signed as “{identity.name}”.")


def _fail(error: ConfigError) -> NoReturn:
    typer.echo(error.sentence, err=True)
    raise typer.Exit(EXIT_CONFIG) from error
