"""Blocks that were read before, for a daemon whose cycles read the same days again and again."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from eventwatch.store.cells import Block
from eventwatch.store.dayfile import Identity


class Cache:
    """Blocks of unchanged files, up to a number of bytes.

    What does not fit is not kept, and nothing is pushed out to make room: every cycle reads the same
    days in the same order, for which pushing out the longest unused would never find anything. What
    belongs to a file that was replaced or removed goes at once. Shared by all exposures of a history,
    so that the bound holds for the process.
    """

    def __init__(self, most_bytes: int) -> None:
        self._room = most_bytes
        self._files: dict[Path, tuple[Identity, dict[tuple[str, bool], Block]]] = {}
        self._lock = threading.Lock()

    def get(self, path: Path, identity: Identity) -> Mapping[tuple[str, bool], Block]:
        """Blocks by (dimension, whether its loads are merged)."""
        with self._lock:
            found = self._files.get(path)
            if found is None:
                return {}
            if found[0] != identity:
                self._forget(path)
                return {}
            return dict(found[1])

    def put(self, path: Path, identity: Identity, name: tuple[str, bool], block: Block) -> None:
        """Keeps it if there is room."""
        with self._lock:
            found = self._files.get(path)
            if found is not None and found[0] != identity:
                self._forget(path)
            if block.nbytes > self._room:
                return
            blocks = self._files.setdefault(path, (identity, {}))[1]
            if name not in blocks:
                self._room -= block.nbytes
                blocks[name] = block

    def forget(self, path: Path) -> None:
        """Everything of a file or of the files of a folder."""
        with self._lock:
            for one in [p for p in self._files if path in (p, p.parent)]:
                self._forget(one)

    def _forget(self, path: Path) -> None:
        found = self._files.pop(path, None)
        if found is not None:
            self._room += sum(block.nbytes for block in found[1].values())
