"""The measurement history: cells of each exposure by loaded day, in files or in memory.

A scan replaces, set by set, every loaded bucket from where it began to read, and nothing before. What
is known of a day (from when, until when) is written with the day, so a write that was cut off half-way
or days that nobody measured are seen as what they are: ``covered_until`` falls back to what is there,
and the next scan reads on from it. A history is a cache of one exposure as it is configured: whoever
changes the exposure's columns or dimensions gives it another name here.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from eventwatch.model.errors import StoreError
from eventwatch.model.measurement import (
    DELAY,
    DUPLICATE,
    FINE_SPAN,
    TIME,
    Cells,
    Changed,
    HistoryNote,
    Scan,
    ScanRequest,
)
from eventwatch.store.cache import Cache
from eventwatch.store.cells import (
    DAY,
    Block,
    hourly,
    join,
    row_sums,
)
from eventwatch.store.cells import merge_loads as merge
from eventwatch.store.dayfile import DayData, Head, is_hourly, summarise
from eventwatch.store.gathered import KeptCells
from eventwatch.store.shelf import FileShelf, MemoryShelf, Shelf
from eventwatch.store.tables import split_days
from eventwatch.store.turn import GIVEN_UP, Turn

CACHE_BYTES = 256 * 2**20
"""Most memory for days that were read before."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = 2**62


