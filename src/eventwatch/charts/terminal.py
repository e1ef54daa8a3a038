"""A trace as lines of text: braille dots where the terminal can show them, plain ASCII where not.

It gives spans with the name of what they are, not colours: who prints them knows whether there may be
any. So the picture must say all of it without: what is bad has a heavier axis and, in ASCII, another
letter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from eventwatch.charts.ticks import bucket_word, count_ticks, short, time_ticks, top_of
from eventwatch.model.trace import Trace, Values

HEIGHT = 12
NARROWEST = 20
WIDEST = 150
TICK_ROOM = 9
"""Columns that the label of a tick takes with its distance."""
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Braille bits by row from the top and column."""


class Part(StrEnum):
    """What a span of a line is."""

    FAINT = "faint"
    BAND = "band"
    LINE = "line"
    BAD = "bad"


@dataclass(frozen=True)
class Span:
    """Some letters that are one thing."""

    text: str
    part: Part


@dataclass(frozen=True)
class _Letters:
    band: str
    axis: str
    bad_axis: str
    corner: str
    side: str
    tick: str
    line: str = ""
    bad: str = ""


UNICODE = _Letters("░", "─", "━", "└", "│", "┴")
ASCII = _Letters(".", "-", "=", "+", "|", "+", "*", "#")


def plot(
    trace: Trace, *, width: int, height: int = HEIGHT, unicode: bool = True
) -> tuple[tuple[Span, ...], ...]:
    """Lines of at most ``width`` columns: the counts, the axis, its labels, what the letters mean."""
    return tuple(tuple(line) for line in _Plot.of(trace, width, height, unicode).lines())


