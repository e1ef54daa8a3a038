"""The arithmetic of blocks, where the fast way and the slow way must agree."""

from __future__ import annotations

import numpy as np
import pytest

from eventwatch.store.cells import Block, KeyBook, gather, hourly, in_order, merge_loads
from eventwatch.store.tables import split_days
from tests.store.scans import DAY, START, Event, counted, counted_table, in_hours, request, scan

NOW = START + DAY
EVENTS = [
    Event(f"type {i % 7}", f"value {i % 5}", NOW - i * 977 - i % 3 * 5000, NOW - i * 977)
    for i in range(80)
]


def whole(book: KeyBook) -> list[Block]:
    """Every block of a scan."""
    found = scan(EVENTS, request(NOW, START))
    return [block for _, blocks in split_days(book, found.cells) for block in blocks.values()]


@pytest.mark.parametrize("dense", [0, 4_000_000])
def test_names_are_looked_up_alike_in_a_table_and_by_sorting(
    dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventwatch.store.tables._DENSE", dense)
    book = KeyBook()
    expected = counted_table(scan(EVENTS, request(NOW, START)).cells)
    assert counted(gather(book, whole(book))) == expected


def test_blocks_lie_in_the_order_of_series_occurred_and_loaded() -> None:
    for block in whole(KeyBook()):
        names = list(
            zip(block.series.tolist(), block.occurred.tolist(), block.loaded.tolist(), strict=True)
        )
        assert names == sorted(names)


def test_times_too_far_apart_for_one_number_are_sorted_too() -> None:
    wide = np.array([2**40, -(2**40), 0], dtype=np.int64)
    ones = np.ones(3, dtype=np.int32)
    block = in_order(Block(START, np.array([5, 5, 1], np.int32), wide, wide, ones, wide, wide))
    assert block.series.tolist() == [1, 5, 5]
    assert block.occurred.tolist() == [0, -(2**40), 2**40]


def test_hours_hold_the_rows_and_the_ends_of_their_parts() -> None:
    book = KeyBook()
    blocks = whole(book)
    before = counted(gather(book, blocks))
    assert counted(gather(book, [hourly(block) for block in blocks])) == in_hours(before)


def test_a_block_takes_24_bytes_a_cell() -> None:
    for block in whole(KeyBook()):
        assert block.nbytes == 24 * len(block.series)
        assert merge_loads(block).nbytes <= block.nbytes
