"""Judges days in several processes: each is a pure function of the recording.

New processes, not forked ones: the parent has threads (a database's, Arrow's), and a fork copies
their locks but not them. What the processes share lies in a folder of the parent's, mapped into
memory; the connection's URL, which may hold a password, is not in it.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import multiprocessing
import os
import pickle
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from eventwatch.backtest import recording as recordings
from eventwatch.backtest.judging import Assignment
from eventwatch.backtest.recording import Recording
from eventwatch.model.settings import Secret

T = TypeVar("T")
Work = Callable[[Assignment, Recording, Any], T]
"""A module's function: processes find it by its name."""
_SURROUNDINGS = {
    # The arrays are narrow: threads inside a process would only get in the others' way.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Arrays of some megabytes come and go thousands of times: glibc gives each back to the kernel and
    # has it filled with zeros again, a tenth of all processor time. Other C libraries do not look.
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TOP_PAD_": str(16 * 2**20),
}


@dataclass(frozen=True)
class _Desk:
    """What a worker process works on."""

    assignment: Assignment
    recording: Recording


_desk: _Desk | None = None


@contextlib.contextmanager
def workers(assignment: Assignment, recording: Recording, jobs: int) -> Iterator[Workers]:
    """``jobs`` processes; with one, everything is done here. Raises OSError when the recording cannot
    be put down."""
    bare = replace(
        assignment,
        scene=replace(
            assignment.scene,
            exposure=replace(assignment.scene.exposure, connection=Secret("")),
        ),
    )
    if jobs <= 1:
        yield Workers(bare, recording, None)
        return
    with tempfile.TemporaryDirectory(prefix="eventwatch-backtest-") as name:
        folder = Path(name)
        recordings.save(recording, folder)
        (folder / "assignment").write_bytes(_pickled(bare))
        context = multiprocessing.get_context("spawn")
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(jobs, context, _sit_down, (name,))
        try:
            with _surroundings():
                yield Workers(bare, recording, pool)
        except BrokenProcessPool:
            raise OSError(
                "a process that judged died, most likely for want of memory; take fewer --jobs"
            ) from None
        except BaseException:
            # Nobody waits for what is being judged: Ctrl-C must end at once.
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Workers:
    """Where days are judged."""

    assignment: Assignment
    recording: Recording
    pool: ProcessPoolExecutor | None

    def each(self, work: Work[T], tasks: Sequence[Any]) -> Iterator[T]:
        """What ``work`` gives for each task, in the order of the tasks."""
        if self.pool is None:
            yield from (work(self.assignment, self.recording, task) for task in tasks)
            return
        yield from self.pool.map(_do, [(work, task) for task in tasks])


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def _sit_down(folder: str) -> None:
    global _desk  # noqa: PLW0603 - a worker process has one desk
    # Ctrl-C goes to the whole group; the parent ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assignment = pickle.loads((Path(folder) / "assignment").read_bytes())
    _desk = _Desk(assignment, recordings.opened(Path(folder)))


def _do(job: tuple[Work[Any], Sequence[datetime]]) -> Any:
    assert _desk is not None
    work, task = job
    return work(_desk.assignment, _desk.recording, task)


@contextlib.contextmanager
def _surroundings() -> Iterator[None]:
    """What the processes find in their environment; what the caller set himself stays."""
    before = {name: os.environ.get(name) for name in _SURROUNDINGS}
    os.environ.update({name: v for name, v in _SURROUNDINGS.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _pickled(value: object) -> bytes:
    """With read-only mappings, which pickle refuses by itself."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = copyreg.dispatch_table | {MappingProxyType: _proxy}
    pickler.dump(value)
    return buffer.getvalue()


def _proxy(value: Any) -> tuple[Callable[[dict[Any, Any]], Any], tuple[dict[Any, Any]]]:
    return _read_only, (dict(value),)


def _read_only(value: dict[Any, Any]) -> Any:
    # By way of a function: the type itself has no name that pickle could find.
    return MappingProxyType(value)
