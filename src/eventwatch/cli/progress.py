"""What a long scan is doing: one line on a terminal's standard error, nothing in a pipe."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from eventwatch.ports.warehouse import Progress


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Progress]:
    """A callback that may be called from any thread. The line is gone when the block ends, also when
    it ends by an error."""
    if not stream.isatty():
        yield _quiet
        return
    from eventwatch.alerting.escape import terminal
    from eventwatch.cli.console import console_for

    console = console_for(stream)
    with console.status("") as status:

        def show(share: float, word: str) -> None:
            done = "" if math.isnan(share) else f" {100 * min(1.0, max(0.0, share)):.0f} %"
            status.update(terminal(word) + done)

        yield show


@contextmanager
def progress_bar(stream: TextIO) -> Iterator[Progress]:
    """As ``progress_line``, with a bar and the time that is left: for what takes minutes."""
    if not stream.isatty():
        yield _quiet
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from eventwatch.alerting.escape import terminal
    from eventwatch.cli.console import console_for

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console_for(stream), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(share: float, word: str) -> None:
            unknown = math.isnan(share)
            bar.update(
                task,
                description=terminal(word),
                completed=0.0 if unknown else min(1.0, max(0.0, share)),
            )

        yield show


def _quiet(share: float, word: str) -> None:
    """Nobody watches."""
