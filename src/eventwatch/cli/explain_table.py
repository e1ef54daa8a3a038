"""An explanation for people: the sentence, the plot, what decided, each window, the other checks.

Everything foreign goes through ``terminal`` and into Text objects, never into markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.app.adapters import adapter
from eventwatch.cli import words
from eventwatch.cli.console import PIPE_WIDTH, as_text, columns, in_ascii, show, speaks_unicode
from eventwatch.cli.explain_cut_rows import rows_of_cut
from eventwatch.cli.places import below
from eventwatch.model.durations import format_duration
from eventwatch.model.figures import percent_change, signed
from eventwatch.model.status import Status

if TYPE_CHECKING:
    from datetime import datetime

    from eventwatch.app.explain import Explained
    from eventwatch.kinds.volume_cuts_explain import CutExplanation
    from eventwatch.kinds.volume_explanation import Explanation, Threshold, Window
    from eventwatch.model.result import Result

_STYLE = {
    Status.FAIL: "bold red",
    Status.ERROR: "magenta",
    Status.LEARNING: "yellow",
    Status.SKIPPED: "dim",
    Status.PASS: "green",
}
_PARTS = {"faint": "dim", "band": "blue", "line": "bold", "bad": "bold red"}
_NAME = 200
_LABELS = 13
INDENT = 2


def print_table(one: Explained, root: str, *, plot: bool) -> None:
    """To standard output, as wide and as colourful as that allows. ``root``: the folder of contracts."""
    unicode = speaks_unicode(sys.stdout)
    show(for_people(one, columns(sys.stdout), root, plot=plot, unicode=unicode))


def table_text(one: Explained, root: str, *, plot: bool) -> str:
    """As plain text."""
    return as_text(for_people(one, PIPE_WIDTH, root, plot=plot, unicode=True), PIPE_WIDTH)


def for_people(one: Explained, width: int, root: str, *, plot: bool, unicode: bool) -> Group:
    """The whole answer."""
    view = _View(one, unicode, root)
    parts: list[object] = [*view.head(), Text()]
    volume, cut, nameless = one.volume, one.cut, one.nameless
    drawn: list[object] = []
    if plot and one.trace is not None:
        lines = adapter("chart_lines")(one.trace, width=width - INDENT, unicode=unicode)
        drawn = [*map(_line, lines), Text()]
    if cut is not None:
        parts += [*view.verdict_of_cut(cut), Text(), *drawn, view.decided_of_cut(cut), Text()]
    elif nameless is not None:
        text = "volume does not judge them: drift tells that there are any"
        parts += [Text(nameless.sentence, "bold"), _indented(Text(text)), Text(), *drawn]
    elif volume is None:
        parts += [Text("No row of it came in the look-back: volume has nothing to judge."), Text()]
    else:
        parts += [*view.verdict(volume), Text(), *drawn, view.decided(volume), Text()]
        if volume.windows:
            parts += [view.windows(volume), Text()]
    parts += view.others()
    return Group(*parts)  # type: ignore[arg-type]


def _line(spans: Iterable[Any]) -> Padding:
    text = Text(no_wrap=True, overflow="crop")
    for span in spans:
        text.append(span.text, _PARTS[span.part.value])
    return Padding(text, (0, 0, 0, INDENT))


def _clean(text: str, longest: int = 1000) -> str:
    return terminal(truncate(text, longest))


@dataclass(frozen=True)
class _View:
    one: Explained
    unicode: bool
    root: str

    @property
    def _dot(self) -> str:
        return " · " if self.unicode else " - "

    def _signed(self, share: float) -> str:
        return self._spelled(percent_change(share))

    def _plus_minus(self, share: float) -> str:
        size = share * 100
        text = f"{size:.1f}" if size < 10 else f"{size:.0f}"
        return f"{'±' if self.unicode else '+/-'}{text} %"

    def _z(self, z: float) -> str:
        return self._spelled(signed(z))

    def _spelled(self, text: str) -> str:
        return text if self.unicode else in_ascii(text)

    def head(self) -> Iterator[Text]:
        one = self.one
        name = "rows without an event type"
        if one.event_type is not None:
            name = _clean(one.event_type, _NAME) or "(empty)"
        if one.cut is not None:
            name += f", {_clean(one.cut.cut.dimension, _NAME)} {_clean(one.cut.cut.value, _NAME)}"
        line = Text(name, "bold")
        line.append(f"  in {_clean(one.exposure, _NAME)}, as of {words.instant(one.now)}", "dim")
        if one.zone != "UTC":
            line.append(f" ({self._local(one.now)} {_clean(one.zone)})", "dim")
        yield line
        contract = one.contract
        parts = [f"owner {_clean(one.team, _NAME)}" if one.team else "owner nobody"]
        if contract is None:
            parts.append("no contract declares it")
        else:
            place = below(self.root, str(contract.location))
            tier = contract.tier.value.replace("_", " ")
            parts += [f"contract {_clean(place)}", f"tier {tier}"]
        yield Text(self._dot.join(parts), "dim")

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.one.zone)):%H:%M}"

    def verdict(self, volume: Explanation) -> Iterator[object]:
        line = Text(volume.status.value.upper(), _STYLE[volume.status])
        line.append(f"  {_clean(volume.sentence)}", "bold")
        yield line
        if volume.why != volume.sentence:
            yield _indented(Text(_clean(volume.why)))
        until = volume.result.learning_until
        if until is not None:
            yield _indented(Text(f"learning until {words.minute(until)}"))
        yield from self._muted()

    def verdict_of_cut(self, cut: CutExplanation) -> Iterator[object]:
        """Of one value of a dimension."""
        status = cut.result.status
        line = Text(status.value.upper(), _STYLE[status])
        line.append(f"  {_clean(cut.sentence)}", "bold")
        yield line
        if cut.why != cut.sentence:
            yield _indented(Text(_clean(cut.why)))
        yield from self._muted()

    def _muted(self) -> Iterator[object]:
        if self.one.muted:
            yield _indented(Text(f"nobody is told: {_clean(self.one.muted)}", "yellow"))

    def decided_of_cut(self, cut: CutExplanation) -> Table:
        """The numbers, and those of the event type they are a part of."""
        return self._pairs(rows_of_cut(cut, self.one.volume, self._z))

    def decided(self, volume: Explanation) -> Table:
        return self._pairs(self._rows(volume))

    @staticmethod
    def _pairs(rows: Iterable[tuple[str, str]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        table.add_column(width=_LABELS, no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for label, text in rows:
            table.add_row(label, Text(_clean(text)))
        return table

    def _rows(self, volume: Explanation) -> Iterator[tuple[str, str]]:
        if volume.expected is not None and volume.observed is not None:
            seen = words.quantity(volume.observed, "events")
            usual = words.number(volume.expected)
            if volume.lower is not None and volume.upper is not None:
                usual += (
                    f" (99 of 100: {words.number(volume.lower)} to {words.number(volume.upper)})"
                )
            yield "seen", seen
            yield "expected", usual
        if volume.deviation is not None and volume.spread is not None:
            scale = 1.0 if volume.scale is None else volume.scale
            own = (
                ""
                if abs(scale - 1.0) < 0.005
                else f"; by its own record z is divided by {scale:.2f}"
            )
            yield (
                "spread",
                f"{self._plus_minus(volume.deviation)} ({self._phi()} {volume.spread:.2g}{own})",
            )
        if volume.z is not None and volume.score is not None:
            yield "how far", self._how_far(volume)
        if volume.threshold is not None:
            yield "threshold", self._threshold(volume.threshold)
        if volume.season is not None:
            yield "season", volume.season.words
        if volume.level is not None:
            level = f"{words.number(volume.level)} rows in an average {volume.level_by}"
            yield "level", f"{level}; {volume.new_level}" if volume.new_level else level
        if volume.common is not None:
            yield "the others", self._common(volume)
        yield "judged", volume.judged_by
        if volume.late:
            yield "table late", f"nothing was loaded since {words.instant(volume.at)}"
        if volume.completeness is not None:
            yield "complete", self._complete(volume)
        silence = volume.silence
        if silence is not None:
            before = "before the last load" if volume.late else "ago"
            yield (
                "last row",
                f"{format_duration(silence.quiet)} {before}; the chance of such a silence is "
                f"{_chance(silence.p_value)}, told under {silence.limit:.0e}",
            )
        yield "history", f"{volume.learned_days:.1f} days"
        if volume.holiday:
            yield "holiday", volume.holiday
        if volume.said:
            yield "a person said", volume.said
        for promise in volume.promises:
            yield f"contract {promise.aspect}", _promise(promise)
        for result in volume.exposure:
            if result.summary and result.aspect != "late":
                yield "the table", result.summary

    def _phi(self) -> str:
        return "φ" if self.unicode else "phi"

    def _how_far(self, volume: Explanation) -> str:
        assert volume.z is not None
        assert volume.score is not None
        parts = [f"z {self._z(volume.z)}"]
        if volume.p_value is not None:
            parts.append(f"p {_chance(volume.p_value)}")
        if volume.nothing is not None:
            parts.append(f"the chance of no row {_chance(volume.nothing)}")
        parts.append(f"score {volume.score:.2f}")
        if volume.once_in is not None:
            parts.append(_how_rare(volume.once_in, counted=volume.nothing is not None))
        return ", ".join(parts)

    def _threshold(self, limit: Threshold) -> str:
        place = f" ({limit.source})" if limit.source else " (built in)"
        if limit.z is not None:
            return f"|z| {limit.z:g}{place}"
        alerts = f"{limit.budget:g} false alert{'' if limit.budget == 1 else 's'}"
        types = f"{limit.team_size:,} event type{'' if limit.team_size == 1 else 's'}"
        has = f"{limit.team} has {types}" if limit.team else f"no team owns it and {types} in all"
        cap = "; more than that no event type gets" if limit.capped else ""
        return (
            f"score {limit.score:.2f}, or {limit.silent_score:.2f} where nothing came: {alerts} per "
            f"team and week{place}, {has}: {limit.false_per_day:.2g} a day each{cap}"
        )

    def _common(self, volume: Explanation) -> str:
        common = volume.common
        assert common is not None
        text = f"all event types together {self._signed(common.movement)} in the newest bucket"
        if common.together:
            text += ", most of the table moves at once: told of the exposure"
        if common.spoke:
            return (
                f"{text}; it shares {self._signed(common.shared)}: z {self._z(common.own_z)} by its "
                f"own past, {self._z(common.z)} against the others"
            )
        return f"{text}; they changed nothing for it: z {self._z(common.own_z)} by its own past"

    def _complete(self, volume: Explanation) -> str:
        assert volume.completeness is not None
        share = volume.completeness.share
        if share >= 1:
            return "all of the newest bucket's rows can be there"
        return (
            f"{share * 100:.0f} % of the newest bucket's rows can be there "
            f"({self._plus_minus(volume.completeness.doubt)} of that)"
        )

    def windows(self, volume: Explanation) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("window", no_wrap=True)
        for name in ("seen", "expected", "change", "z", "calibrated"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for window in volume.windows:
            table.add_row(*(Text(cell) for cell in self._window(window)))
        return table

    def _window(self, window: Window) -> Iterator[str]:
        yield f"last {format_duration(window.length)}"
        yield words.number(window.observed)
        yield words.number(window.expected)
        yield self._signed(window.observed / max(window.expected, 1e-9) - 1.0)
        yield self._z(window.z)
        yield self._z(window.calibrated)
        yield "spoke" if window.spoke else ""

    def others(self) -> Iterator[object]:
        bad = [r for r in self.one.others if r.status is not Status.PASS]
        good = [r for r in self.one.others if r.status is Status.PASS]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("other checks", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("", overflow="fold")
        for result in sorted(bad, key=lambda r: (r.kind.value, r.aspect, r.cut is not None)):
            table.add_row(
                Text(f"{result.kind.value} {result.aspect}"),
                Text(result.status.value.upper(), _STYLE[result.status]),
                Text(_what(result)),
            )
            for fact in result.facts:
                table.add_row("", "", Text(f"{_clean(fact.label)}: {_clean(fact.text)}", "dim"))
        for kind in dict.fromkeys(r.kind for r in good):
            aspects = dict.fromkeys(r.aspect for r in good if r.kind is kind)
            table.add_row(
                Text(kind.value),
                Text("PASS", _STYLE[Status.PASS]),
                Text(", ".join(aspects), "dim"),
            )
        if self.one.others:
            yield table
        for note in self.one.notes:
            yield Text(f"note: {_clean(note)}", "dim")


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, INDENT))


def _what(result: Result) -> str:
    cut = result.cut
    where = "" if cut is None else f"{cut.dimension} {cut.value}: "
    table = "the exposure as a whole: " if result.event_type is None else ""
    return _clean(f"{table}{where}{result.summary}")


def _promise(result: Result) -> str:
    if result.summary:
        return f"{result.status.value.upper()}: {result.summary}"
    amount = result.amount
    if amount is None:
        return result.status.value.upper()
    bound = amount.lower if amount.lower is not None else amount.upper
    limit = "" if bound is None else f", the promise is {words.number(bound)} a day"
    return f"{result.status.value.upper()}: {words.number(amount.observed)} events{limit}"


def _how_rare(once_in: timedelta, *, counted: bool) -> str:
    """By the event type's own record, or where no row came also by what counting makes of that."""
    by = "by counting and its own record" if counted else "by its own record"
    if once_in >= timedelta(days=3650):
        return f"{by} not once in ten years"
    return f"{by} once in {format_duration(once_in)}"


def _chance(p: float) -> str:
    if p < 1e-15:
        return "under 1e-15"
    return f"{p:.2g}" if p >= 1e-4 else f"{p:.0e}"
