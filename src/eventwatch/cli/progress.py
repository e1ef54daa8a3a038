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


def _quiet(share: float, word: str) -> None:
    """Nobody watches."""