class DailyHistory:
    """Implements ports.history.History over shelves of days."""

    def __init__(self, open_shelf: Callable[[str], Shelf]) -> None:
        self._open_shelf = open_shelf
        self._shelves: dict[str, Shelf] = {}
        self._kept = KeptCells()
        self._lock = threading.Lock()

    def replace(self, exposure: str, scan: Scan) -> None:
        """Replaces, for each set, all loaded buckets from the set's ``*_from`` on. Raises StoreError."""
        request = scan.request
        shelf = self._shelf(exposure)
        with shelf.writing():
            known = {head.day: head for head in shelf.heads()}
            rule = _Rule(request)
            today = _seconds(request.now) // DAY * DAY
            done = rule.first_day()
            # Oldest first: if we are cut off, what is there ends where the next scan begins.
            for day, blocks in split_days(shelf.book, scan.cells):
                if day < done or day > today:
                    continue
                for empty in range(done, day, DAY):
                    _replace_day(shelf, rule, known.get(empty), empty, {})
                _replace_day(shelf, rule, known.get(day), day, blocks)
                done = day + DAY
            for empty in range(done, today + DAY, DAY):
                _replace_day(shelf, rule, known.get(empty), empty, {})
            # A clock was wrong: what lies after now was never loaded.
            for day in known:
                if day > today:
                    shelf.drop(day)

    def replace_day(self, exposure: str, day: int, scan: Scan) -> None:
        """Replaces one whole loaded UTC day; sets that the scan did not ask for stay. Raises
        StoreError."""
        shelf = self._shelf(exposure)
        with shelf.writing():
            known = {head.day: head for head in shelf.heads()}
            rule = _Rule(scan.request)
            blocks = dict(split_days(shelf.book, scan.cells)).get(day, {})
            _replace_day(shelf, rule, known.get(day), day, blocks)

    def cells(
        self,
        exposure: str,
        dimensions: tuple[str, ...],
        since: datetime,
        until: datetime,
        *,
        merge_loads: bool = False,
    ) -> Cells:
        """Cells of these dimensions loaded in [since, until). Raises StoreError."""
        first, end = _seconds(since), _seconds_up(until)
        shelf = self._shelf(exposure)
        with shelf.reading():
            blocks: list[Block] = []
            for head in shelf.heads():
                if head.end <= first or head.day >= end:
                    continue
                whole = first <= head.day and head.end <= end
                found = shelf.blocks(head, dimensions, merge=merge_loads and whole) or {}
                for block in found.values():
                    part = block if whole else block.since(first).before(end)
                    blocks.append(merge(part) if merge_loads and not whole else part)
            gathered = self._kept.of((exposure, dimensions, merge_loads))
            cells = gathered.cells(shelf.book, blocks)
        self._kept.make_room()
        return cells

    def covered_from(self, exposure: str) -> datetime | None:
        """Start of the span of loaded time without holes that ends at the newest day."""
        heads = self._heads(exposure)
        if not heads:
            return None
        start = heads[-1].covered_from
        for newer, older in zip(reversed(heads), reversed(heads[:-1]), strict=False):
            touches = older.end == newer.day and older.covered_until >= older.end * 1_000_000
            if start > newer.day or not touches:
                break
            start = older.covered_from
        return _EPOCH + timedelta(seconds=start)

    def covered_until(self, exposure: str) -> datetime | None:
        """``now`` of the newest request that was replaced."""
        heads = self._heads(exposure)
        return _EPOCH + timedelta(microseconds=heads[-1].covered_until) if heads else None

    def note(self, exposure: str) -> HistoryNote:
        """What was remembered; an empty note when there is none or it cannot be read."""
        shelf = self._shelf(exposure)
        with shelf.reading():
            text = shelf.read_note()
        try:
            return HistoryNote() if text is None else _decode_note(text)
        except (ValueError, KeyError, TypeError):
            return HistoryNote()

    def write_note(self, exposure: str, note: HistoryNote) -> None:
        """Remembers it."""
        shelf = self._shelf(exposure)
        text = _encode_note(note)
        with shelf.reading():
            if shelf.read_note() == text:
                return
        with shelf.writing():
            shelf.write_note(text)

    def day_counts(self, exposure: str, since: datetime) -> Mapping[tuple[int, str | None], int]:
        """Rows per (loaded UTC day, event type) of whole days from the day of ``since`` on."""
        first = _seconds(since) // DAY * DAY
        counts: dict[tuple[int, str | None], int] = {}
        shelf = self._shelf(exposure)
        with shelf.reading():
            for head in shelf.heads():
                if head.day < first:
                    continue
                for block in (shelf.blocks(head, ("", TIME)) or {}).values():
                    sums = row_sums(block, shelf.book)
                    for number in np.flatnonzero(sums).tolist():
                        name = head.day, shelf.book.keys[number].event_type
                        counts[name] = counts.get(name, 0) + int(sums[number])
        return counts

    def known_values(self, exposure: str, dimension: str) -> tuple[str, ...]:
        """Values followed so far, most rows first."""
        totals: dict[str, int] = {}
        for head in self._heads(exposure):
            for value, rows in head.values.get(dimension, {}).items():
                totals[value] = totals.get(value, 0) + rows
        return tuple(sorted(totals, key=lambda value: (-totals[value], value)))

    def forget_before(self, exposure: str, before: datetime) -> None:
        """Drops loaded days that ended before; compacts days older than 48 h to hours."""
        shelf = self._shelf(exposure)
        with shelf.reading():
            if not _to_forget(shelf.heads(), before):
                return
        with shelf.writing():
            heads = shelf.heads()
            for head in _to_forget(heads, before):
                if head.end <= _seconds(before):
                    shelf.drop(head.day)
                    continue
                blocks = shelf.blocks(head, None)
                if blocks is None:
                    shelf.drop(head.day)
                    continue
                compact = {dimension: hourly(block) for dimension, block in blocks.items()}
                shelf.put(DayData(replace(head, hourly=True), compact))

    def _heads(self, exposure: str) -> Sequence[Head]:
        shelf = self._shelf(exposure)
        with shelf.reading():
            return shelf.heads()

    def _shelf(self, exposure: str) -> Shelf:
        with self._lock:
            if exposure not in self._shelves:
                self._shelves[exposure] = self._open_shelf(exposure)
            return self._shelves[exposure]


class ParquetHistory(DailyHistory):
    """Days as Parquet files under a folder: ``root/<exposure>/<day>.parquet``."""

    def __init__(
        self,
        root: Path,
        *,
        cache_bytes: int = CACHE_BYTES,
        lock_wait: timedelta = timedelta(seconds=60),
        given_up: timedelta = GIVEN_UP,
    ) -> None:
        cache = Cache(cache_bytes)

        def shelf(name: str) -> Shelf:
            folder = root / folder_name(name)
            return FileShelf(folder, cache, Turn(folder, lock_wait, given_up))

        super().__init__(shelf)


class MemoryHistory(DailyHistory):
    """Days in memory, for audits of the past, which must not touch the cache."""

    def __init__(self) -> None:
        super().__init__(lambda _: MemoryShelf())


