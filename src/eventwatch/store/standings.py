"""The detector's states beside the measurements: ``root/<exposure>/detector.state``, one file.

It is a cache of a cache: what is damaged, or was written by another version, is left aside with one
warning and replaced by the next write. The file is a line of JSON that says what follows, then the
bytes of plain arrays, and a digest of both; nothing in it is ever executed. No lock is taken: each
writer replaces the whole file, and any of them is as good as the other.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.resume import Memory, remembering, written_by
from eventwatch.detect.standing import Standing
from eventwatch.model.errors import path_text
from eventwatch.store.history import folder_name

log = logging.getLogger(__name__)

MAGIC = b"eventwatch detector 1\n"
DIGEST = 32
WRITE_EVERY = timedelta(minutes=30)
"""Where rows come so late that every cycle changes the whole past, states are not written each time."""
_PLAIN = "biuf"
"""Kinds of numbers that are read: booleans, integers, floats."""


class UnreadableError(Exception):
    """The file is damaged, or of another version."""


class Standings:
    """The states of every exposure of one history folder, read once and written when they changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._memories: dict[str, Memory] = {}
        self._on_disk: dict[str, tuple[datetime | None, frozenset[bytes]]] = {}

    @contextmanager
    def remembered(self, exposure: str) -> Iterator[None]:
        """Whatever is judged inside goes on from the states of this exposure."""
        memory = self._memory(exposure)
        memory.begin()
        with remembering(memory):
            yield

    def save(self, exposure: str, now: datetime) -> None:
        """Writes what the last ``remembered`` used, where the file holds nothing of it any more.
        Never raises: without the file the next process merely takes longer."""
        with self._lock:
            memory = self._memories.get(exposure)
        if memory is None:
            return
        states = _worth_writing(memory.states())
        written_at, names = self._on_disk.get(exposure, (None, frozenset()))
        if not states or names.intersection(states):
            return
        if written_at is not None and timedelta(0) <= now - written_at < WRITE_EVERY:
            return
        path = self._path(exposure)
        try:
            _replace(path, encode(states, now))
        except OSError as error:
            log.warning("%s could not be written: %s", path_text(path), error.strerror or error)
        self._on_disk[exposure] = now, frozenset(states)

    def _memory(self, exposure: str) -> Memory:
        with self._lock:
            if exposure not in self._memories:
                memory = self._memories[exposure] = Memory()
                path = self._path(exposure)
                try:
                    written_at, states = decode(path.read_bytes())
                    memory.add(states)
                    self._on_disk[exposure] = written_at, frozenset(states)
                except FileNotFoundError:
                    pass
                except (UnreadableError, OSError) as error:
                    log.warning(
                        "%s is left aside and made anew (%s): judging takes longer this once",
                        path_text(path),
                        error,
                    )
            return self._memories[exposure]

    def _path(self, exposure: str) -> Path:
        return self._root / folder_name(exposure) / "detector.state"


_opened: dict[Path, Standings] = {}
_opening = threading.Lock()


def standings(root: Path) -> Standings:
    """The states of a history folder; the same object each time, so that they stay in memory."""
    with _opening:
        return _opened.setdefault(root, Standings(root))


def encode(states: Mapping[bytes, Standing], now: datetime) -> bytes:
    """The bytes of the file."""
    listed, parts = [], []
    for name, standing in states.items():
        arrays = []
        for path, array in standing.arrays.items():
            plain = np.ascontiguousarray(array)
            arrays.append([path, plain.dtype.str, list(array.shape)])
            parts.append(plain.tobytes())
        listed.append([name.hex(), standing.stop, standing.seconds, arrays])
    head = {"by": written_by(), "at": now.isoformat(), "states": listed}
    body = b"".join([json.dumps(head).encode(), b"\n", *parts])
    return MAGIC + blake2b(body, digest_size=DIGEST).digest() + body


def decode(content: bytes) -> tuple[datetime, dict[bytes, Standing]]:
    """When it was written, and the states. Raises UnreadableError."""
    start = len(MAGIC) + DIGEST
    if not content.startswith(MAGIC):
        raise UnreadableError("it is of another version")
    body = memoryview(content)[start:]
    if blake2b(body, digest_size=DIGEST).digest() != content[len(MAGIC) : start]:
        raise UnreadableError("it is damaged")
    end = content.index(b"\n", start)
    try:
        head = json.loads(content[start:end])
        if head["by"] != written_by():
            raise UnreadableError("it is of another version")
        states, place = {}, end + 1
        for name, stop, seconds, listed in head["states"]:
            arrays = {}
            for path, kind, shape in listed:
                arrays[path] = array = _array(content, place, kind, shape)
                place += array.nbytes
            states[bytes.fromhex(name)] = Standing(int(stop), int(seconds), arrays)
        return datetime.fromisoformat(head["at"]), states
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableError(f"it cannot be understood: {error}") from None


def _array(content: bytes, place: int, kind: str, shape: Sequence[int]) -> NDArray[Any]:
    dtype = np.dtype(kind)
    if dtype.kind not in _PLAIN:
        raise ValueError(f"numbers of kind {dtype.kind!r}")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(content, dtype, count, place).reshape(shape)


def _worth_writing(states: Mapping[bytes, Standing]) -> dict[bytes, Standing]:
    """Of each width of bucket the newest state, from which going on is cheapest, and the oldest, which
    late rows change last."""
    by_place = {(kept.seconds, kept.stop): name for name, kept in states.items()}
    chosen = {}
    for seconds in {seconds for seconds, _ in by_place}:
        stops = [stop for width, stop in by_place if width == seconds]
        for stop in {min(stops), max(stops)}:
            name = by_place[seconds, stop]
            chosen[name] = states[name]
    return chosen


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in path.parent.glob(f".{path.name}.*"):
        # Of a process that was killed; one that still writes has begun a moment ago.
        with suppress(OSError):
            if left.stat().st_mtime < path.parent.stat().st_mtime - 3600:
                left.unlink()
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
