"""From an Arrow table of CELL_SCHEMA to blocks by day and set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eventwatch.model.measurement import IntArray
from eventwatch.store.cells import (
    DAY,
    NUMBERS,
    Block,
    KeyBook,
    in_order,
    join,
    run_starts,
    small,
)

_DENSE = 4_000_000
"""Largest table of pairs that is looked up instead of sorted."""


class CellTable:
    """An evened table of CELL_SCHEMA as arrays, chunk by chunk and without a copy of the whole."""

    def __init__(self, book: KeyBook, table: pa.Table) -> None:
        self._book = book
        self._event_types = _words(table.column("event_type"))
        self._values = _words(table.column("value"))
        self._type_codes = _codes(table.column("event_type"), len(self._event_types))
        self._value_codes = _codes(table.column("value"), len(self._values))
        self._columns = {
            name: [chunk.to_numpy() for chunk in table.column(name).chunks] for name in NUMBERS
        }
        self._starts = np.cumsum([0, *(len(chunk) for chunk in self._type_codes)])

    def block(self, day: int, dimension: str, places: NDArray[np.intp]) -> Block:
        """The block of the rows at these places, ascending, which are of one day and one set."""
        series = self._series(
            dimension,
            self._pick(self._type_codes, places),
            self._pick(self._value_codes, places),
        )
        occurred, loaded, rows, first, last = (
            self._pick(self._columns[name], places) for name in NUMBERS
        )
        return in_order(
            Block(
                day,
                series,
                small(occurred - day),
                small(loaded - day),
                small(rows),
                small(first - day),
                small(last - day),
            )
        )

    def all(self) -> NDArray[np.intp]:
        """Every place."""
        return np.arange(self._starts[-1])

    def _pick(self, chunks: list[NDArray[Any]], places: NDArray[np.intp]) -> NDArray[Any]:
        ends = np.searchsorted(places, self._starts)
        picked = [
            chunk[places[ends[i] : ends[i + 1]] - self._starts[i]]
            for i, chunk in enumerate(chunks)
            if ends[i] < ends[i + 1]
        ]
        return picked[0] if len(picked) == 1 else np.concatenate(picked)

    def _series(
        self, dimension: str, types: NDArray[np.int32], values: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Numbers of the book from codes of the table's dictionaries."""
        width = len(self._values) + 1
        size = (len(self._event_types) + 1) * width
        pairs = types.astype(np.int64) * width + values
        if size > max(_DENSE, len(pairs)):
            names, inverse = np.unique(pairs, return_inverse=True)
            numbers: NDArray[np.int32] = self._numbers(dimension, names, width)[inverse]
            return numbers
        known = self._book.translation(dimension, self._event_types, self._values)
        series: NDArray[np.int32] = known[pairs]
        if np.any(series < 0):
            new = np.unique(pairs[series < 0])
            known[new] = self._numbers(dimension, new, width)
            series = known[pairs]
        return series

    def _numbers(self, dimension: str, names: NDArray[np.int64], width: int) -> NDArray[np.int32]:
        types, values = [*self._event_types, None], [*self._values, None]
        return np.array(
            [
                self._book.number(dimension, types[name // width], values[name % width] or "")
                for name in names.tolist()
            ],
            dtype=np.int32,
        )


def split_days(book: KeyBook, table: pa.Table) -> Iterator[tuple[int, Mapping[str, Block]]]:
    """The blocks of each loaded day of a table of CELL_SCHEMA, oldest day first.

    Day by day: a first scan may bring millions of cells.
    """
    if not table.num_rows:
        return
    table = even(table)
    dimensions = [*_words(table.column("dimension")), None]
    width = len(dimensions)
    names = _day_names(table, width)
    first = int(names.min()) // width
    names -= first * width
    # Sixteen bits make the sort a counting one; a scan seldom spans more days and sets.
    if int(names.max()) < 2**15:
        names = names.astype(np.int16)
    order = np.argsort(names, kind="stable")
    names = names[order]
    starts = run_starts(names)
    ends = np.append(starts[1:], len(names))
    runs = [(divmod(int(names[a]), width), a, b) for a, b in zip(starts, ends, strict=True)]
    cells = CellTable(book, table)
    for number, group in groupby(runs, key=lambda run: run[0][0]):
        day = (first + number) * DAY
        blocks: dict[str, list[Block]] = {}
        for (_, code), start, end in group:
            dimension = dimensions[code] or ""
            blocks.setdefault(dimension, []).append(cells.block(day, dimension, order[start:end]))
        yield day, {dimension: join(parts) for dimension, parts in blocks.items()}


def even(table: pa.Table) -> pa.Table:
    """The table with one dictionary per column and the same chunks in every column."""
    table = table.unify_dictionaries()
    lengths = {tuple(len(chunk) for chunk in column.chunks) for column in table.columns}
    return table if len(lengths) == 1 else table.combine_chunks()


def _day_names(table: pa.Table, width: int) -> IntArray:
    """Loaded day and set of each row as one number."""
    codes = _codes(table.column("dimension"), width - 1)
    days = [chunk.to_numpy() // DAY for chunk in table.column("loaded").chunks]
    return np.concatenate([day * width + code for day, code in zip(days, codes, strict=True)])


def _words(column: Any) -> list[str | None]:
    """The dictionary of a column whose chunks share one."""
    return column.chunk(0).dictionary.to_pylist() if column.num_chunks else []


def _codes(column: Any, null: int) -> list[NDArray[np.int32]]:
    """Codes into the dictionary, by chunk; ``null`` where the row is null."""
    return [
        chunk.indices.fill_null(null).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        for chunk in column.chunks
    ]