def plain_text(lines: Sequence[Sequence[Span]]) -> str:
    """Without colours, each line with its end."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


@dataclass(frozen=True)
class _Plot:
    trace: Trace
    width: int
    """Columns of the picture, without the labels to its left."""
    height: int
    unicode: bool
    top: float
    labels: tuple[tuple[int, str], ...]
    """Row from the top → count."""
    margin: int
    letters: _Letters

    @staticmethod
    def of(trace: Trace, width: int, height: int, unicode: bool) -> _Plot:
        top = top_of(trace)
        rows = max(height, 4)
        labels = {
            min(rows - 1, int((1 - tick / top) * rows)): short(tick)
            for tick in reversed(count_ticks(top, 3))
        }
        margin = max(len(text) for text in labels.values()) + 1
        inner = max(NARROWEST, min(width, WIDEST) - margin - 1)
        letters = UNICODE if unicode else ASCII
        return _Plot(trace, inner, rows, unicode, top, tuple(labels.items()), margin, letters)

    def lines(self) -> Iterator[list[Span]]:
        bad = self._bad()
        cells = self._braille() if self.unicode else self._stars(bad)
        band = self._band()
        names = dict(self.labels)
        for row in range(self.height):
            spans = [Span(f"{names.get(row, ''):>{self.margin}}{self.letters.side}", Part.FAINT)]
            for column in range(self.width):
                letter, part = cells.get((row, column), ""), Part.LINE
                if letter:
                    part = Part.BAD if column in bad else Part.LINE
                elif (row, column) in band:
                    letter, part = self.letters.band, Part.BAND
                _add(spans, letter or " ", part if letter else Part.FAINT)
            yield spans
        yield from self._axis(bad)
        yield [Span(" " * (self.margin + 1) + self._legend(bool(bad)), Part.FAINT)]

    def _span(self) -> tuple[float, float]:
        start = self.trace.edges()[0].timestamp()
        return start, max(self.trace.last_at.timestamp(), start + 1)

    def _buckets(self, slots: int) -> list[range]:
        """Which buckets each of so many columns stands for; at least one."""
        edges = [at.timestamp() for at in self.trace.edges()]
        start, end = self._span()
        edges[-1] = min(max(self.trace.end_at.timestamp(), start + 1), end)
        found, place = [], 0
        for slot in range(slots):
            left = start + (end - start) * slot / slots
            right = start + (end - start) * (slot + 1) / slots
            if left >= edges[-1]:
                found.append(range(0))
                continue
            while place < len(edges) - 2 and edges[place + 1] <= left:
                place += 1
            stop = place + 1
            while stop < len(edges) - 1 and edges[stop] < right - 1e-6:
                stop += 1
            # A bucket that only touches the column belongs to the next one.
            first = place
            found.append(range(first, stop))
        return found

    def _at(self, values: Values, slots: int) -> list[float | None]:
        """The mean of what is known in each column."""
        means: list[float | None] = []
        for buckets in self._buckets(slots):
            known = [v for v in (values[i] for i in buckets) if v is not None]
            means.append(sum(known) / len(known) if known else None)
        return means

    def _bad(self) -> frozenset[int]:
        start, end = self._span()
        columns = set()
        for stretch in self.trace.bad:
            first = (stretch.start_at.timestamp() - start) / (end - start) * self.width
            last = (stretch.end_at.timestamp() - start) / (end - start) * self.width
            columns |= set(range(max(0, math.floor(first)), min(self.width, math.ceil(last))))
        return frozenset(columns)

    def _braille(self) -> dict[tuple[int, int], str]:
        dots: dict[tuple[int, int], int] = {}
        rows = self.height * 4
        before: int | None = None
        for x, value in enumerate(self._at(self.trace.observed, self.width * 2)):
            if value is None:
                before = None
                continue
            y = self._row(value, rows)
            reach = {y} if before is None else set(range(min(y, before), max(y, before) + 1))
            for each in reach:
                cell = (each // 4, x // 2)
                dots[cell] = dots.get(cell, 0) | _DOTS[each % 4][x % 2]
            before = y
        return {cell: chr(0x2800 + bits) for cell, bits in dots.items()}

    def _stars(self, bad: frozenset[int]) -> dict[tuple[int, int], str]:
        return {
            (self._row(value, self.height), column): (
                self.letters.bad if column in bad else self.letters.line
            )
            for column, value in enumerate(self._at(self.trace.observed, self.width))
            if value is not None
        }

    def _band(self) -> frozenset[tuple[int, int]]:
        if not self.trace.lower or not self.trace.upper:
            return frozenset()
        cells = set()
        lower = self._at(self.trace.lower, self.width)
        upper = self._at(self.trace.upper, self.width)
        for column, (low, high) in enumerate(zip(lower, upper, strict=True)):
            if low is not None and high is not None:
                first, last = self._row(high, self.height), self._row(low, self.height)
                cells |= {(row, column) for row in range(first, last + 1)}
        return frozenset(cells)

    def _row(self, value: float, rows: int) -> int:
        share = min(max(value / self.top, 0.0), 1.0)
        return min(rows - 1, int((1.0 - share) * rows))

    def _axis(self, bad: frozenset[int]) -> Iterator[list[Span]]:
        start, end = self._span()
        ticks = time_ticks(self.trace, max(2, self.width // TICK_ROOM))
        places = {
            int((tick.at.timestamp() - start) / (end - start) * self.width): tick.label
            for tick in ticks
        }
        spans = [Span(" " * self.margin + self.letters.corner, Part.FAINT)]
        for column in range(self.width):
            if column in bad:
                _add(spans, self.letters.bad_axis, Part.BAD)
            else:
                letter = self.letters.tick if column in places else self.letters.axis
                _add(spans, letter, Part.FAINT)
        yield spans
        text = ""
        for column, label in sorted(places.items()):
            place = min(column, self.width - len(label))
            if place > len(text) or not text:
                text = text.ljust(place) + label
        yield [Span(" " * (self.margin + 1) + text, Part.FAINT)]

    def _legend(self, bad: bool) -> str:
        word = bucket_word(self.trace.step)
        each = f"each {word}" if word in ("hour", "day") else f"every {word}"
        parts = [f"events {each}"]
        if self.trace.upper:
            parts.append(f"{self.letters.band} usual")
        if bad:
            parts.append(f"{self.letters.bad_axis} bad")
        parts.append(self.trace.zone)
        text = "   ".join(parts)
        return text if len(text) <= self.width else text[: self.width].rstrip()


def _add(spans: list[Span], letter: str, part: Part) -> None:
    if spans and spans[-1].part is part:
        spans[-1] = Span(spans[-1].text + letter, part)
    else:
        spans.append(Span(letter, part))
