"""Where the loaded days of one exposure are kept: a folder of Parquet files, or memory.

The folder: any number of processes may read it, none of them waits; a writer holds the lock of the
folder, and each day's file is replaced by an atomic rename after it reached the disk. So a reader sees
each day as it was before or after a write, and a process that is killed leaves at most a draft that the
next writer removes. What was read is kept in memory, known by the identity of its file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from eventwatch.model.errors import StoreError, path_text
from eventwatch.store.cache import Cache
from eventwatch.store.cells import Block, KeyBook, merge_loads, nothing
from eventwatch.store.dayfile import (
    DayData,
    Head,
    Identity,
    UnreadableError,
    encode,
    identity_of,
    read_blocks,
    read_head,
)
from eventwatch.store.turn import Turn

_DAYS = "%Y-%m-%d"
_MOST_SERIES = 500_000
"""Of a book, before it is begun anew: names that come and go must not fill the memory."""


class Shelf(Protocol):
    """The days of one exposure. Only inside ``writing`` may anything be put or dropped; all else
    inside ``reading``, which threads of this process take in turns."""

    book: KeyBook

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other threads out."""
        ...

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Keeps other writers out, of other processes too."""
        ...

    def heads(self) -> Sequence[Head]:
        """Of every day that is there, oldest first."""
        ...

    def blocks(
        self, head: Head, dimensions: Collection[str] | None, *, merge: bool = False
    ) -> Mapping[str, Block] | None:
        """Blocks of some sets of a day (no ``dimensions``: all); with ``merge``, loads are added up.
        None: it went away or is damaged, and is a hole from now on."""
        ...

    def put(self, data: DayData) -> None:
        """Replaces a day."""
        ...

    def drop(self, day: int) -> None:
        """Removes a day."""
        ...

    def read_note(self) -> str | None:
        """The note beside the days."""
        ...

    def write_note(self, text: str) -> None:
        """Replaces the note."""
        ...


class MemoryShelf:
    """Days in memory; gone with the object."""

    def __init__(self) -> None:
        self.book = KeyBook()
        self._days: dict[int, DayData] = {}
        self._note: str | None = None
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps other threads out."""
        with self._lock:
            yield

    writing = reading

    def heads(self) -> Sequence[Head]:
        """Oldest first."""
        return [self._days[day].head for day in sorted(self._days)]

    def blocks(
        self, head: Head, dimensions: Collection[str] | None, *, merge: bool = False
    ) -> Mapping[str, Block]:
        """Blocks of a day."""
        found = self._days[head.day].blocks
        return {
            dimension: merge_loads(block) if merge else block
            for dimension, block in found.items()
            if dimensions is None or dimension in dimensions
        }

    def put(self, data: DayData) -> None:
        """Replaces a day."""
        self._days[data.head.day] = data

    def drop(self, day: int) -> None:
        """Removes a day."""
        self._days.pop(day, None)

    def read_note(self) -> str | None:
        """The note."""
        return self._note

    def write_note(self, text: str) -> None:
        """Replaces the note."""
        self._note = text


