"""Keeps the last good catalog while the daemon lives, and reads the source again when it changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from eventwatch.model.contract import Catalog
from eventwatch.model.errors import ContractError

Fingerprint = tuple[tuple[str, int, int, int], ...]


class CatalogKeeper:
    """A catalog that follows its source.

    Compiling contracts in every cycle would cost more than the cycle, so the files' identities are
    compared first. A source that breaks keeps the last good catalog; ``trouble`` says what is wrong.
    """

    def __init__(
        self, load: Callable[[], Catalog], roots: tuple[Path, ...], first: Catalog
    ) -> None:
        self._load, self._roots = load, roots
        self._lock = threading.Lock()
        self._catalog = first
        self._seen = fingerprint(roots)
        self._trouble = ""
        self._good_at = time.monotonic()

    @property
    def age(self) -> timedelta:
        """Since the catalog was last found to be what its source says."""
        # Without the lock, here and below: who only asks does not wait for a compiler.
        return timedelta(seconds=time.monotonic() - self._good_at)

    @property
    def digest(self) -> str:
        """Of the catalog in use; the source is not looked at."""
        return self._catalog.digest

    def current(self) -> tuple[Catalog, str]:
        """The catalog to use now, and why the source could not be read; empty: it could."""
        with self._lock:
            seen = fingerprint(self._roots)
            if seen != self._seen:
                self._seen = seen
                try:
                    self._catalog, self._trouble = self._load(), ""
                except ContractError as error:
                    more = len(error.faults) - 1
                    first = str(error.faults[0]) if error.faults else "unknown"
                    self._trouble = first + (f" (and {more} more)" if more > 0 else "")
            if not self._trouble:
                self._good_at = time.monotonic()
            return self._catalog, self._trouble


def fingerprint(roots: tuple[Path, ...]) -> Fingerprint:
    """Path, inode, size and modification time of every file that a source may read."""
    found: list[tuple[str, int, int, int]] = []
    for root in roots:
        files = sorted(root.rglob("*.proto")) if root.is_dir() else [root]
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                continue
            found.append((str(file), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)
