"""The one Vega-Lite specification of a trace: alerts, explanations and files show the same picture.

It is written for a phone: 640 by 360 units with letters that can be read at half that size, and a
background of its own, since the reader's may be light or dark. It holds its data and asks for nothing.
Times are places on a plain axis of seconds with labels made here: Vega knows UTC and the machine's
own zone only, never the exposure's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventwatch.charts.others import expected_with_others
from eventwatch.charts.text import fitted, lines_of, title_of
from eventwatch.charts.ticks import bucket_word, count_ticks, short, time_ticks, top_of
from eventwatch.model.errors import ConfigError, Fault
from eventwatch.model.trace import Trace, Values

INSTALL = "pip install 'eventwatch[charts]'"
WIDTH, HEIGHT = 640, 360
TITLE, SENTENCE = 50, 76
"""Columns that fit beside each other."""
SENTENCE_LINES = 2
MARK = 28
ZONE = 32
MOST_TICKS = 8
OTHERS = "dotted: expected, had it moved as all event types together did"
TALL_AS_TEXT = 0.93
"""Where on the axis of counts the words of a mark stand."""


@dataclass(frozen=True)
class Look:
    """Colours that keep their contrast (4.5 for letters) on their own ground."""

    ground: str
    text: str
    faint: str
    grid: str
    band: str
    line: str
    expected: str
    others: str
    bad: str


LIGHT = Look(
    "#FAFAF8",
    "#1D2127",
    "#5A626C",
    "#DEE1E5",
    "#A9C4E4",
    "#12508F",
    "#5E7FA6",
    "#8A5A00",
    "#C3201F",
)
DARK = Look(
    "#1C2026",
    "#ECEEF0",
    "#A9B2BD",
    "#363C45",
    "#41638C",
    "#8CC8FF",
    "#89A8CC",
    "#E0B24C",
    "#FF6A5C",
)


def spec(trace: Trace, *, dark: bool = False) -> dict[str, Any]:
    """A Vega-Lite document, checked against Vega-Lite's schema. Raises ConfigError where Altair is not
    installed."""
    alt = altair()
    look = DARK if dark else LIGHT
    top = top_of(trace)
    scene = _Scene(alt, trace, look, top, expected_with_others(trace))
    chart = alt.layer(*scene.layers()).properties(
        width=WIDTH,
        height=HEIGHT,
        background=look.ground,
        padding={"left": 14, "right": 18, "top": 14, "bottom": 12},
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        title=scene.title(),
    )
    made: dict[str, Any] = (
        chart.configure_view(stroke=None)
        .configure_axis(
            labelFontSize=16,
            titleFontSize=14,
            labelColor=look.faint,
            titleColor=look.faint,
            titleFontWeight="normal",
            domainColor=look.grid,
            tickColor=look.grid,
            gridColor=look.grid,
        )
        .to_dict()
    )
    return made


def altair() -> Any:
    """The module. Raises ConfigError where it is not installed."""
    try:
        import altair as alt
    except ImportError:
        raise missing("altair") from None
    return alt


def missing(package: str) -> ConfigError:
    """What is said where an extra is not installed."""
    return ConfigError((Fault("charts", None, f"need the package {package}: {INSTALL}"),))


@dataclass(frozen=True)
class _Scene:
    alt: Any
    trace: Trace
    look: Look
    top: float
    with_others: Values
    """Expected, had the series moved with all the others; empty: they say nothing."""

    def title(self) -> Any:
        lines = lines_of(self.trace.sentence, SENTENCE, SENTENCE_LINES)
        return self.alt.TitleParams(
            text=title_of(self.trace.title, TITLE),
            subtitle=lines,
            anchor="start",
            frame="bounds",
            offset=10,
            # Without a sentence it stands below a heading that says what happened: then it is a caption.
            fontSize=21 if lines else 15,
            fontWeight=600 if lines else "normal",
            color=self.look.text if lines else self.look.faint,
            subtitleFontSize=16,
            subtitleColor=self.look.text,
            subtitlePadding=5,
            subtitleLineHeight=20,
            limit=WIDTH - 34,
        )

    def layers(self) -> list[Any]:
        trace, look = self.trace, self.look
        inside = self._bad_buckets()
        layers = [
            self._stretches(),
            self._band(trace.lower, trace.upper, color=look.band, opacity=0.6),
            self._band(self._only(trace.observed, inside), trace.expected, look.bad, 0.28),
            self._line(trace.expected, color=look.expected, width=1.4, dash=[4, 3]),
            self._line(self.with_others, color=look.others, width=2.0, dash=[2, 3]),
            self._line(trace.observed, color=look.line, width=2.4),
            self._line(self._only(trace.observed, inside), color=look.bad, width=3.2),
            self._marks(),
            self._mark_words(),
            self._open(inside),
        ]
        return [layer for layer in layers if layer is not None]

    def _bad_buckets(self) -> frozenset[int]:
        starts = self.trace.edges()
        return frozenset(
            i
            for i in range(len(self.trace.observed))
            for stretch in self.trace.bad
            if starts[i] < stretch.end_at and starts[i + 1] > stretch.start_at
        )

    @staticmethod
    def _only(values: Values, buckets: frozenset[int]) -> Values:
        return tuple(v if i in buckets else None for i, v in enumerate(values))

    def _x(self) -> Any:
        start, end = self._reach()
        ticks = time_ticks(self.trace, MOST_TICKS)
        names = {str(int(tick.at.timestamp())): tick.label for tick in ticks}
        word = bucket_word(self.trace.step)
        each = f"each {word}" if word in ("hour", "day") else f"every {word}"
        parts = [f"events {each}"]
        parts += ["dashed: expected"] if self.trace.expected else []
        parts += ["shaded: usual, 99 of 100"] if self.trace.upper else []
        return self.alt.X(
            "t:Q",
            scale=self.alt.Scale(domain=[start, end], nice=False, zero=False),
            axis=self.alt.Axis(
                values=[int(tick.at.timestamp()) for tick in ticks],
                labelExpr=f"({json.dumps(names)})[datum.value] || ''",
                title=self._legend("  ·  ".join((*parts, title_of(self.trace.zone, ZONE)))),
                titleLimit=WIDTH - 60,
                titlePadding=9,
                grid=True,
                gridOpacity=0.55,
                labelFlush=False,
                labelOverlap="greedy",
            ),
        )

    def _legend(self, line: str) -> str | list[str]:
        return [line, OTHERS] if self.with_others else line

    def _y(self, field: str) -> Any:
        ticks = count_ticks(self.top)
        names = {f"{tick:.15g}": short(tick) for tick in ticks}
        return self.alt.Y(
            f"{field}:Q",
            scale=self.alt.Scale(domain=[0, self.top], nice=False),
            axis=self.alt.Axis(
                values=list(ticks),
                labelExpr=f"({json.dumps(names)})[datum.value] || ''",
                title=None,
                domain=False,
                ticks=False,
                labelPadding=8,
            ),
        )

    def _reach(self) -> tuple[int, int]:
        start, end = self.trace.edges()[0].timestamp(), self.trace.last_at.timestamp()
        return int(start), max(int(end), int(start) + 1)

    def _end(self) -> int:
        """Where the values end."""
        return max(int(self.trace.end_at.timestamp()), self._reach()[0] + 1)

    def _data(self, rows: Sequence[dict[str, Any]]) -> Any:
        return self.alt.Data(values=list(rows))

    def _stretches(self) -> Any | None:
        start, end = self._reach()
        # A bad bucket of a wide picture would be a hair: it gets some room to its left.
        hair = (end - start) // 220
        rows = []
        for stretch in self.trace.bad:
            until = min(max(int(stretch.end_at.timestamp()), start), end)
            since = max(min(int(stretch.start_at.timestamp()), until - hair), start)
            if since < end:
                rows.append({"t": since, "until": until})
        if not rows:
            return None
        return (
            self.alt.Chart(self._data(rows))
            .mark_rect(color=self.look.bad, opacity=0.12)
            .encode(x=self._x(), x2="until:Q")
        )

    def _band(self, low: Values, high: Values, color: str, opacity: float) -> Any | None:
        rows = self._steps(low=low, high=high) if low and high else []
        if not rows:
            return None
        return (
            self.alt.Chart(self._data(rows))
            .mark_area(
                interpolate="step-after", color=color, opacity=opacity, clip=True, line=False
            )
            .encode(x=self._x(), y=self._y("low"), y2="high:Q", detail="run:N")
        )

    def _line(
        self, values: Values, *, color: str, width: float, dash: list[int] | None = None
    ) -> Any | None:
        rows = self._steps(v=values) if values else []
        if not rows:
            return None
        style = {} if dash is None else {"strokeDash": dash}
        return (
            self.alt.Chart(self._data(rows))
            .mark_line(
                interpolate="step-after",
                color=color,
                strokeWidth=width,
                strokeJoin="round",
                **style,
            )
            .encode(x=self._x(), y=self._y("v"), detail="run:N")
        )

    def _steps(self, **values: Values) -> list[dict[str, Any]]:
        """Points of steps: the start of each bucket and the end of each run of known ones."""
        starts = [int(at.timestamp()) for at in self.trace.edges()]
        starts[-1] = self._end()
        rows: list[dict[str, Any]] = []
        run, last = 0, -1
        for i in range(len(self.trace.observed)):
            point = {name: each[i] for name, each in values.items()}
            if any(value is None for value in point.values()):
                continue
            if i != last + 1:
                run += 1
            elif rows:
                rows.pop()
            rows.append({"t": starts[i], "run": run, **point})
            rows.append({"t": starts[i + 1], "run": run, **point})
            last = i
        return rows

    def _marks(self) -> Any | None:
        start, end = self._reach()
        places = [int(mark.at.timestamp()) for mark in self.trace.marks]
        rows = [{"t": place} for place in places if start <= place <= end]
        if not rows:
            return None
        return (
            self.alt.Chart(self._data(rows))
            .mark_rule(color=self.look.faint, strokeWidth=1.5, strokeDash=[2, 3])
            .encode(x=self._x())
        )

    def _mark_words(self) -> Any | None:
        start, end = self._reach()
        words = []
        for mark in self.trace.marks:
            place = int(mark.at.timestamp())
            if start <= place <= end:
                text = title_of(mark.text, MARK)
                late = place > start + 0.6 * (end - start)
                words.append((place, fitted(text, MARK), late))
        layers = []
        for late in (False, True):
            rows = [
                {"t": place, "v": self.top * TALL_AS_TEXT, "words": text}
                for place, text, side in words
                if side is late
            ]
            # Below the letters some ground, so that no line runs through them.
            for stroke in (self.look.ground, None) if rows else ():
                halo = {} if stroke is None else {"stroke": stroke, "strokeWidth": 4}
                layers.append(
                    self.alt.Chart(self._data(rows))
                    .mark_text(
                        align="right" if late else "left",
                        dx=-5 if late else 5,
                        fontSize=13,
                        color=self.look.faint,
                        **halo,
                    )
                    .encode(x=self._x(), y=self._y("v"), text="words:N")
                )
        return self.alt.layer(*layers) if layers else None

    def _open(self, bad: frozenset[int]) -> Any | None:
        """A ring at the end of a bucket that is still open."""
        last = self.trace.observed[-1] if self.trace.observed else None
        if self.trace.open_until is None or last is None:
            return None
        color = self.look.bad if len(self.trace.observed) - 1 in bad else self.look.line
        return (
            self.alt.Chart(self._data([{"t": self._end(), "v": last}]))
            .mark_point(
                shape="circle",
                size=70,
                strokeWidth=2.4,
                color=color,
                fill=self.look.ground,
                opacity=1,
            )
            .encode(x=self._x(), y=self._y("v"))
        )
