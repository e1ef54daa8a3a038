"""Signals: before there is anything to stop, and while the daemon runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

IGNORED = 4.0
"""Seconds after which a start that was asked to end, and did not, is cut."""


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM, SIGINT end the process with 0 and SIGHUP does nothing, until somebody handles them.

    Imports and contracts take seconds at the start. Meanwhile Python would die of SIGTERM with
    another code, as process 1 of a container not at all, and of SIGHUP anywhere.
    """

    def end(_number: int, frame: FrameType | None) -> None:
        # An exception inside a compiled module that is being loaded aborts the process.
        if _importing(frame):
            os._exit(0)
        # Where an object is being freed, Python ignores the exception.
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, IGNORED)
        raise SystemExit(0)

    before = {n: signal.signal(n, end) for n in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def heard(stop: Callable[[int], None], reload: Callable[[], None]) -> None:
    """From now on a thread of its own hears SIGTERM and SIGINT, and SIGHUP. For the main thread.

    A handler runs in the middle of whatever the main thread does: it may not take a lock that is held
    there, and waits for as long as that thread is inside of a library. A pipe knows neither.
    """
    listens, speaks = os.pipe()
    os.set_blocking(speaks, False)
    # In this order: what comes in between is heard as well.
    signal.set_wakeup_fd(speaks, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        while True:
            for number in os.read(listens, 64):
                if number == signal.SIGHUP:
                    reload()
                elif number in (signal.SIGTERM, signal.SIGINT):
                    stop(number)

    threading.Thread(target=listen, name="signals", daemon=True).start()


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
