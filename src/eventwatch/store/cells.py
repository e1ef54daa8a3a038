"""Arithmetic on the cells of one loaded day, as small arrays; no files here.

A block is one set (dimension) of one loaded day. Its times are offsets from the start of the day and,
like the counts, take 32 bits where they fit, so that sixty days of an exposure stay small in memory.
Series are numbered by a book that all blocks of an exposure share, so that putting days together is
appending arrays. A block is always sorted by series, occurred and loaded bucket: then adding up loads
needs no sort, and sorted columns are small on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import HOUR, Cells, IntArray, SeriesKey

DAY = 86400
NUMBERS = ("occurred", "loaded", "rows", "first_loaded", "last_loaded")
"""Columns of CELL_SCHEMA that hold integers."""
_SMALL = np.iinfo(np.int32)


Ints = NDArray[np.int32] | NDArray[np.int64]


class KeyBook:
    """Numbers series, in the order in which they are first seen. Only ever grows."""

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self._numbers: dict[tuple[str, str | None, str], int] = {}
        self._ranks = np.empty(0, dtype=np.int64)
        self._translations: dict[
            str, tuple[list[str | None], list[str | None], NDArray[np.int32]]
        ] = {}

    def in_order(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """These numbers by the names of their series: alike in every process, however it came to know
        them."""
        if len(self._ranks) != len(self.keys):
            order = sorted(range(len(self.keys)), key=lambda n: _by_name(self.keys[n]))
            self._ranks = np.empty(len(order), dtype=np.int64)
            self._ranks[order] = np.arange(len(order))
        return numbers[np.argsort(self._ranks[numbers])]

    def number(self, dimension: str, event_type: str | None, value: str) -> int:
        """The number of a series."""
        name = (dimension, event_type, value)
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = len(self.keys)
            self.keys.append(SeriesKey(event_type, dimension, value))
        return found

    def translation(
        self, dimension: str, event_types: list[str | None], values: list[str | None]
    ) -> NDArray[np.int32]:
        """Numbers by code of event type × code of value (with a place for null at each end), -1 where
        not looked up yet. Days have mostly the same names, so the latest one of a set is kept."""
        known = self._translations.get(dimension)
        if known is None or known[0] != event_types or known[1] != values:
            size = (len(event_types) + 1) * (len(values) + 1)
            known = event_types, values, np.full(size, -1, dtype=np.int32)
            self._translations[dimension] = known
        return known[2]


def _by_name(key: SeriesKey) -> tuple[str, str, bool, str]:
    return key.dimension, key.value, key.event_type is not None, key.event_type or ""


@dataclass(frozen=True)
class Block:
    """Cells of one set of one loaded day, as parallel arrays."""

    day: int
    """Epoch seconds of the start of the UTC day."""
    series: NDArray[np.int32]
    occurred: Ints
    loaded: Ints
    rows: Ints
    first_loaded: Ints
    last_loaded: Ints

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(array.nbytes for array in self.columns) + self.series.nbytes

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """Of the series that have a cell."""
        return self.series[run_starts(self.series)]

    def where(self, mask: NDArray[np.bool_]) -> Block:
        """The cells that the mask keeps."""
        return Block(self.day, self.series[mask], *(array[mask] for array in self.columns))

    def take(self, order: NDArray[np.intp]) -> Block:
        """The cells at these places."""
        return Block(self.day, self.series[order], *(array[order] for array in self.columns))

    def before(self, instant: int) -> Block:
        """Cells of loaded buckets that start before (epoch seconds)."""
        return self._cut(self.loaded < instant - self.day)

    def since(self, instant: int) -> Block:
        """Cells of loaded buckets that start at or after."""
        return self._cut(self.loaded >= instant - self.day)

    def _cut(self, mask: NDArray[np.bool_]) -> Block:
        return self if mask.all() else self.where(mask)

    @property
    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """In the order of NUMBERS."""
        return self.occurred, self.loaded, self.rows, self.first_loaded, self.last_loaded


def nothing(day: int) -> Block:
    """A block without a cell."""
    none = np.empty(0, dtype=np.int32)
    return Block(day, none, none, none, none, none, none)


def join(blocks: Sequence[Block]) -> Block:
    """Blocks of one day and set as one."""
    filled = [block for block in blocks if len(block.series)] or list(blocks[:1])
    if len(filled) == 1:
        return filled[0]
    return in_order(
        Block(
            filled[0].day,
            np.concatenate([b.series for b in filled]),
            *(np.concatenate(arrays) for arrays in zip(*(b.columns for b in filled), strict=True)),
        )
    )


def hourly(block: Block) -> Block:
    """The block in hours: rows added up, first and last load of each hour kept."""
    if not (np.any(block.occurred % HOUR) or np.any(block.loaded % HOUR)):
        return block
    coarse = in_order(
        Block(
            block.day,
            block.series,
            block.occurred // HOUR * HOUR,
            block.loaded // HOUR * HOUR,
            block.rows,
            block.first_loaded,
            block.last_loaded,
        )
    )
    return _sum_runs(coarse, run_starts(coarse.series, coarse.occurred, coarse.loaded))


def merge_loads(block: Block) -> Block:
    """One cell per series and occurred bucket; loaded is the latest of them."""
    return _sum_runs(block, run_starts(block.series, block.occurred))


def gather(book: KeyBook, blocks: Sequence[Block]) -> Cells:
    """Cells of the blocks of many days and sets."""
    filled = [block for block in blocks if len(block.series)]
    if not filled:
        return Cells.empty()
    return _cells(
        book,
        np.concatenate([block.series for block in filled]),
        [_absolute(filled, name) for name in NUMBERS],
    )


def row_sums(block: Block, book: KeyBook) -> IntArray:
    """Rows per series of the book."""
    sums = np.bincount(block.series, weights=block.rows, minlength=len(book.keys))
    return sums.astype(np.int64)


def _cells(book: KeyBook, series: NDArray[np.int32], columns: list[IntArray]) -> Cells:
    used = np.zeros(len(book.keys), dtype=np.bool_)
    used[series] = True
    numbers = book.in_order(np.flatnonzero(used))
    places = np.zeros(len(book.keys), dtype=np.int32)
    places[numbers] = np.arange(len(numbers), dtype=np.int32)
    occurred, loaded, rows, first, last = columns
    keys = tuple(book.keys[number] for number in numbers.tolist())
    return Cells(keys, places[series], occurred, loaded, rows, first, last)


def _sum_runs(block: Block, starts: NDArray[np.intp]) -> Block:
    """One cell per run."""
    if len(starts) == len(block.series):
        return block
    return Block(
        block.day,
        block.series[starts],
        block.occurred[starts],
        np.maximum.reduceat(block.loaded, starts),
        small(np.add.reduceat(block.rows, starts, dtype=np.int64)),
        np.minimum.reduceat(block.first_loaded, starts),
        np.maximum.reduceat(block.last_loaded, starts),
    )


def in_order(block: Block) -> Block:
    """The block in its order."""
    if not len(block.series):
        return block
    series = block.series.astype(np.int64)
    occurred, loaded = block.occurred.astype(np.int64), block.loaded.astype(np.int64)
    occurred_span = int(occurred.max()) - int(occurred.min()) + 1
    loaded_span = int(loaded.max()) - int(loaded.min()) + 1
    if (int(series.max()) + 1) * occurred_span * loaded_span >= 2**62:
        order = np.lexsort((loaded, occurred, series))
    else:
        names = series * occurred_span + (occurred - int(occurred.min()))
        names = names * loaded_span + (loaded - int(loaded.min()))
        if _is_sorted(names):
            return block
        order = np.argsort(names, kind="stable")
    return block.take(order)


def _is_sorted(names: IntArray) -> bool:
    return bool(np.all(names[1:] >= names[:-1]))


def run_starts(*arrays: NDArray[Any]) -> NDArray[np.intp]:
    """Where a run of equal elements begins, in sorted parallel arrays."""
    new = np.zeros(len(arrays[0]), dtype=np.bool_)
    new[:1] = True
    for array in arrays:
        new[1:] |= array[1:] != array[:-1]
    return np.flatnonzero(new)


def _absolute(blocks: Sequence[Block], name: str) -> IntArray:
    """One column of many blocks; times as epoch seconds."""
    out = np.empty(sum(len(block.series) for block in blocks), dtype=np.int64)
    at = 0
    for block in blocks:
        array: Ints = getattr(block, name)
        start = 0 if name == "rows" else block.day
        np.add(array, start, out=out[at : at + len(array)], dtype=np.int64)
        at += len(array)
    return out


def small(array: IntArray) -> Ints:
    if not len(array) or (array.min() >= _SMALL.min and array.max() <= _SMALL.max):
        return array.astype(np.int32)
    return array