def folder_name(exposure: str) -> str:
    """A name for people and a hash: any exposure name stays below the root and keeps to itself."""
    slug = re.sub(r"[^a-z0-9_]+", "-", exposure.lower())[:40].strip("-") or "exposure"
    return f"{slug}-{hashlib.sha256(exposure.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


class _Rule:
    """Which cells of a day a scan replaces."""

    def __init__(self, request: ScanRequest) -> None:
        self._now = _micros(request.now)
        self._rows = _seconds(request.rows_from)
        self._cuts = _seconds(request.cuts_from)
        self._delays = _seconds(request.delays_from)
        self._times = _seconds(request.times_from)
        again = request.duplicates_from
        self._duplicates = _NEVER if again is None else _seconds(again)

    def from_of(self, dimension: str) -> int:
        """First loaded bucket of a set that is replaced."""
        starts = {
            "": self._rows,
            DELAY: self._delays,
            DUPLICATE: self._duplicates,
            TIME: self._times,
        }
        return starts.get(dimension, self._cuts)

    def first_day(self) -> int:
        """The first day that may change."""
        return min(self._rows, self._cuts, self._delays, self._duplicates) // DAY * DAY

    def head(self, known: Head | None, day: int) -> Head:
        """The head of the day after this scan, without its values."""
        start, end = max(day, self._rows), (day + DAY) * 1_000_000
        head = Head(day, start, min(end, self._now), hourly=False)
        if known is None:
            return head
        if start * 1_000_000 <= known.covered_until:
            return replace(head, covered_from=min(known.covered_from, start))
        return head

    def kept_sets(self, day: int) -> tuple[str, ...] | None:
        """The sets of which something may stay (None: all)."""
        whole = max(self._rows, self._cuts, self._delays) <= day
        return (DUPLICATE,) if whole else None

    def touches(self, day: int) -> bool:
        """Whether the ``""`` set of the day was read; else what is covered stays as it was."""
        return self._rows < day + DAY


def _replace_day(
    shelf: Shelf, rule: _Rule, known: Head | None, day: int, found: Mapping[str, Block]
) -> None:
    before = None if known is None else shelf.blocks(known, rule.kept_sets(day))
    if before is None:
        known, before = None, {}
    if known is None and not rule.touches(day):
        return
    blocks = {}
    for dimension in sorted({*before, *found}):
        start = rule.from_of(dimension)
        parts = []
        if dimension in before:
            parts.append(before[dimension].before(start))
        if dimension in found:
            parts.append(found[dimension].since(start))
        block = join(parts)
        if len(block.series):
            blocks[dimension] = block
    head = known if known is not None and not rule.touches(day) else rule.head(known, day)
    head = replace(head, hourly=is_hourly(blocks), values=summarise(blocks, shelf.book))
    shelf.put(DayData(head, blocks))


def _to_forget(heads: Sequence[Head], before: datetime) -> list[Head]:
    """Days to drop or to compact. What is old is told by the newest scan, not by a clock."""
    if not heads:
        return []
    settled = heads[-1].covered_until // 1_000_000 - int(FINE_SPAN.total_seconds())
    limit = _seconds(before)
    return [h for h in heads if h.end <= limit or (h.end <= settled and not h.hourly)]


def _encode_note(note: HistoryNote) -> str:
    return json.dumps(
        {
            "recounted_on": None if note.recounted_on is None else note.recounted_on.isoformat(),
            "changed_at": None if note.changed_at is None else note.changed_at.isoformat(),
            "changed": [asdict(changed) for changed in note.changed],
        }
    )


def _decode_note(text: str) -> HistoryNote:
    raw = json.loads(text)
    day, at = raw["recounted_on"], raw["changed_at"]
    return HistoryNote(
        recounted_on=None if day is None else date.fromisoformat(day),
        changed_at=None if at is None else datetime.fromisoformat(at),
        changed=tuple(Changed(**changed) for changed in raw["changed"]),
    )


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise StoreError("history: an instant must carry its time zone")
    return (at - _EPOCH) // timedelta(microseconds=1)


def _seconds(at: datetime) -> int:
    """Epoch seconds, rounded down."""
    return _micros(at) // 1_000_000


def _seconds_up(at: datetime) -> int:
    return -(-_micros(at) // 1_000_000)
