"""Cells put together once are those put together anew, whatever happened to the days in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.model.measurement import Cells
from eventwatch.store import gathered
from eventwatch.store.cells import DAY, Block, KeyBook, gather
from eventwatch.store.gathered import Gathered, KeptCells

COLUMNS = ("series", "occurred", "loaded", "rows", "first_loaded", "last_loaded")


def block_of(book: KeyBook, day: int, names: list[int], rows: int) -> Block:
    series = np.sort(np.array([book.number("", f"type_{n}", "") for n in names], dtype=np.int32))
    times = np.arange(len(names), dtype=np.int32) * 60
    return Block(day * DAY, series, times, times, np.full(len(names), rows), times + 1, times + 2)


def same(one: Cells, other: Cells) -> bool:
    return one.keys == other.keys and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        and getattr(one, name).dtype == getattr(other, name).dtype
        for name in COLUMNS
    )


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["append", "replace", "drop first", "nothing"]),
        st.lists(st.integers(0, 9), max_size=6),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(CHANGES)
def test_kept_cells_are_those_put_together_anew(changes: list[tuple[str, list[int], bool]]) -> None:
    book, kept = KeyBook(), Gathered()
    blocks: list[Block] = []
    held: list[tuple[Cells, list[Block]]] = []
    for n, (change, names, hold) in enumerate(changes):
        new = block_of(book, n, names, rows=n + 1)
        if change == "append":
            blocks.append(new)
        elif change == "replace" and blocks:
            blocks[-1] = new
        elif change == "drop first":
            blocks = blocks[1:]
        found = kept.cells(book, blocks)
        assert same(found, gather(book, blocks))
        if hold:
            held.append((found, list(blocks)))
        del found
        # What somebody still looks at never changes.
        for cells, of in held:
            again = {name: getattr(cells, name) for name in COLUMNS}
            plain = gather(book, of)
            assert all(np.array_equal(again[name], getattr(plain, name)) for name in COLUMNS[1:])
            assert [cells.keys[s] for s in cells.series] == [plain.keys[s] for s in plain.series]


def test_a_part_that_somebody_kept_of_a_column_never_changes() -> None:
    book, kept = KeyBook(), Gathered()
    first = block_of(book, 0, [1, 2], rows=7)
    part = kept.cells(book, [first, block_of(book, 1, [1], rows=8)]).rows[1:][1:]
    kept.cells(book, [first, block_of(book, 1, [1], rows=9)])
    assert part.tolist() == [8]


def test_what_nobody_looks_at_is_not_copied() -> None:
    book, kept = KeyBook(), Gathered()
    blocks = [block_of(book, 0, [1, 2], rows=7)]
    place = kept.cells(book, blocks).rows.ctypes.data
    blocks.append(block_of(book, 1, [1], rows=8))
    assert kept.cells(book, blocks).rows.ctypes.data == place


def test_a_new_book_makes_all_anew() -> None:
    kept, old, new = Gathered(), KeyBook(), KeyBook()
    kept.cells(old, [block_of(old, 0, [1, 2], rows=7)])
    blocks = [block_of(new, 0, [2], rows=7)]
    assert same(kept.cells(new, blocks), gather(new, blocks))


def test_cells_cannot_be_written_to() -> None:
    book = KeyBook()
    cells = Gathered().cells(book, [block_of(book, 0, [1], rows=7)])
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(cells, name)[0] = 5


def test_the_least_used_set_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MOST_CELLS", 3000)
    kept, book = KeptCells(), KeyBook()
    sets = [kept.of(name) for name in ("one", "other")]
    for each in sets:
        each.cells(book, [block_of(book, 0, [1, 2], rows=7)])
    assert kept.of("one") is sets[0]
    third = kept.of("third")
    third.cells(book, [block_of(book, 0, [1, 2], rows=7)])
    kept.make_room()
    assert (kept.of("third") is third, kept.of("one") is sets[0]) == (True, True)
    assert kept.of("other") is not sets[1]


def test_too_many_cells_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MOST_CELLS", 2)
    book, kept = KeyBook(), Gathered()
    blocks = [block_of(book, 0, [1, 2], rows=7), block_of(book, 1, [1], rows=8)]
    assert same(kept.cells(book, blocks), gather(book, blocks))
    assert same(kept.cells(book, blocks[:1]), gather(book, blocks[:1]))
