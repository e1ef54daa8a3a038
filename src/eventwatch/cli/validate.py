"""``eventwatch validate``: everything that can be wrong before a run."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from eventwatch.cli.codes import UNMEASURED, WRONG_SETTINGS
from eventwatch.cli.options import ConfigOption

EPILOG = (
    "Exit codes: 0 nothing wrong with the settings, warnings or not; 2 the configuration, the checks, "
    "the contracts or the columns are wrong; 3 an exposure was not reached."
)


def validate(config: ConfigOption = Path("config.yaml")) -> None:
    """List everything wrong with the settings.

    Checks config.yaml, checks/, the contracts and the exposures' columns. Reads no events and
    changes nothing. Each fault is one line with file, line and what to do about it, so that
    editors and CI can point at it.

    Examples:

        eventwatch validate

        eventwatch validate --config staging/config.yaml
    """
    from eventwatch import app
    from eventwatch.alerting.escape import terminal
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import show_faults, show_warnings
    from eventwatch.cli.progress import progress_line

    with progress_line(sys.stderr) as progress:
        progress(
            float("nan"), "reading config and contracts, asking the exposures for their columns"
        )
        found = app.validate(config)
    show_warnings(found.warnings)
    show_faults(found.faults)
    for line in found.exposures:
        print(f"ok: {terminal(line)}")
    for line in found.unreachable:
        name, _, why = line.partition(": ")
        complain(f"not reached: {name}: {' '.join(why.removeprefix(f'{name}: ').split())}")
    if found.faults:
        raise typer.Exit(WRONG_SETTINGS)
    if found.unreachable:
        raise typer.Exit(UNMEASURED)
