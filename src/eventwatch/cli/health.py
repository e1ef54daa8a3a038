"""``eventwatch health``: is the daemon alive, for container engines and supervisors."""

from __future__ import annotations

from pathlib import Path

import typer

from eventwatch.cli.options import ConfigOption

EPILOG = "Exit codes: 0 every exposure had a cycle lately; 1 one had not; 2 and 3 as everywhere."


def health(config: ConfigOption = Path("config.yaml")) -> None:
    """Say whether the daemon runs its cycles.

    Reads the heartbeat that every cycle leaves in the state. An exposure may miss two of its
    cycles before it counts as late. A container's HEALTHCHECK calls this.

    Example:

        eventwatch health --config /etc/eventwatch/config.yaml
    """
    from eventwatch import app
    from eventwatch.cli.console import complain
    from eventwatch.daemon import longest_wait

    late = app.late_exposures(config, longest_wait)
    for line in late:
        complain(line)
    if late:
        raise typer.Exit(1)
    typer.echo("every exposure had a cycle lately")
