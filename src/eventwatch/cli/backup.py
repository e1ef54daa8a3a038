"""``eventwatch backup``: a copy of the state while a daemon runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eventwatch.cli.options import ConfigOption


def backup(
    target: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to; must not be there yet.")
    ],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Copy the state to a file, while it is in use.

    Alerts, incidents, silences and what waits to be sent cannot be made anew, so keep a copy. A state
    in PostgreSQL is backed up with pg_dump.

    Example:

        eventwatch backup /backup/eventwatch-monday.db
    """
    from eventwatch import app

    house = app.load(config)
    app.adapter("backup")(house.settings.state, target)
    typer.echo(f"the state was copied to {target}")
