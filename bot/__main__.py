"""The command line: run, playground, doctor, bench, migrate, adopt-folder, restore, filter, certs, sweep, soak."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

# Only light imports here: the engine's child process and the filter command pass through this module.


class Exit(IntEnum):
    """Exit codes, after sysexits.h."""

    CLEAN = 0
    INTERNAL = 70
    CONFIG = 78


class What(StrEnum):
    """What can be measured."""

    LINE = "line"
    FAIRNESS = "fairness"
    SUBMIT = "submit"
    CLAIM = "claim"
    START = "start"
    PLACE = "place"
    GROWTH = "growth"
    BACKUP = "backup"


ConfigPath = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default: ATELIER_CONFIG or config.yaml.")
]
Host = Annotated[str | None, typer.Option(help="Address the local Discord listens on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port the local Discord listens on.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every detail in the log.")]

cli = typer.Typer(
    help="Atelier, an art bot for Discord communities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def run(config: ConfigPath = None, host: Host = None, port: Port = None, verbose: Verbose = False) -> None:
    """Serve Discord when DISCORD_TOKEN is set, otherwise a local Discord in the browser."""
    from bot.launch import serve

    _carry_out(lambda: serve(config, host=host, port=port, always_local=False), verbose)


@cli.command()
def playground(
    config: ConfigPath = None,
    host: Host = None,
    port: Port = None,
    server_only: Annotated[
        bool, typer.Option(help="Only the local Discord; start the bot yourself against it.")
    ] = False,
    controls: Annotated[bool, typer.Option(help="Open the test controls under /control.")] = False,
    fresh: Annotated[bool, typer.Option(help="Forget the former conversation.")] = False,
    guests: Annotated[int, typer.Option(min=0, max=1000, help="With --server-only: so many more members.")] = 0,
    data_dir: Annotated[Path | None, typer.Option(hidden=True)] = None,
    until_stdin_closes: Annotated[bool, typer.Option(hidden=True)] = False,
    verbose: Verbose = False,
) -> None:
    """Serve the local Discord in the browser, whether or not a token is set."""
    from bot.launch import serve, serve_local_discord

    where: dict[str, Any] = {"host": host, "port": port, "controls": controls, "fresh": fresh}
    if server_only:
        alone: dict[str, Any] = {"guests": guests, "data_dir": data_dir, "until_stdin_closes": until_stdin_closes}
        _carry_out(lambda: serve_local_discord(config, **where, **alone), verbose)
    else:
        _carry_out(lambda: serve(config, always_local=True, **where), verbose)


@cli.command()
def doctor(config: ConfigPath = None, verbose: Verbose = False) -> None:
    """Check token, permissions, database, model, device and memory, and paint a trial picture."""
    from bot.doctor import examine

    _carry_out(lambda: examine(config), verbose, level=logging.ERROR)


@cli.command()
def bench(
    what: Annotated[
        What, typer.Argument(help="line, start, growth: a real bot; backup: the database; others: the front desk.")
    ] = What.LINE,
    config: ConfigPath = None,
    members: Annotated[int, typer.Option(min=1, max=200, help="Members who send a /dream at once.")] = 50,
    repeats: Annotated[int, typer.Option(min=1, help="Pictures and variations to measure.")] = 5,
    jobs: Annotated[
        int, typer.Option(min=1, help="line: at once while the event loop is watched; growth, place: in all.")
    ] = 20,
    rate: Annotated[float, typer.Option(min=1, help="submit: orders a second that are offered.")] = 200.0,
    seconds: Annotated[float, typer.Option(min=1, help="submit, place: for how long.")] = 15.0,
    over: Annotated[float, typer.Option(min=0, help="fairness: minutes over which members come.")] = 20.0,
    guilds: Annotated[int, typer.Option(min=1, max=50, help="fairness, place: servers they are in.")] = 1,
    waiting: Annotated[int, typer.Option(min=0, help="start, claim: jobs that wait already.")] = 10_000,
    crowd: Annotated[int, typer.Option(min=1, help="claim: members whose jobs those are.")] = 1000,
    claims: Annotated[int, typer.Option(min=10, help="claim: how many are measured of each kind.")] = 500,
    together: Annotated[int, typer.Option(min=1, help="claim: processes that claim at once on PostgreSQL.")] = 3,
    megabytes: Annotated[int, typer.Option(min=1, help="backup: size of the database.")] = 500,
    folder: Annotated[Path | None, typer.Option(help="backup: where, e.g. on the disk of the data folder.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")] = None,
    verbose: Verbose = False,
) -> None:
    """Measure a real bot on a local Discord (acknowledgement, previews, pictures), or the front desk by itself.

    claim and submit use a database of the configured kind (database_url): a file of their own, or a database of their
    own on that PostgreSQL server, deleted afterwards. What the bot has stored is never touched.
    """
    from bot import bench as line
    from bot.benches import backup, claim, fairness, growth, place, start, submit

    level = logging.INFO if what is What.LINE else logging.ERROR
    measures: dict[What, Callable[[], Coroutine[Any, Any, None]]] = {
        What.LINE: lambda: line.measure(config, members=members, repeats=repeats, jobs=jobs, report=report),
        What.FAIRNESS: lambda: fairness.measure(minutes=over, guilds=guilds, report=report),
        What.START: lambda: start.measure(waiting=waiting, members=members, report=report),
        What.GROWTH: lambda: growth.measure(jobs=jobs, report=report),
        What.PLACE: lambda: place.measure(jobs=jobs, guilds=guilds, seconds=seconds, report=report),
        What.BACKUP: lambda: backup.measure(megabytes=megabytes, folder=folder, report=report),
        What.SUBMIT: lambda: submit.measure(config, rate=rate, seconds=seconds, report=report),
        What.CLAIM: lambda: claim.measure(
            config, waiting=waiting, members=crowd, claims=claims, together=together, report=report
        ),
    }
    _carry_out(measures[what], verbose, level=level)


@cli.command()
def migrate(config: ConfigPath = None, verbose: Verbose = False) -> None:
    """Bring the database to the newest schema."""
    from bot.launch import bring_up_to_date

    _carry_out(lambda: bring_up_to_date(config), verbose)


@cli.command()
def adopt_folder(config: ConfigPath = None, verbose: Verbose = False) -> None:
    """Say that the data folder is another one from now on, since the former is lost; for PostgreSQL, no bot may run."""
    from bot.launch import adopt_folder as adopt

    _carry_out(lambda: adopt(config), verbose)


@cli.command()
def restore(
    backup: Annotated[
        str | None, typer.Argument(help="Name of a backup, or a file; default: the newest good one.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only say which backups there are.")] = False,
    config: ConfigPath = None,
    verbose: Verbose = False,
) -> None:
    """Put a backup of the SQLite database back; the bot must not run. The present file is kept beside the backups."""
    from bot.launch import list_backups, put_back

    _carry_out(lambda: list_backups(config) if listed else put_back(config, backup), verbose)


@cli.command()
def sweep(
    config: ConfigPath = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go; possible while the bot runs.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Delete what is kept of people and has become too old, as the running bot does by itself."""
    from bot.launch import sweep as sweep_once

    _carry_out(lambda: sweep_once(config, dry_run=dry_run), verbose)


