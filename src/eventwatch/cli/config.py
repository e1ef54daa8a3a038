"""``eventwatch config``: what the config may say, and what it does say."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from eventwatch.cli.options import ConfigOption

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)


class Which(StrEnum):
    """Documents that have a JSON Schema."""

    CONFIG = "config"
    CHECKS = "checks"
    REPORT = "report"
    EXPLAIN = "explain"
    INCIDENT = "incident"


@app.command("schema")
def schema(
    of: Annotated[
        Which,
        typer.Option(
            "--of",
            help="config.yaml, a file in checks/, or the JSON of run-once, explain or incidents explain.",
        ),
    ] = Which.CONFIG,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the answer to this file instead of printing it.",
        ),
    ] = None,
) -> None:
    """Print a JSON Schema.

    Of config.yaml, of checks/*.yaml, or of the JSON of run-once, explain or incidents explain.

    Editors that know YAML use it to complete and check what you type; name it in the first line:
    # yaml-language-server: $schema=./config.schema.json

    Examples:

        eventwatch config schema --output config.schema.json

        eventwatch config schema --of checks
    """
    from eventwatch.cli.output import write_answer

    if of is Which.REPORT:
        from eventwatch.cli.report_schema import report_schema_text

        write_answer(report_schema_text(), output)
        return
    if of is Which.EXPLAIN:
        from eventwatch.cli.explain_schema import explain_schema_text

        write_answer(explain_schema_text(), output)
        return
    if of is Which.INCIDENT:
        from eventwatch.cli.incidents_schema import incidents_schema_text

        write_answer(incidents_schema_text(), output)
        return
    from eventwatch.config.schema import checks_schema, config_schema, schema_text

    write_answer(schema_text(config_schema() if of is Which.CONFIG else checks_schema()), output)


@app.command("show")
def show(config: ConfigOption = Path("config.yaml")) -> None:
    """Print the config as it is understood.

    Every default is filled in and secrets are masked. It reads no contracts and connects to
    nothing. The output is YAML and can be shared.

    Example:

        eventwatch config show
    """
    from eventwatch.cli.faults import show_warnings
    from eventwatch.config.load import load
    from eventwatch.config.show import shown_text

    loaded = load(config, os.environ)
    show_warnings(loaded.warnings)
    sys.stdout.write(shown_text(loaded))
