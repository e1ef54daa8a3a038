"""Gives memory that is free back to the system.

What a reader would get wrong: nothing leaks here. The first cycle works on much more than those after
it, and the C library keeps what it was given; with thousands of event types that is hundreds of MB.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable

EVERY = 600.0
"""Seconds between two times at least."""


class Trimmer:
    """Safe for threads. Does nothing where the C library has no such call."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, trim: Callable[[], object] | None = None
    ) -> None:
        self._clock = clock
        self._trim = _trim() if trim is None else trim
        self._lock = threading.Lock()
        self._next = clock()

    def now_and_then(self) -> None:
        """After a cycle."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                return
            self._next = now + EVERY
        self._trim()


def _trim() -> Callable[[], object]:
    try:
        call = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda: None
    call.argtypes, call.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda: call(0)
