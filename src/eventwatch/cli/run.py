"""``eventwatch run``: the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eventwatch.cli.options import ConfigOption

EPILOG = (
    "Exit codes: 0 stopped on request (SIGTERM, SIGINT); 2 the configuration or the contracts are "
    "wrong; 3 the state cannot be used; 4 another daemon runs on the same state; 70 a part of the "
    "daemon died, so that a supervisor starts it again."
)


def run(
    config: ConfigOption = Path("config.yaml"),
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Read config, checks and contracts again whenever a file changes."
        ),
    ] = False,
) -> None:
    """Watch all the time, until stopped.

    Every exposure has its own schedule. Each cycle reads what is new, judges it, remembers what
    is wrong and tells the teams. Stop it with Ctrl-C or SIGTERM; a second one ends it at once.
    SIGHUP has it read config, checks and contracts again: what is valid is used from the next
    cycle on, what is not is told and left aside. What it does is logged to standard error.

    Examples:

        eventwatch run

        eventwatch run --watch

        eventwatch --log-level warning run --config /etc/eventwatch/config.yaml
    """
    from eventwatch.daemon.signals import stoppable

    # The first process of a container has no signal handlers but its own.
    with stoppable():
        from eventwatch import app
        from eventwatch.cli.codes import OWNED
        from eventwatch.cli.console import complain
        from eventwatch.cli.faults import show_warnings
        from eventwatch.daemon import StateOwned, serve

        house = app.load(config)
        show_warnings(house.warnings)
        try:
            code = serve(house, lambda: app.load(config), watch=watch)
        except StateOwned as error:
            complain(str(error))
            code = OWNED
    raise typer.Exit(code)
