"""A few threads that do jobs, and that never keep the process from ending.

Unlike the standard library's pool its threads are daemons: a job that hangs in a service's answer is
left behind when the process has to go, and what it was about is cleared up by the next one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Crew(Generic[T]):
    """For one thread that hands out jobs; ``size`` of them run side by side."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[Callable[[], T] | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.running = 0

    @property
    def free(self) -> int:
        """How many jobs may be started now."""
        return self._size - self.running

    def start(self, job: Callable[[], T]) -> None:
        """Does it on one of the threads."""
        self.running += 1
        if len(self._threads) < self.running:
            thread = threading.Thread(target=self._work, name="deliver", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put(job)

    def ended(self, seconds: float) -> list[T]:
        """What ended meanwhile; waits so long for the first. Raises what a job raised."""
        found: list[T] = []
        try:
            one = self._ended.get(timeout=seconds)
            while True:
                self.running -= 1
                if isinstance(one, BaseException):
                    raise one
                found.append(one)
                one = self._ended.get_nowait()
        except queue.Empty:
            return found

    def dismiss(self) -> None:
        """No further jobs; those that run end by themselves or with the process."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._ended.put(job())
            except BaseException as error:  # raised again where the jobs are handed out
                self._ended.put(error)
