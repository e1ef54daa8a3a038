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
ExposuresOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exposure",
        "-e",
        metavar="NAME",
        help="Only this exposure. Names or patterns; repeatable.",
    ),
]
ChecksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--check",
        "--kind",
        "-k",
        metavar="KIND",
        help="Only this kind of check: freshness, drift, volume or duplicates; repeatable.",
    ),
]
EventTypesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--event-type",
        "-t",
        metavar="GLOB",
        help="Only event types that match, like 'user_*'; repeatable.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the answer to this file instead of printing it.",
    ),
]
