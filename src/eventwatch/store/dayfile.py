"""One file of the history: the cells of one exposure and one loaded UTC day, as Parquet.

A row group per set, so that reading one set touches only its bytes, and the columns of CELL_SCHEMA, so
that any tool can read it. What a file covers stands in its metadata: a day without rows is a file
without cells, and a missing file is a hole. Pages carry checksums; a file that is damaged, or of another
version, is no file. The same code writes and reads the format and nothing else does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from eventwatch.model.measurement import CELL_SCHEMA, HOUR, NULL_VALUE, OTHER
from eventwatch.store.cells import DAY, NUMBERS, Block, KeyBook, row_sums
from eventwatch.store.tables import CellTable, even

FORMAT = 1
"""Written into every file; files of another number are dropped and measured again."""
_METADATA = b"eventwatch"
_WORDS: Any = ["event_type", "dimension", "value"]
_MOST_VALUES = 1000

Identity = tuple[int, int, int]
"""Inode, size and mtime in ns: a replaced file has another one."""


class UnreadableError(Exception):
    """The file is damaged or of another version."""


@dataclass(frozen=True)
class Head:
    """What is known of a loaded day without reading its cells."""

    day: int
    """Epoch seconds of its start."""
    covered_from: int
    """Epoch seconds: loads are known from here on …"""
    covered_until: int
    """… until here, epoch microseconds."""
    hourly: bool
    """All buckets are hours."""
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Watched dimension → value → rows of the day."""

    @property
    def end(self) -> int:
        """Epoch seconds of the end of the day."""
        return self.day + DAY


@dataclass(frozen=True)
class DayData:
    """A loaded day: its head and its blocks by dimension."""

    head: Head
    blocks: Mapping[str, Block]


def encode(data: DayData, book: KeyBook) -> bytes:
    """The bytes of the file."""
    dimensions = sorted(data.blocks)
    described = {"format": FORMAT, "sets": dimensions, **asdict(data.head)}
    schema = CELL_SCHEMA.with_metadata({_METADATA: json.dumps(described).encode()})
    sink = BytesIO()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="lz4",
        use_dictionary=_WORDS,
        column_encoding=dict.fromkeys(NUMBERS, "DELTA_BINARY_PACKED"),
        write_statistics=False,
        write_page_checksum=True,
    ) as writer:
        for dimension in dimensions:
            table = _table(data.blocks[dimension], dimension, book, schema)
            writer.write_table(table, row_group_size=max(1, table.num_rows))
    return sink.getvalue()


def read_head(path: Path) -> Head:
    """Raises UnreadableError, OSError."""
    with path.open("rb") as file:
        return _head(_open(file))[0]


def read_blocks(path: Path, dimensions: Collection[str] | None, book: KeyBook) -> DayData:
    """The head and the blocks of some sets (None: all). Raises UnreadableError, OSError."""
    with path.open("rb") as file:
        parquet = _open(file)
        head, sets = _head(parquet)
        blocks = {}
        for group, dimension in enumerate(sets):
            if dimensions is None or dimension in dimensions:
                blocks[dimension] = _read_block(parquet, group, head.day, dimension, book)
        return DayData(head, blocks)


def identity_of(status: os.stat_result) -> Identity:
    """What tells one version of a file from the next."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def summarise(blocks: Mapping[str, Block], book: KeyBook) -> dict[str, dict[str, int]]:
    """Rows by value of each watched dimension, the most frequent ones."""
    found = {}
    for dimension, block in blocks.items():
        if dimension == "" or dimension.startswith("@"):
            continue
        totals: dict[str, int] = {}
        sums = row_sums(block, book)
        for number in np.flatnonzero(sums).tolist():
            value = book.keys[number].value
            if value not in (OTHER, NULL_VALUE):
                totals[value] = totals.get(value, 0) + int(sums[number])
        most = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:_MOST_VALUES]
        found[dimension] = dict(most)
    return found


def is_hourly(blocks: Mapping[str, Block]) -> bool:
    """Whether no bucket is finer than an hour."""
    return not any(
        np.any(block.loaded % HOUR) or np.any(block.occurred % HOUR) for block in blocks.values()
    )


def _open(file: Any) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableError(str(error)) from None


def _head(parquet: pq.ParquetFile) -> tuple[Head, list[str]]:
    try:
        raw = json.loads((parquet.schema_arrow.metadata or {})[_METADATA])
        if raw["format"] != FORMAT or parquet.num_row_groups != len(raw["sets"]):
            raise UnreadableError("of another version")
        head = Head(**{name: raw[name] for name in Head.__dataclass_fields__})
        return head, list(raw["sets"])
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise UnreadableError(str(error)) from None


def _read_block(
    parquet: pq.ParquetFile, group: int, day: int, dimension: str, book: KeyBook
) -> Block:
    try:
        table = parquet.read_row_group(
            group, columns=["event_type", "value", *NUMBERS], use_threads=False
        )
        cells = CellTable(book, even(table))
        return cells.block(day, dimension, cells.all())
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
        raise UnreadableError(str(error)) from None


def _table(block: Block, dimension: str, book: KeyBook, schema: pa.Schema) -> pa.Table:
    numbers, codes = np.unique(block.series, return_inverse=True)
    keys = [book.keys[number] for number in numbers.tolist()]
    length = len(block.series)
    return pa.table(
        [
            _coded([key.event_type for key in keys], codes),
            pa.DictionaryArray.from_arrays(
                np.zeros(length, dtype=np.int32), pa.array([dimension], pa.string())
            ),
            _coded([key.value for key in keys], codes),
            *(pa.array(_seconds(block, name)) for name in NUMBERS),
        ],
        schema=schema,
    )


def _seconds(block: Block, name: str) -> Any:
    array = getattr(block, name).astype(np.int64)
    return array if name == "rows" else array + block.day


def _coded(words: list[str | None], codes: Any) -> Any:
    """A dictionary column from a word per series and a series per row."""
    encoded: Any = pa.array(words, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(codes)), encoded.dictionary)
