"""The command line: its commands, and the one place where errors become exit codes.

Nothing heavy is imported before a command runs: ``eventwatch --help`` must answer at once. So the
modules of commands import the house inside their functions.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from eventwatch import __version__
from eventwatch.cli import (
    backtest,
    backup,
    blind_spots,
    config,
    contracts,
    demo,
    doctor,
    drill,
    explain,
    feedback,
    health,
    incidents,
    init,
    run,
    run_once,
    silence,
    validate,
    why_not,
)
from eventwatch.cli.codes import EXIT_CODES, INTERRUPTED, NOBODY_READS, UNMEASURED, WRONG_SETTINGS
from eventwatch.cli.leaving import leave
from eventwatch.cli.logs import LogFormat, LogLevel, set_up_logging
from eventwatch.cli.streams import keep_streams

_HELP = """Watches analytics-event tables and tells the team that owns an event when its data is late,
drifts, or its volume is not what it should be.

New here? Try it on made-up data:

    eventwatch demo shop

    cd shop

    eventwatch run-once --preview

Or start with your own:

    eventwatch init monitoring
"""

RARELY = 50_000
"""New objects between two looks for cycles among them. With Python's 700 a fifth of a start goes to
looking through modules that are only being loaded."""
app = typer.Typer(
    name="eventwatch",
    help=_HELP,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    # Its tracebacks show local variables, and those may hold secrets.
    pretty_exceptions_enable=False,
    # Examples are to be copied: they are broken only where the terminal is narrow.
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"eventwatch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    log_level: Annotated[
        LogLevel | None,
        typer.Option(
            help="How much is logged to standard error; the daemon logs info by default.",
            envvar="EVENTWATCH_LOG_LEVEL",
            case_sensitive=False,
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            help="How a line of the log looks; auto: json from a daemon without a terminal, else text.",
            envvar="EVENTWATCH_LOG_FORMAT",
            case_sensitive=False,
        ),
    ] = LogFormat.AUTO,
    _show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    chosen = LogLevel.INFO if context.invoked_subcommand == "run" else LogLevel.WARNING
    if log_format is LogFormat.AUTO and context.invoked_subcommand != "run":
        # Whoever types a command reads its complaints, through a pipe as well.
        log_format = LogFormat.TEXT
    set_up_logging(chosen if log_level is None else log_level, log_format)


app.command("run-once", epilog=EXIT_CODES)(run_once.run_once)
app.command("run", epilog=run.EPILOG)(run.run)
app.command("validate", epilog=validate.EPILOG)(validate.validate)
app.command("doctor", epilog=doctor.EPILOG)(doctor.doctor)
app.command("health", epilog=health.EPILOG)(health.health)
app.command("backup")(backup.backup)
app.command("backtest", epilog=backtest.EPILOG)(backtest.backtest)
app.command("blind-spots", epilog=blind_spots.EPILOG)(blind_spots.blind_spots)
app.command("explain", epilog=explain.EPILOG)(explain.explain)
app.command("drill", epilog=drill.EPILOG)(drill.drill)
app.command("why-not", epilog=why_not.EPILOG)(why_not.why_not)
app.command("init")(init.init)
app.command("demo")(demo.demo)
app.add_typer(contracts.app, name="contracts")
app.add_typer(incidents.app, name="incidents")
app.add_typer(silence.app, name="silence")
app.add_typer(feedback.app, name="feedback")
app.add_typer(config.app, name="config")


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script; leaves the process with the command's exit code."""
    gc.set_threshold(RARELY)
    try:
        code = run_command(arguments)
    except BrokenPipeError:
        # Of a complaint: Python's own exit code for this is 1, which says that the data is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        code = _nobody_reads()
    leave(code)


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code: 2 for faults in config or contracts, 3 for what could
    not be measured, stored or sent, 130 after Ctrl-C, 141 when the reader of a pipe went away."""
    from eventwatch.model.errors import EventwatchError, FaultsError

    keep_streams()
    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        # The library's own word for what is wrong says nothing.
        if isinstance(said := getattr(error, "message", None), str):
            error.message = said.replace("Value error, ", "")
        show = getattr(error, "show", None)
        if callable(show):
            show()
        else:
            typer.echo(f"Error: {error}", err=True)
        # A mistake on the command line is one of the settings.
        return WRONG_SETTINGS
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as error:
        # Typer's own way to end a command whose pipe broke is exit code 1, which says that the data
        # is wrong.
        if isinstance(error.__context__, BrokenPipeError):
            return _nobody_reads()
        raise
    except FaultsError as error:
        from eventwatch.cli.faults import show_faults

        show_faults(error.faults)
        return WRONG_SETTINGS
    except EventwatchError as error:
        from eventwatch.cli.console import complain

        complain(str(error))
        return UNMEASURED
    except OSError as error:
        from eventwatch.cli.console import complain

        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}")
        return UNMEASURED
    except Exception as error:
        # Python's own exit code for this is 1, which says that the data is wrong.
        from eventwatch.cli.defects import report_defect

        report_defect(error)
        return UNMEASURED


def _nobody_reads() -> int:
    """Points standard output elsewhere, so that the interpreter does not complain when it flushes at
    its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return NOBODY_READS