def _carry_out(work: Callable[[], Coroutine[Any, Any, None]], verbose: bool, level: int = logging.INFO) -> None:
    """Run `work` to its end and turn what it raises into one sentence and an exit code."""
    from bot.logs import set_up
    from generation.errors import ConfigError

    set_up(logging.DEBUG if verbose else level)
    try:
        asyncio.run(work())
    except ConfigError as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(Exit.CONFIG) from None
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        raise typer.Exit(Exit.CLEAN) from None
    except Exception:  # the outermost edge: the log gets the cause, the owner a sentence
        logging.getLogger(__name__).exception("Atelier stopped unexpectedly")
        typer.echo("Atelier stopped unexpectedly; the lines above say why.", err=True)
        raise typer.Exit(Exit.INTERNAL) from None


def main() -> None:
    """Entry point; some commands are mounted only when they are asked for, since all must start fast."""
    if sys.argv[1:2] == ["filter"] or "--help" in sys.argv:
        from bot.moderation.cli import app as filter_commands

        cli.add_typer(filter_commands, name="filter")
    if sys.argv[1:2] == ["certs"] or "--help" in sys.argv:
        from bot.certs import app as certs_commands

        cli.add_typer(certs_commands, name="certs")
    if sys.argv[1:2] == ["soak"] or "--help" in sys.argv:
        from bot.soak.cli import app as soak_commands

        cli.add_typer(soak_commands, name="soak")
    cli()


if __name__ == "__main__":
    main()
