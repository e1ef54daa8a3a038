"""A value of a watched dimension as the cause: android stopped, and with it half of every event type.

Sought is the smallest set of values of one dimension that explains the event types which moved. A set
explains an event type when most of what is off there is off under it, and the rest is about as usual.
One event type shows nothing: that android broke in it alone is its own trouble, unless android is off
in most of the others as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.alerting.causes_evidence import Across, Evidence, Moved
from eventwatch.model.measurement import NULL_VALUE, OTHER
from eventwatch.model.result import Cut

AT_LEAST = 3
"""Event types that a set explains; two where they are most of all that moved."""
MOST = 0.6
"""Of what moved."""
SOME = 0.1
"""Of all event types that have rows of the value: by chance it is off in one of hundreds."""
CLEARLY = 0.5
"""Part of a value's rows that must be off for it to explain a single event type."""
KNOWN_WELL = 10.0
"""Rows of the other values from which on they are as usual in a single event type."""
PART = 0.6
"""Part of what is off in an event type that must be off under the values."""
WORTH = 0.25
"""Part of a set's own rows that must be off."""
AS_USUAL = 0.25
"""Part of theirs by which the other values may be off."""
NOISE = 2.0
"""Standard deviations of a count that are nobody's doing."""
FEW = 5.0
"""Rows from which a value's absence says anything."""
KNOWN_REST = 3.0
"""Rows of other values from which on they can be as usual; fewer, and nothing shows which it was."""
MOST_VALUES = 6

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Cutting:
    """Values of one dimension, and which event types they explain."""

    dimension: str
    values: tuple[str, ...]
    """Furthest off first."""
    explains: tuple[str, ...]
    """Event types, sorted."""
    change: float
    """Of these values' rows in the event types explained: −0.96 is all but 4 % gone."""
    types: tuple[str, ...] = ()
    """Event types in which they are off, whether or not anything is told of them; sorted."""


