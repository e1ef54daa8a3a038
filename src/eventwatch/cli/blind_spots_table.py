"""Blind spots for people: one row an event type, the worst first, what to do below those that are blind.

Everything foreign goes through ``terminal`` and into Text objects, never into markup.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.app.blind_spots import (
    HORIZONS,
    BlindSpots,
    EventTypeSight,
    ExposureSight,
    Standing,
)
from eventwatch.cli import words
from eventwatch.cli.console import as_text, show, speaks_unicode
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration

_STYLE = {
    Standing.BLIND: "bold red",
    Standing.LEARNING: "yellow",
    Standing.SEEN: "",
    Standing.OFF: "dim",
}
_NAME = 60


def print_table(found: BlindSpots) -> None:
    """To standard output, as wide and as colourful as that allows."""
    show(for_people(found, unicode=speaks_unicode(sys.stdout)))


def table_text(found: BlindSpots, width: int) -> str:
    """As plain text."""
    return as_text(for_people(found), width)


def for_people(found: BlindSpots, *, unicode: bool = True) -> Group:
    """The whole answer."""
    view = _View(found, unicode)
    parts: list[object] = []
    for exposure in found.exposures:
        parts.extend(view.exposure(exposure))
        parts.append(Text())
    parts.extend(view.last_lines())
    return Group(*parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _View:
    found: BlindSpots
    unicode: bool

    @property
    def _none(self) -> str:
        return "–" if self.unicode else "-"

    def exposure(self, exposure: ExposureSight) -> Iterable[object]:
        head = Text(clean(exposure.name), "bold")
        head.append(f"  {counted(len(exposure.event_types), 'event type')}, ", "")
        head.append(f"as of {words.minute(exposure.at)}", "")
        yield head
        if exposure.error:
            yield Text(f"  not measured: {clean(exposure.error)}", "magenta")
            return
        for note in exposure.notes:
            yield Text(f"  {clean(note)}", "dim")
        if exposure.event_types:
            yield self._table(exposure)

    def _table(self, exposure: ExposureSight) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("event type", overflow="fold", min_width=10)
        table.add_column("team", overflow="fold")
        table.add_column("rows a day", justify="right", no_wrap=True)
        for horizon in HORIZONS:
            table.add_column(f"in {format_duration(horizon)}", no_wrap=True)
        table.add_column("a stop is told", overflow="fold")
        for sight in exposure.event_types:
            standing = sight.standing(self.found.within)
            style = _STYLE[standing]
            table.add_row(
                Text(clean(sight.event_type, _NAME) or "(empty)", style),
                Text(clean(sight.team)),
                Text(self._rate(sight)),
                *(Text(self._sizes(sight, place)) for place in range(len(HORIZONS))),
                Text(self._stop(sight, standing), style),
            )
        return table

    def _rate(self, sight: EventTypeSight) -> str:
        if sight.habit is None:
            return self._none
        rate = sight.habit.per_day
        if rate < 0.1:
            return "< 0.1"
        return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"

    def _sizes(self, sight: EventTypeSight, place: int) -> str:
        """The smallest drop and rise: ``−60 % ×2``."""
        drop, rise = sight.drop(place), sight.rises[place]
        minus, times = ("−", "×") if self.unicode else ("-", "x")
        fall = self._none if drop is None else f"{minus}{drop * 100:.0f} %"
        climb = self._none if rise is None else f"{times}{rise:g}"
        return f"{fall:7}{climb}"

    def _stop(self, sight: EventTypeSight, standing: Standing) -> str:
        stop = sight.stop
        if stop is not None:
            return f"after {format_duration(stop[0])} ({stop[1].value})"
        if standing is Standing.OFF:
            return f"no: {clean(sight.off)}"
        if sight.learning_until is not None:
            return f"not yet: learning until {words.minute(sight.learning_until)}"
        return "not within a day"

    def last_lines(self) -> Iterable[object]:
        yield from self._advice()
        found, within = self.found, format_duration(HORIZONS[self.found.within])
        within = {"24 h": "a day", "1 h": "an hour"}.get(within, within)
        blind, total = found.count(Standing.BLIND), found.total
        if not total:
            yield Text("No event type was looked at.", "bold")
            return
        line = Text(
            f"{blind:,} of {counted(total, 'event type')}: ", "bold red" if blind else "bold"
        )
        line.append(f"a drop to zero would not be told within {within}.")
        for standing, say in (
            (Standing.LEARNING, "still being learned"),
            (Standing.OFF, "not judged; why stands above"),
        ):
            if count := found.count(standing):
                line.append(f" {count:,} {'is' if count == 1 else 'are'} {say}.")
        yield line
        yield Text(
            "Sizes: the smallest drop and rise told nine times in ten, whatever hour they begin.",
            "dim",
        )

    def _advice(self) -> Iterable[object]:
        """The best thing to do about each that is blind."""
        blind = [
            sight
            for exposure in self.found.exposures
            for sight in exposure.event_types
            if sight.standing(self.found.within) is Standing.BLIND
        ]
        helped = [sight for sight in blind if sight.advice[0].line]
        if helped:
            yield self._to_write(helped)
        others = Counter(s.advice[0].text for s in blind if not s.advice[0].line)
        for text, count in others.most_common(3):
            yield Text(f"{counted(count, 'event type')}: {text}.")
        if rest := others.total() - sum(n for _, n in others.most_common(3)):
            yield Text(f"{counted(rest, 'further event type')} for like reasons.")
        if blind:
            yield Text()

    def _to_write(self, sights: Sequence[EventTypeSight]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("what to do", overflow="fold", min_width=10)
        table.add_column("write", overflow="fold")
        table.add_column("in", overflow="fold")
        table.add_column("then told", no_wrap=True)
        table.add_column("why", overflow="fold")
        for sight in sights:
            best = sight.advice[0]
            after = best.told_after
            table.add_row(
                Text(clean(sight.event_type, _NAME) or "(empty)"),
                Text(best.line, "cyan"),
                Text(clean(best.place)),
                Text("" if after is None else f"after {format_duration(after)}"),
                Text(best.text),
            )
        return table


def clean(text: str, longest: int = 400) -> str:
    """Foreign text for a terminal."""
    return terminal(truncate(text, longest))
