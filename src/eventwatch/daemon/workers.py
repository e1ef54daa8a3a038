"""The threads that run cycles: each name at most once at a time, nobody waits unseen.

They are daemon threads, so one that hangs in a driver cannot keep the process from ending. One that
overruns every limit is given up and replaced; its name stays taken, because it may still be at work.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

MOST_GIVEN_UP = 8
"""More than so many hanging threads are a reason to start afresh."""


@dataclass(frozen=True)
class Running:
    """What one thread is doing."""

    name: str
    since: float
    """Seconds of ``time.monotonic``."""
    thread: threading.Thread


class Workers:
    """``size`` threads that do ``work`` with the names they are offered."""

    def __init__(self, size: int, work: Callable[[str], None]) -> None:
        self._work = work
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[str, float] = {}
        self._running: dict[str, Running] = {}
        self._given_up: set[str] = set()
        self._gone: set[threading.Thread] = set()
        self.threads: list[threading.Thread] = []
        self._size = size

    def start(self) -> None:
        """Returns at once."""
        self.grow(self._size)

    def grow(self, size: int) -> None:
        """At least so many threads that are not given up."""
        while len([t for t in self.threads if t not in self._gone]) < size:
            self._hire()

    def offer(self, name: str) -> bool:
        """Has it done soon. False: it is waiting or running already."""
        with self._lock:
            if name in self._waiting or name in self._running:
                return False
            self._waiting[name] = time.monotonic()
        self._queue.put(name)
        return True

    def waiting(self) -> dict[str, float]:
        """Name → seconds that it has been waiting for a thread."""
        now = time.monotonic()
        with self._lock:
            return {name: now - since for name, since in self._waiting.items()}

    def running(self) -> tuple[Running, ...]:
        """What is being done now."""
        with self._lock:
            return tuple(self._running.values())

    def give_up(self, limit: Callable[[str], float]) -> tuple[str, ...]:
        """Names that ran longer than their limit since the last call; their threads are replaced."""
        now, found = time.monotonic(), []
        for each in self.running():
            if each.name not in self._given_up and now - each.since > limit(each.name):
                self._given_up.add(each.name)
                self._gone.add(each.thread)
                found.append(each.name)
                self._hire()
        return tuple(found)

    def forgive(self, seconds: float) -> None:
        """The process stood still for so long: what runs has not overrun by that."""
        with self._lock:
            for name, each in self._running.items():
                self._running[name] = replace(each, since=each.since + seconds)

    @property
    def given_up(self) -> int:
        """How many threads hang."""
        return len(self._gone)

    def stop(self) -> None:
        """Nothing further is begun; what waits is dropped."""
        with self._lock:
            self._waiting.clear()
        for _ in self.threads:
            self._queue.put(None)

    def join(self, until: float) -> bool:
        """Waits for the threads up to an instant of ``time.monotonic``. Whether all have ended."""
        for thread in list(self.threads):
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def _hire(self) -> None:
        thread = threading.Thread(
            target=self._loop, name=f"cycles-{len(self.threads)}", daemon=True
        )
        self.threads.append(thread)
        thread.start()

    def _loop(self) -> None:
        me = threading.current_thread()
        while me not in self._gone and (name := self._queue.get()) is not None:
            with self._lock:
                if self._waiting.pop(name, None) is None:
                    continue
                self._running[name] = Running(name, time.monotonic(), me)
            try:
                self._work(name)
            finally:
                with self._lock:
                    self._running.pop(name, None)
                    self._given_up.discard(name)
        # One that was given up and came back has a successor: it leaves, and is missed by nobody.
        self.threads.remove(me)
        self._gone.discard(me)
