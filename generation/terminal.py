"""How the engine's command line ends: one sentence on standard error, and a code that says whose turn it is."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console

from generation.errors import AtelierError, BadRequest, ConfigError, ModelUnavailable

EXIT_USAGE, EXIT_INTERNAL, EXIT_CONFIG = 2, 70, 78

err = Console(stderr=True)


def fail(error: AtelierError) -> NoReturn:
    """Print the error's sentence and leave."""
    err.print(error.sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    if isinstance(error, BadRequest):
        raise typer.Exit(EXIT_USAGE) from error
    raise typer.Exit(EXIT_CONFIG if isinstance(error, ModelUnavailable | ConfigError) else EXIT_INTERNAL) from error
