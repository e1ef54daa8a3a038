"""Goes on where an earlier pass over the same past stood, instead of replaying weeks for five minutes.

A pass is causal: what it knows at the end of a day rests on the buckets up to there and on nothing
else. So that state is kept, named by a digest of everything it rests on, and a later panel with the
very same past starts from it. The result is the same to the bit; when a late row changed the past,
the name differs and an older state is gone on from, or everything is run again. This changes what a
call costs, never what it returns.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b, sha256
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.said import Said, Unsaid
from eventwatch.detect.season import YOUNG_DAYS
from eventwatch.detect.settings import DetectSettings
from eventwatch.detect.standing import Standing, UnfitError

DAYS_BACK = (0, 1, 3)
"""Whole days back from the newest bucket at which the state is kept: the nearest is the cheapest to go
on from, the farthest outlives rows that come days late."""
MOST_KEPT = 12
LARGEST = 1_200_000
"""Most buckets that a pass holds at once; a larger panel is run in pieces, which bounds the memory."""


class Memory:
    """States by the digest of what they rest on, the least used forgotten first. Safe for threads."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._kept: OrderedDict[bytes, Standing] = OrderedDict()
        self._lock = threading.Lock()
        self._most = most
        self.used: frozenset[bytes] = frozenset()
        """Names that the passes since the last ``saved`` went on from or made."""

    def find(self, name: bytes) -> Standing | None:
        """The state of that name, or None."""
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
                self.used |= {name}
            return found

    def keep(self, name: bytes, standing: Standing) -> None:
        """Remembers a state."""
        with self._lock:
            self._kept[name] = standing
            self._kept.move_to_end(name)
            self.used |= {name}
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._kept.clear()

    def begin(self) -> None:
        """From here on it is noted what is used."""
        with self._lock:
            self.used = frozenset()

    def states(self) -> dict[bytes, Standing]:
        """Those used since ``begin``, by name."""
        with self._lock:
            return {name: kept for name, kept in self._kept.items() if name in self.used}

    def add(self, states: Mapping[bytes, Standing]) -> None:
        """Remembers states of an earlier process; they count as unused until one is gone on from."""
        with self._lock:
            for name, standing in states.items():
                self._kept.setdefault(name, standing)

    def __len__(self) -> int:
        return len(self._kept)