@dataclass(frozen=True)
class _Tables:
    """One dimension: T event types, V values; ``off`` is positive where it moved as asked."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    expected: FloatArray
    off: FloatArray

    @staticmethod
    def of(tables: Mapping[str, Mapping[str, Moved]], sign: float) -> _Tables:
        names = tuple(sorted(tables))
        values = tuple(sorted({v for table in tables.values() for v in table}))
        place = {v: i for i, v in enumerate(values)}
        expected = np.zeros((len(names), len(values)))
        off = np.zeros_like(expected)
        for t, name in enumerate(names):
            for value, rows in tables[name].items():
                expected[t, place[value]] = rows.expected
                off[t, place[value]] = sign * (rows.observed - rows.expected)
        return _Tables(names, values, expected, off)

    def explained(self, chosen: Sequence[int]) -> BoolArray:
        """[T] whether the chosen values explain the event type, and others show that it is they."""
        usual, off, rest_usual, rest_off = self._split(chosen)
        rest_as_usual = rest_off <= np.maximum(
            AS_USUAL * rest_usual, NOISE * np.sqrt(rest_usual + 1.0)
        )
        return np.asarray(
            self._off_under(usual, off)
            & (off >= PART * (off + np.maximum(rest_off, 0.0)))
            & (rest_usual >= KNOWN_REST)
            & rest_as_usual
            & (rest_off * usual <= 0.5 * off * rest_usual)
        )

    def alike(self, chosen: Sequence[int]) -> BoolArray:
        """[T] whether it has hardly any other value: what it does proves nothing, and fits."""
        usual, off, rest_usual, _ = self._split(chosen)
        return np.asarray(self._off_under(usual, off) & (rest_usual < KNOWN_REST))

    def _split(
        self, chosen: Sequence[int]
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        mine = np.zeros(len(self.values), dtype=np.bool_)
        mine[list(chosen)] = True
        usual, off = self.expected[:, mine].sum(axis=1), self.off[:, mine].sum(axis=1)
        return usual, off, self.expected[:, ~mine].sum(axis=1), self.off[:, ~mine].sum(axis=1)

    @staticmethod
    def _off_under(usual: FloatArray, off: FloatArray) -> BoolArray:
        far = (off >= WORTH * usual) & (off >= NOISE * np.sqrt(usual + 1.0))
        return np.asarray(far & (np.maximum(usual, off) >= FEW))


def best_cut(
    evidence: Evidence, moved: Sequence[str], *, down: bool, given: Cutting | None = None
) -> Cutting | None:
    """The set of values that explains the most of ``moved``, of sets that explain as much the smallest;
    None: none explains enough. ``given``: values that are known to be off, which need no proof by
    several event types; others of their dimension may join them."""
    found = []
    for dimension in evidence.dimensions if given is None else (given.dimension,):
        listed = {n: table for n in moved if (table := evidence.moved.get((n, dimension)))}
        across = evidence.whole.get(dimension, {})
        cutting = _cutting(dimension, listed, across, down, () if given is None else given.values)
        if cutting is not None and (given is not None or _is_enough(cutting, listed, across, down)):
            found.append(cutting)
    return min(
        found,
        key=lambda c: (-len(c.explains), len(c.values), -abs(c.change), c.dimension),
        default=None,
    )


def only_value(evidence: Evidence, event_type: str, *, down: bool) -> Cutting | None:
    """The values that explain the movement of one event type; None: none does."""
    found = []
    for dimension in evidence.dimensions:
        table = evidence.moved.get((event_type, dimension), {})
        cutting = _cutting(dimension, {event_type: table}, {}, down, ())
        if cutting is None or not cutting.explains or abs(cutting.change) < CLEARLY:
            continue
        rest = [r for v, r in table.items() if v not in cutting.values]
        usual, off = sum(r.expected for r in rest), sum(r.observed - r.expected for r in rest)
        # With few rows a quiet hour looks like a half of an outage.
        worst = (-off if down else off) + NOISE * usual**0.5
        if usual >= KNOWN_WELL and worst <= 0.75 * abs(cutting.change) * usual:
            found.append(cutting)
    return min(found, key=lambda c: (len(c.values), -abs(c.change), c.dimension), default=None)


def whole_explained(evidence: Evidence, dimension: str, values: Sequence[str], down: bool) -> bool:
    """Whether what the exposure misses (or has too much) as a whole is so under these values, and the
    others are as usual."""
    table = {v: a.rows for v, a in evidence.whole.get(dimension, {}).items()}
    tables = _Tables.of({"": table}, -1.0 if down else 1.0)
    chosen = [i for i, v in enumerate(tables.values) if v in values]
    return bool(chosen and tables.explained(chosen)[0])


def only_share(evidence: Evidence, cut: Cut) -> bool:
    """Whether only its share moved: its own rows are as usual, it is others that changed."""
    known = evidence.whole.get(cut.dimension, {}).get(cut.value)
    if known is None or known.rows.expected < KNOWN_WELL:
        return False
    return abs(known.rows.observed - known.rows.expected) <= AS_USUAL * known.rows.expected


def worst_value(evidence: Evidence, down: bool) -> Cutting | None:
    """The values that explain what the exposure misses as a whole; None: no value does."""
    found = []
    for dimension, table in sorted(evidence.whole.items()):
        rows = {"": {v: a.rows for v, a in table.items()}}
        cutting = _cutting(dimension, rows, table, down, ())
        if cutting is not None and cutting.explains:
            found.append(cutting)
    return min(found, key=lambda c: (len(c.values), -abs(c.change), c.dimension), default=None)


def _cutting(
    dimension: str,
    listed: Mapping[str, Mapping[str, Moved]],
    across: Mapping[str, Across],
    down: bool,
    given: Sequence[str],
) -> Cutting | None:
    tables = _Tables.of(listed, -1.0 if down else 1.0)
    chosen = [i for i, v in enumerate(tables.values) if v in given]
    order = _by_part(tables)
    explained = tables.explained(chosen) if chosen else np.zeros(len(tables.names), np.bool_)
    for value in order:
        if len(chosen) >= MOST_VALUES:
            break
        if value in chosen or tables.values[value] in (OTHER, NULL_VALUE):
            continue
        now = tables.explained([*chosen, value])
        # A first value may explain nothing by itself: two versions of one app broke.
        gained = now.sum() > explained.sum() or not chosen
        enough = (now | explained).sum() >= AT_LEAST or _fell(
            across.get(tables.values[value]), down
        )
        if gained and enough and _is_off(tables, value, now | explained):
            chosen, explained = [*chosen, value], now
    if not chosen and not given:
        return None
    if not given:
        chosen, explained = _needed(tables, chosen, explained)
    explained = explained | tables.alike(chosen)
    mine = np.ix_(np.flatnonzero(explained), np.array(chosen, dtype=np.int64))
    usual, off = float(tables.expected[mine].sum()), float(tables.off[mine].sum())
    change = (-1.0 if down else 1.0) * (off / usual if usual else 1.0)
    values = tuple(tables.values[i] for i in chosen) or tuple(given)
    names = tuple(n for n, e in zip(tables.names, explained, strict=True) if e)
    types = tuple(sorted({*names, *moved_types(across, values, down)} - {""}))
    return Cutting(dimension, values, names, change, types)


def moved_types(across: Mapping[str, Across], values: Sequence[str], down: bool) -> set[str]:
    """Event types in which any of the values is off."""
    known = [across[v] for v in values if v in across]
    return {name for each in known for name in (each.fell if down else each.rose)}


def _by_part(tables: _Tables) -> list[int]:
    """Values by the part of what is off that they have, added up over event types: so that no event
    type speaks louder than another because it has more rows."""
    off = np.maximum(tables.off, 0.0)
    part = off / np.maximum(off.sum(axis=1, keepdims=True), 1e-9)
    return [int(i) for i in np.argsort(-part.sum(axis=0), kind="stable")]


def _fell(of: Across | None, down: bool) -> bool:
    """Whether a value is off in several event types, or in half of the few that have enough rows to
    say so; True where nobody knows."""
    if of is None:
        return True
    return len(of.fell if down else of.rose) >= min(AT_LEAST, (of.known + 1) // 2)


def _is_off(tables: _Tables, value: int, where: BoolArray) -> bool:
    """Whether a value is off in most of the event types that have enough of it."""
    rows = tables.expected[:, value], tables.off[:, value]
    known = np.maximum(*rows) >= FEW
    known = known & where if (known & where).any() else known
    return bool(known.any() and (rows[1] >= WORTH * rows[0])[known].mean() >= 0.5)


def _needed(
    tables: _Tables, chosen: list[int], explained: BoolArray
) -> tuple[list[int], BoolArray]:
    """Without the values that the others do not need."""
    for value in list(chosen):
        rest = [v for v in chosen if v != value]
        if rest and tables.explained(rest).sum() >= explained.sum():
            chosen, explained = rest, tables.explained(rest)
    return chosen, explained


def _is_enough(
    cutting: Cutting,
    listed: Mapping[str, Mapping[str, Moved]],
    across: Mapping[str, Across],
    down: bool,
) -> bool:
    number = len(cutting.explains)
    many = number >= AT_LEAST or (number == 2 and number >= MOST * len(listed))
    known = [a for v in cutting.values if (a := across.get(v))]
    seen = [(len(a.fell if down else a.rose), a.known) for a in known]
    others = [
        sum(rows.expected for value, rows in listed[name].items() if value not in cutting.values)
        for name in cutting.explains
    ]
    if number and all(usual < KNOWN_REST for usual in others):
        # They have hardly any other value: the table, or each by itself, would look the same.
        return any(n > 1 and 2 * n > of for n, of in seen) and _stands_out(
            across, cutting.values, down
        )
    # Nothing is told of the others yet, but they show it.
    shown = number >= 1 and any(n >= AT_LEAST and n >= SOME * of for n, of in seen)
    return many or (shown and _stands_out(across, cutting.values, down))


def _stands_out(across: Mapping[str, Across], values: Sequence[str], down: bool) -> bool:
    """Whether the other values go on as usual, over all event types: when the table stops, each value
    falls, and none is the cause."""
    rest = [a.rows for v, a in across.items() if v not in values]
    usual = sum(r.expected for r in rest)
    off = sum((r.expected - r.observed) if down else (r.observed - r.expected) for r in rest)
    return usual >= KNOWN_REST and off <= max(AS_USUAL * usual, NOISE * (usual + 1.0) ** 0.5)
