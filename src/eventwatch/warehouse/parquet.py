"""Parquet files as a table that somebody else may be writing.

A file that is replaced during the read can give wrong numbers without any error. So every matched
file is looked at (inode, size, time of change) before and after; a read between two unequal looks is
thrown away. A rewrite may also begin before the first look: the newest file must have been quiet for
two seconds. Files that only appear during the read do no harm: the read is over the files of the
first look, and the next cycle's overlap finds the rest.
"""

from __future__ import annotations

import glob
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from eventwatch.model.errors import ExposureBusy, ExposureInvalid, ExposureTimeout, WarehouseError
from eventwatch.model.settings import Exposure
from eventwatch.warehouse.columns import fault

QUIET = 2.0
"""Seconds without a change before files are read."""
T = TypeVar("T")


@dataclass(frozen=True)
class Look:
    """The matched files at one instant: path → (inode, size, mtime in ns)."""

    files: dict[str, tuple[int, int, int]]

    @property
    def newest(self) -> float:
        """Epoch seconds of the latest change; 0 when there is no file."""
        return max((state[2] for state in self.files.values()), default=0) / 1e9

    def holds(self, later: Look) -> bool:
        """Whether every file is still what it was."""
        return all(later.files.get(path) == state for path, state in self.files.items())


def look(pattern: str) -> Look:
    """Matches and inspects. Hidden files and folders are left out, as by DuckDB."""
    found = {}
    # Path.glob would match hidden files; the glob module leaves them out.
    for path in glob.glob(pattern, recursive=True):  # noqa: PTH207
        try:
            state = Path(path).stat()
        except FileNotFoundError:
            continue  # gone since it was listed: the second look will tell
        if Path(path).is_file():
            found[path] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return Look(dict(sorted(found.items())))


def steadily(exposure: Exposure, read: Callable[[tuple[str, ...]], T], quiet: float = QUIET) -> T:
    """``read`` of the matched files, repeated until they did not change meanwhile.

    Raises ExposureBusy when they keep changing for ``lock_wait``, ExposureInvalid when none matches.
    """
    pattern = exposure.parquet or ""
    if "://" in pattern or not Path(pattern).is_absolute():
        message = f"{pattern!r} must be an absolute path or glob of files on this machine"
        raise ExposureInvalid([fault(exposure, "parquet", message)])
    end = time.monotonic() + exposure.lock_wait.total_seconds()
    while True:
        before = _quiet(exposure, pattern, end, quiet)
        try:
            made = read(tuple(before.files))
        except (ExposureTimeout, ExposureInvalid):
            raise
        except WarehouseError:
            if before.holds(look(pattern)):
                raise
        else:
            if before.holds(look(pattern)):
                return made
        if time.monotonic() >= end:
            raise _busy(exposure, "were replaced while they were read")
        time.sleep(random.uniform(0.05, 0.2))


def _quiet(exposure: Exposure, pattern: str, end: float, quiet: float) -> Look:
    """The files once nothing has changed for a while: by their own times, or, where those lie in
    the future, by our watching them."""
    seen, since = look(pattern), time.monotonic()
    while True:
        if not seen.files:
            message = (
                f"no file matches {pattern!r}; is the path right, and was anything loaded yet?"
            )
            raise ExposureInvalid([fault(exposure, "parquet", message)])
        age = time.time() - seen.newest
        if age >= quiet or time.monotonic() - since >= quiet:
            return seen
        left = end - time.monotonic()
        if left <= 0:
            raise _busy(exposure, "are being written")
        time.sleep(min(left, quiet, max(0.05, quiet - max(age, 0.0))))
        now = look(pattern)
        if now != seen:
            seen, since = now, time.monotonic()


def _busy(exposure: Exposure, what: str) -> ExposureBusy:
    return ExposureBusy(
        f"{exposure.name}: files of {exposure.parquet!r} {what}, again and again for "
        f"{exposure.lock_wait.total_seconds():.0f} s; publish files by writing them elsewhere and "
        "renaming them into place"
    )