class FileShelf:
    """Days as files of one folder."""

    def __init__(self, folder: Path, cache: Cache, turn: Turn) -> None:
        self.book = KeyBook()
        self._folder = folder
        self._cache = cache
        self._turn = turn
        self._heads: dict[Path, tuple[Identity, Head | None]] = {}
        self._written: Path | None = None
        self._whole: tuple[Path, Identity, tuple[str, ...]] | None = None
        """The file that was written last, and all sets in it."""
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Keeps other threads out; takes no lock that another process sees."""
        with self._lock, self._errors():
            if len(self.book.keys) > _MOST_SERIES:
                self._cache.forget(self._folder)
                self.book = KeyBook()
            yield

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the lock of the folder, which nobody keeps who dies or freezes."""
        with self._errors():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._turn.held():
                for draft in self._folder.glob(".*.draft"):
                    draft.unlink(missing_ok=True)
                with self.reading():
                    for path in self._paths():
                        if self._head(path) is None:
                            self._remove(path)
                    yield

    def heads(self) -> Sequence[Head]:
        """Of every readable day, oldest first."""
        paths = self._paths()
        for gone in set(self._heads).difference(paths):
            del self._heads[gone]
            self._cache.forget(gone)
        found = (self._head(path) for path in paths)
        return sorted((head for head in found if head is not None), key=lambda head: head.day)

    def blocks(
        self, head: Head, dimensions: Collection[str] | None, *, merge: bool = False
    ) -> Mapping[str, Block] | None:
        """Blocks of a day, as its file is now; None: it went away or is damaged."""
        path = self._path(head.day)
        try:
            # Before the file is opened: should it be replaced in between, what is kept under the old
            # identity is not found again.
            identity = identity_of(path.stat())
        except FileNotFoundError:
            return None
        if dimensions is None and self._whole is not None and self._whole[:2] == (path, identity):
            dimensions = self._whole[2]
        known = self._cache.get(path, identity)
        if dimensions is not None:
            found = {d: known[d, merge] for d in dimensions if (d, merge) in known}
            if len(found) == len(dimensions):
                return {d: block for d, block in found.items() if len(block.series)}
        try:
            read = read_blocks(path, dimensions, self.book).blocks
        except FileNotFoundError:
            return None
        except UnreadableError:
            self._heads[path] = (identity, None)
            return None
        blocks = {d: merge_loads(block) if merge else block for d, block in read.items()}
        for dimension, block in blocks.items():
            self._cache.put(path, identity, (dimension, merge), block)
        # Most days have no repeated ids and no bad times: that too is known from here on.
        for dimension in set(dimensions or ()).difference(blocks):
            self._cache.put(path, identity, (dimension, merge), nothing(head.day))
        return blocks

    def put(self, data: DayData) -> None:
        """Replaces the file of a day."""
        path = self._path(data.head.day)
        self._turn.step()
        identity = self._replace(path, encode(data, self.book))
        self._cache.forget(path)
        self._heads[path] = (identity, data.head)
        # The last day of a write is the one that the next cycle writes again.
        if self._written is not None and self._written != path:
            self._cache.forget(self._written)
        self._written, self._whole = path, (path, identity, tuple(data.blocks))
        for dimension, block in data.blocks.items():
            self._cache.put(path, identity, (dimension, False), block)

    def drop(self, day: int) -> None:
        """Removes the file of a day."""
        self._turn.step()
        self._remove(self._path(day))

    def read_note(self) -> str | None:
        """The note; None where there is none."""
        try:
            return (self._folder / "note.json").read_text("utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def write_note(self, text: str) -> None:
        """Replaces the note."""
        self._replace(self._folder / "note.json", text.encode())

    def _paths(self) -> list[Path]:
        try:
            return [
                path
                for path in self._folder.iterdir()
                if path.suffix == ".parquet" and not path.name.startswith(".")
            ]
        except FileNotFoundError:
            return []

    def _path(self, day: int) -> Path:
        return self._folder / f"{datetime.fromtimestamp(day, UTC):{_DAYS}}.parquet"

    def _head(self, path: Path) -> Head | None:
        """None: gone, damaged, of another version, or not what its name says."""
        try:
            identity = identity_of(path.stat())
            known = self._heads.get(path)
            if known is not None and known[0] == identity:
                return known[1]
            head: Head | None = read_head(path)
        except FileNotFoundError:
            return None
        except UnreadableError:
            head = None
        if head is not None and self._path(head.day) != path:
            head = None
        self._heads[path] = (identity, head)
        return head

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._heads.pop(path, None)
        self._cache.forget(path)

    def _replace(self, path: Path, content: bytes) -> Identity:
        draft = self._folder / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.draft"
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                identity = identity_of(os.fstat(file.fileno()))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return identity

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"history {path_text(self._folder)}: {error.strerror or error}. {_advice(error)}"
            ) from None


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "Free some space; what was there before is unchanged"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "Give this user the right to write there, or name another folder under history"
    return "The history is a cache: if this goes on, remove the folder and it is measured again"