@lru_cache(maxsize=1)
def written_by() -> str:
    """Names all that decides what a state means: this code and the libraries it computes with. A state
    of another name is of no use."""
    digest = blake2b(digest_size=16)
    for name in ("eventwatch", "numpy", "scipy"):
        digest.update(f"{name} {version(name)}\n".encode())
    for source in sorted(files("eventwatch.detect").iterdir(), key=lambda each: each.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return digest.hexdigest()


shared = Memory()
"""The process' own, for whoever asks outside ``remembering``."""
_memory: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering(memory: Memory) -> Iterator[None]:
    """Passes of this context go on from, and are kept in, ``memory`` instead of the process' own."""
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def run_on(panel: Panel, settings: DetectSettings) -> Scored:
    """What ``engine.run`` gives, from a kept state where there is one. Safe for threads.

    Of buckets that lie too far back for any verdict it says only whether they were in alarm: see
    ``detect.said``.
    """
    if not panel.counts.size:
        return Pass(panel, settings).out
    memory = _memory.get()
    memory = shared if memory is None else memory
    with np.errstate(all="ignore"):
        try:
            return _run_on(panel, settings, memory)
        except UnfitError:
            memory.clear()
            return _run_on(panel, settings, memory)


def _run_on(panel: Panel, settings: DetectSettings, memory: Memory) -> Scored:
    total, series = panel.counts.shape
    per_day = panel.grain.per_day
    last = (total - 1) // per_day
    names = _names(panel, settings, [(last - d) * per_day for d in DAYS_BACK if last > d])
    said = Said(total, series, panel.grain)
    standing = _newest(names, memory)
    if standing is not None:
        said.recall(standing.arrays, standing.stop)
    accepted = np.full(series, -1)
    for piece in _pieces(panel, settings, said, standing, sorted(names), largest=LARGEST):
        accepted = piece.made.accepted + piece.cut
        if piece.standing is not None and piece.stop in names:
            memory.keep(names[piece.stop], piece.standing)
        # Or two passes would be held at once.
        del piece
    return said.scored(accepted)


@dataclass(frozen=True)
class Piece:
    """Buckets [start, stop) of a panel, just scored."""

    start: int
    stop: int
    made: Pass
    """Over the panel without its first ``cut`` buckets."""
    cut: int
    standing: Standing | None
    """At the end of them; None: that is the end of the panel."""

    def of(self, rows: NDArray[Any]) -> NDArray[Any]:
        """What an array of the pass, a row a bucket, has of these buckets."""
        return rows[self.start - self.cut : self.stop - self.cut]


def in_pieces(panel: Panel, settings: DetectSettings) -> Iterator[Piece]:
    """What ``engine.run`` does, without ever holding all that it says. Each piece must be read before
    the next one is asked for."""
    with np.errstate(all="ignore"):
        total, series = panel.counts.shape
        yield from _pieces(panel, settings, Unsaid(total, series), None, (), largest=LARGEST // 2)


def _pieces(
    panel: Panel,
    settings: DetectSettings,
    said: Said | Unsaid,
    standing: Standing | None,
    stops: Sequence[int],
    *,
    largest: int,
) -> Iterator[Piece]:
    """From ``standing`` on, with an end at each of the ascending ``stops``; fills ``said``."""
    total, series = panel.counts.shape
    per_day = panel.grain.per_day
    most = total
    if total * series > largest:
        most = max(largest // series // per_day - YOUNG_DAYS - 2, 4) * per_day
    at = 0 if standing is None else standing.stop
    while at < total:
        end = min(at + most, total)
        cut = 0 if standing is None else standing.first_bucket(panel.grain)
        made = _made(_part(panel, cut, end), cut, settings, standing)
        for stop in (*(s for s in stops if at < s < end), end):
            made.go_on(at - cut, stop - cut)
            said.take(made, cut, at, stop)
            standing = Standing.of(made, cut, stop, said) if stop < total else None
            yield Piece(at, stop, made, cut, standing)
            at = stop
        del made


def _made(panel: Panel, cut: int, settings: DetectSettings, standing: Standing | None) -> Pass:
    return Pass(panel, settings) if standing is None else standing.onto(panel, cut, settings)


def _newest(names: Mapping[int, bytes], memory: Memory) -> Standing | None:
    """The newest state that is known; all that are known are of use to the next call too."""
    found = {stop: memory.find(name) for stop, name in names.items()}
    known = [standing for stop, standing in sorted(found.items()) if standing is not None]
    return known[-1] if known else None


def _part(panel: Panel, start: int, stop: int) -> Panel:
    """Buckets [start, stop) of a panel."""

    def cut(array: NDArray[Any] | None) -> Any:
        return None if array is None else array[start:stop]

    return replace(
        panel,
        counts=panel.counts[start:stop],
        clock=panel.clock.part(start, stop),
        share=cut(panel.share),
        doubt=cut(panel.doubt),
        holiday=cut(panel.holiday),
        labels=cut(panel.labels),
    )


def _names(panel: Panel, settings: DetectSettings, stops: Sequence[int]) -> dict[int, bytes]:
    """A name for everything that the state at each stop (the end of a day) rests on."""
    parts = (panel.share, panel.doubt, panel.holiday, panel.labels)
    per_day = panel.grain.per_day
    about = (
        settings,
        panel.grain,
        panel.counts.shape[1],
        [None if part is None else part.shape[1:] for part in parts],
        panel.clock.slot.shape[1:],
    )
    digest = sha256(repr(about).encode())
    names = {}
    if not stops:
        return {}
    end = max(stops)
    # Nearly all of these arrays says nothing.
    usual = (1.0, 0.0, 0.0, 0)
    said = [
        (part, (part[:end] != value).reshape(end // per_day, -1).any(axis=1).tolist())
        for part, value in zip(parts, usual, strict=True)
        if part is not None
    ]
    for start in range(0, end, per_day):
        day = slice(start, start + per_day)
        for array in (panel.counts, panel.clock.slot, panel.clock.weekday):
            digest.update(np.ascontiguousarray(array[day]).data)
        for part, unusual in said:
            some = unusual[start // per_day]
            digest.update(b"\x01" if some else b"\x00")
            if some:
                digest.update(np.ascontiguousarray(part[day]).data)
        if start + per_day in stops:
            names[start + per_day] = digest.digest()
    return names
