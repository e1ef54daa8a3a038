"""Whose turn it is to write in a folder.

The kernel gives a dead writer's lock back, but not one that is frozen: a stopped process, a paused
container. So a writer shows with each step that it goes on, and one that shows nothing for
``GIVEN_UP`` is left behind: its lock file is replaced by the next writer's. When it wakes, its next step
finds that, and fails. What it had done was whole, since each step is one atomic rename.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from eventwatch.model.errors import StoreError, path_text

GIVEN_UP = timedelta(seconds=10)
"""Without a sign of a step. Longer than a disk that stalls takes, shorter than people wait."""
_LOOK = timedelta(seconds=2)
"""For how long a waiter watches, at least: a clock that was set forward makes every sign look old."""
_SIGN = 1.0
"""Seconds between two signs, so that many small steps do not write as many time stamps."""


class Turn:
    """The lock of one folder; one per process is enough, and one thread at a time holds it."""

    def __init__(self, folder: Path, wait: timedelta, given_up: timedelta = GIVEN_UP) -> None:
        self._folder = folder
        self._path = folder / "lock"
        self._wait = wait
        self._given_up = given_up
        self._held: tuple[int, float] | None = None
        """The lock file's number, and when we last gave a sign (monotonic)."""

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other writers out, of other processes too. Raises StoreError when another one goes on
        writing for ``wait``."""
        with contextlib.ExitStack() as files:
            handle = self._take(files)
            self._held = os.fstat(handle).st_ino, 0.0
            try:
                self.step()
                yield
            finally:
                self._held = None

    def step(self) -> None:
        """Before each step that others see. Raises StoreError where another writer took over; does
        nothing outside ``held``."""
        if self._held is None:
            return
        number, signed = self._held
        if self._number() != number:
            raise StoreError(
                f"history {path_text(self._folder)}: this process was held up for so long that another "
                "one took over; what it had measured is measured again in the next cycle"
            )
        now = time.monotonic()
        if not signed or now - signed >= _SIGN:
            os.utime(self._path)
            self._held = number, now

    def _take(self, files: contextlib.ExitStack) -> int:
        """A descriptor that holds the lock of the file that now has the name."""
        deadline = time.monotonic() + self._wait.total_seconds()
        watched: tuple[tuple[int, int], float] | None = None
        while True:
            file = files.enter_context(self._path.open("a+b"))
            handle = file.fileno()
            if _locked(handle):
                if self._number() == os.fstat(handle).st_ino:
                    return handle
                files.close()
                continue
            now, found = time.monotonic(), os.fstat(handle)
            sign = found.st_ino, found.st_mtime_ns
            if watched is None or watched[0] != sign:
                watched = sign, now
            if self._frozen(found.st_mtime, now - watched[1]):
                files.close()
                return self._replaced(files)
            if now > deadline:
                raise StoreError(
                    f"history {path_text(self._folder)}: another process has been writing it "
                    f"for more than {self._wait.total_seconds():.0f} s. End that process if it hangs"
                )
            files.close()
            time.sleep(0.02)

    def _frozen(self, sign: float, seen: float) -> bool:
        """Whether who holds the lock gave no sign for too long: by our own watching, or by the time of
        the last one."""
        limit = self._given_up.total_seconds()
        if seen >= limit:
            return True
        return seen >= min(_LOOK.total_seconds(), limit) and time.time() - sign >= limit

    def _replaced(self, files: contextlib.ExitStack) -> int:
        """A new lock file in the place of the old one, held before anybody can see it."""
        draft = self._folder / f".lock.{os.getpid()}.{secrets.token_hex(4)}.draft"
        try:
            handle = files.enter_context(draft.open("xb")).fileno()
            _locked(handle)
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)
        return handle

    def _number(self) -> int | None:
        try:
            return self._path.stat().st_ino
        except FileNotFoundError:
            return None


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
