"""Record batches of a scan's answer, gathered into one table of CELL_SCHEMA.

Only indices and integers are kept of a batch: names go into one dictionary for the whole table, so a
name costs its bytes once and a cell 52 bytes, whatever the names are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eventwatch.model.measurement import CELL_SCHEMA, OTHER
from eventwatch.warehouse.grouped import FUTURE_PART, NULL_PART

_NUMBERS = ("occurred", "loaded", "rows", "first_loaded", "last_loaded")


class Gatherer:
    """Takes the batches of one or more statements; ``table`` gives what came of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._event_types: dict[str, int] = {}
        self._values: dict[str, int] = {}
        self._chunks: list[list[pa.Array]] = []
        self.future_loaded = 0
        self.null_loaded = 0
        self.row_count = 0
        """Rows in the ``""`` set and under ``@time``: each row of the exposure once."""
        self.capped: set[str] = set()

    def add(self, batch: pa.RecordBatch, parts: tuple[str, ...], counted: tuple[str, ...]) -> None:
        """One batch; ``parts`` names the sets by number, ``counted`` those whose rows make up
        ``row_count``."""
        part = batch.column("part").to_numpy(zero_copy_only=False)
        if (part < 0).any():
            rows = batch.column("rows").to_numpy(zero_copy_only=False)
            self.future_loaded += int(rows[part == FUTURE_PART].sum())
            self.null_loaded += int(rows[part == NULL_PART].sum())
            keep = part >= 0
            batch, part = batch.filter(pa.array(keep)), part[keep]
        if batch.num_rows == 0:
            return
        number = np.array([self._names.index(name) for name in parts], dtype=np.int32)
        of_set = number[part]
        values = _indices(batch.column("value"), self._values)
        event_types = _indices(batch.column("event_type"), self._event_types)
        rows = batch.column("rows").to_numpy(zero_copy_only=False)
        self.row_count += int(rows[np.isin(of_set, [self._names.index(n) for n in counted])].sum())
        other = self._values.get(OTHER)
        if other is not None:
            hit = np.unique(of_set[values.to_numpy(zero_copy_only=False) == other])
            self.capped.update(self._names[i] for i in hit)
        # Copies: an array that came over Arrow's C interface keeps its whole batch alive, names too.
        numbers = [
            pa.array(batch.column(name).to_numpy(zero_copy_only=False).astype(np.int64, copy=True))
            for name in _NUMBERS
        ]
        self._chunks.append([event_types, pa.array(of_set), values, *numbers])

    def table(self) -> pa.Table:
        """All cells so far, in chunks; nothing is copied."""
        dictionaries = [
            pa.array(list(names), pa.string())
            for names in (self._event_types, self._names, self._values)
        ]
        batches = []
        for chunk in self._chunks:
            named = [
                pa.DictionaryArray.from_arrays(indices, dictionary)
                for indices, dictionary in zip(chunk[:3], dictionaries, strict=True)
            ]
            batches.append(pa.RecordBatch.from_arrays([*named, *chunk[3:]], schema=CELL_SCHEMA))
        return pa.Table.from_batches(batches, schema=CELL_SCHEMA)


def _indices(column: pa.Array, known: dict[str, int]) -> pa.Array:
    """A string column as int32 indices into ``known``, which grows; null stays null."""
    encoded = pc.dictionary_encode(column.cast(pa.string()))
    local = np.fromiter(
        (known.setdefault(name, len(known)) for name in encoded.dictionary.to_pylist()),
        dtype=np.int32,
        count=len(encoded.dictionary),
    )
    return pa.array(local).take(encoded.indices)
