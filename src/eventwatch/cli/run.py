"""``eventwatch run``: the daemon."""

from __future__ import annotations

from pathlib import Path

import typer

from eventwatch.cli.options import ConfigOption

EPILOG = (
    "Exit codes: 0 stopped on request (SIGTERM, SIGINT); 2 the configuration or the contracts are "
    "wrong; 3 the state cannot be used; 70 the scheduler died, so that a supervisor starts it again."
)


def run(config: ConfigOption = Path("config.yaml")) -> None:
    """Watch all the time, until stopped.

    Every exposure has its own schedule. Each cycle reads what is new, judges it, remembers what
    is wrong and tells the teams. Stop it with Ctrl-C or SIGTERM. What it does is logged to
    standard error.

    Examples:

        eventwatch run

        eventwatch --log-level warning run --config /etc/eventwatch/config.yaml
    """
    from eventwatch import app
    from eventwatch.cli.faults import show_warnings
    from eventwatch.daemon import serve

    house = app.load(config)
    show_warnings(house.warnings)
    raise typer.Exit(serve(house))
