"""A clean end for signals that come before there is anything to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM, SIGINT end the process with 0 and SIGHUP does nothing, until somebody handles them.

    Imports and contracts take seconds at the start. Meanwhile Python would die of SIGTERM with
    another code, as process 1 of a container not at all, and of SIGHUP anywhere.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {n: signal.signal(n, end) for n in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
