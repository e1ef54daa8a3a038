"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        envvar="EVENTWATCH_CONFIG",
        help="The config file, or a folder that holds a config.yaml.",
    ),
]
