"""Cells of many days, put together once: the next time only what is new since then is.

A daemon asks every few minutes for the same weeks and a few new buckets. Blocks of unchanged days are
the same objects as the last time, so their cells stay where they are in arrays that have room to grow.
Those arrays are written again only when nobody holds a view of them; else they are copied first.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.model.measurement import Cells
from eventwatch.store.cells import NUMBERS, Block, KeyBook, gather

MOST_CELLS = 6_000_000
"""So many are kept, of 44 bytes each; a set of more is put together anew each time."""

_Arrays = tuple[NDArray[np.int32] | NDArray[np.int64], ...]


class Gathered:
    """One set of dimensions of one exposure. Not safe for threads: the shelf is locked."""

    def __init__(self) -> None:
        self._arrays: _Arrays = _empty(0)
        """Places of series, then columns as NUMBERS has them."""
        self._lent: list[weakref.ref[NDArray[Any]]] = []
        """What every view of the arrays goes back to, and keeps alive."""
        self._forget()

    def _forget(self) -> None:
        self._book: KeyBook | None = None
        self._blocks: list[Block] = []
        self._ends = [0]
        self._numbers: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        """Of the series, as the book numbers them, in the order of the cells' keys."""

    def cells(self, book: KeyBook, blocks: Sequence[Block]) -> Cells:
        """What ``cells.gather`` gives; its arrays cannot be written to."""
        filled = [block for block in blocks if len(block.series)]
        total = sum(len(block.series) for block in filled)
        if not filled or total > MOST_CELLS:
            self._arrays = _empty(0)
            self._forget()
            return gather(book, filled)
        same = self._same(book, filled)
        self._make_room(total, self._ends[same])
        numbers, places = _numbers_of(book, filled)
        alike = np.array_equal(numbers, self._numbers)
        del self._ends[same + 1 :]
        for n, block in enumerate(filled):
            part = slice(self._ends[n], self._ends[n] + len(block.series))
            if n >= same:
                self._write(block, part)
                self._ends.append(part.stop)
            if n >= same or not alike:
                np.take(places, block.series, out=self._arrays[0][part], mode="clip")
        self._book, self._blocks, self._numbers = book, filled, numbers
        keys = tuple(book.keys[number] for number in numbers.tolist())
        series, *columns = (whole[:total] for whole in self._lend())
        return Cells(keys, series.astype(np.int32, copy=False), *columns)

    @property
    def size(self) -> int:
        """Cells there is room for."""
        return len(self._arrays[0])

    def _same(self, book: KeyBook, blocks: Sequence[Block]) -> int:
        """How many of the first blocks are those of the last time."""
        if book is not self._book:
            return 0
        same = 0
        for new, old in zip(blocks, self._blocks, strict=False):
            if new is not old:
                break
            same += 1
        return same

    def _make_room(self, total: int, keep: int) -> None:
        """Arrays that hold so many cells and that nobody looks at, the first ``keep`` cells as they
        were."""
        if len(self._arrays[0]) >= total and all(ref() is None for ref in self._lent):
            return
        old, self._arrays = self._arrays, _empty(total + total // 16 + 1024)
        for mine, theirs in zip(self._arrays, old, strict=True):
            mine[:keep] = theirs[:keep]

    def _write(self, block: Block, part: slice) -> None:
        for name, column in zip(NUMBERS, self._arrays[1:], strict=True):
            first = 0 if name == "rows" else block.day
            np.add(getattr(block, name), first, out=column[part], dtype=np.int64)

    def _lend(self) -> list[NDArray[Any]]:
        """The arrays, to be looked at. A view of such an array keeps it alive, not the one it is of,
        so that it can be seen whether there is any."""
        lent: list[NDArray[Any]] = [
            np.frombuffer(array.data, dtype=array.dtype) for array in self._arrays
        ]
        for array in lent:
            array.flags.writeable = False
        self._lent = [weakref.ref(array) for array in lent]
        return lent


class KeptCells:
    """What was put together last, set by set; the least used goes first. Safe for threads."""

    def __init__(self) -> None:
        self._sets: OrderedDict[Hashable, Gathered] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, name: Hashable) -> Gathered:
        """The set of that name, empty where it is not known."""
        with self._lock:
            found = self._sets.setdefault(name, Gathered())
            self._sets.move_to_end(name)
            return found

    def make_room(self) -> None:
        """Lets go of what is too much: also of sets that nobody will ask for again."""
        with self._lock:
            while len(self._sets) > 1 and sum(s.size for s in self._sets.values()) > MOST_CELLS:
                self._sets.popitem(last=False)


def _empty(size: int) -> _Arrays:
    return (np.empty(size, dtype=np.int32), *(np.empty(size, dtype=np.int64) for _ in NUMBERS))


def _numbers_of(
    book: KeyBook, blocks: Sequence[Block]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Numbers of the series that come, by name, and the place of each number among them."""
    used = np.zeros(len(book.keys), dtype=np.bool_)
    for block in blocks:
        used[block.numbers] = True
    numbers = book.in_order(np.flatnonzero(used))
    places = np.zeros(len(book.keys), dtype=np.int32)
    places[numbers] = np.arange(len(numbers), dtype=np.int32)
    return numbers, places
