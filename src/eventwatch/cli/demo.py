"""``eventwatch demo``: a made-up marketplace with known trouble in it."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if it is not there.")
    ] = Path(),
    rows: Annotated[
        int,
        typer.Option(
            "--rows",
            metavar="N",
            min=10_000,
            max=50_000_000,
            help="About how many rows to make.",
        ),
    ] = 1_000_000,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Equal seeds make equal data.")
    ] = 7,
) -> None:
    """Make up data with known trouble in it.

    A marketplace of about 60 event types: writes a table of 60 days up to now, contracts with
    teams, a config and checks. What you have changed yourself is left alone. Nothing is sent
    anywhere. Says what was planted.

    Examples:

        eventwatch demo

        eventwatch demo shop --rows 200000
    """
    from eventwatch.cli.progress import progress_line
    from eventwatch.demo import write
    from eventwatch.model.counting import counted

    with progress_line(sys.stderr) as progress:
        progress(float("nan"), f"making about {rows:,} rows")
        summary = write(directory, rows=rows, seed=seed, now=datetime.now(UTC))
    print(f"{_shown(summary.database)}: {counted(summary.row_count, 'row')}, 60 days up to now.")
    for path in summary.kept:
        print(f"kept {_shown(path)}: it differs from the demo's")
    _print_planted(summary.planted)
    print("\nNext:")
    if directory.resolve() != Path.cwd():
        print(f"  cd {shlex.quote(str(directory))}")
    print("  eventwatch run-once               find it")
    print("  eventwatch run-once --preview     and see what the teams would be told")


def _print_planted(planted: tuple[object, ...]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch.alerting.escape import terminal
    from eventwatch.cli.console import show
    from eventwatch.cli.words import instant
    from eventwatch.demo import Planted
    from eventwatch.model.counting import counted

    print(f"\nPlanted: {counted(len(planted), 'incident')}.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("check", "event type", "what happens", "since", "owner"):
        table.add_column(name, overflow="fold")
    for each in planted:
        assert isinstance(each, Planted)
        cells = (
            each.kind.value,
            "the table" if each.event_type is None else each.event_type,
            each.sentence,
            instant(each.start_at),
            each.owner,
        )
        table.add_row(*(Text(terminal(cell)) for cell in cells))
    show(table)


def _shown(path: Path) -> str:
    from eventwatch.alerting.escape import terminal
    from eventwatch.model.errors import path_text

    return terminal(path_text(path))
