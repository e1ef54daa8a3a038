"""A time limit that really cancels: a thread beside the query that interrupts it.

No engine's own limit can be relied on (DuckDB has none, others count only time inside one fetch), and
an interrupt that comes a moment before the query starts is lost; so it is repeated until the query
has given up. The same thread reads the engine's progress for people who wait.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)
_AGAIN = 0.2
"""Seconds between two interrupts."""
_LOOK = 0.25
"""Seconds between two looks at the progress, and at whether everything is to end."""
_everything = threading.Event()


class _Bound(threading.local):
    until: float | None = None


_bound = _Bound()


@contextlib.contextmanager
def all_within(seconds: float) -> Iterator[None]:
    """Whatever limits they have of their own, the statements of this thread end by then."""
    before, _bound.until = _bound.until, time.monotonic() + seconds
    try:
        yield
    finally:
        _bound.until = before


def cancel_all() -> None:
    """The process ends: every statement that runs is cancelled, and so is every one that comes."""
    _everything.set()


class Deadline:
    """Context manager around one statement. ``expired`` says whether the limit passed."""

    def __init__(
        self, seconds: float, cancel: Callable[[], None], watch: Callable[[], None] | None = None
    ) -> None:
        self.expired = False
        until = _bound.until
        self._seconds = seconds if until is None else min(seconds, until - time.monotonic())
        self._cancel = cancel
        self._watch = watch
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="query-deadline", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        # A cancel on its way must not hit the next statement of the connection.
        self._thread.join(timeout=30)

    def _run(self) -> None:
        end = time.monotonic() + self._seconds
        watch = self._watch
        while (left := end - time.monotonic()) > 0 and not _everything.is_set():
            if self._done.wait(min(left, _LOOK)):
                return
            if watch is not None:
                try:
                    watch()
                except Exception:
                    _log.debug("progress cannot be shown", exc_info=True)
                    watch = None
        self.expired = True
        while not self._done.is_set():
            try:
                self._cancel()
            except Exception:
                _log.debug("cancel failed, trying again", exc_info=True)
            self._done.wait(_AGAIN)
