"""The report for people: per exposure a headline, then what is wrong, worst first.

Everything foreign goes through ``terminal`` and into Text objects, never into markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.cli import words
from eventwatch.cli.codes import MEANINGS
from eventwatch.cli.console import as_text, in_ascii, show, speaks_unicode
from eventwatch.cli.places import below
from eventwatch.cli.spark import sparkline
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.model.figures import signed
from eventwatch.model.status import Severity, Status
from eventwatch.pipeline.report import Disposition, ExposureReport, Finding, Report

if TYPE_CHECKING:
    from eventwatch.model.alert import Delivery
    from eventwatch.model.result import Result

_SEVERITY_STYLE = {
    Severity.CRITICAL: "bold red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}
_MOST_ALIKE = 20
"""Findings of one severity, check and owner that are told in full."""
_MOST_NAMED = 10
_MOST_QUIET = 100
_ALL = "(--format json has them all)"
_LONGEST_NAME = 200
_LONGEST_TEXT = 1000
_LABELS = 11


@dataclass(frozen=True)
class Page:
    """How the report is shown."""

    contracts_root: str = ""
    """Folder that contract locations are relative to, as the reader would type it."""
    folder: str = ""
    """Folder of config.yaml, which check locations are relative to."""
    messages: bool = False
    fail_on: Severity | None = Severity.WARNING


def print_table(report: Report, page: Page) -> None:
    """To standard output, as wide and as colourful as that allows."""
    unicode = speaks_unicode(sys.stdout)
    show(report_for_people(report, page, unicode=unicode))


def table_text(report: Report, page: Page, width: int) -> str:
    """As plain text."""
    return as_text(report_for_people(report, page), width)


def report_for_people(report: Report, page: Page, *, unicode: bool = True) -> Group:
    """The whole report."""
    view = _View(page, unicode)
    parts: list[object] = []
    for exposure in report.exposures:
        parts.extend(view.exposure(exposure))
    if page.messages:
        parts.extend(view.messages(report))
    parts.extend(view.outcomes(report))
    parts.append(view.last_line(report))
    return Group(*parts)  # type: ignore[arg-type]


def _clean(text: str, longest: int = _LONGEST_TEXT) -> str:
    return terminal(truncate(text, longest))


@dataclass(frozen=True)
class _View:
    page: Page
    unicode: bool

    @property
    def _dot(self) -> str:
        return " · " if self.unicode else " - "

    # -- one exposure ----------------------------------------------------------------------------

    def exposure(self, report: ExposureReport) -> Iterable[object]:
        head = Text()
        head.append(_clean(report.name, _LONGEST_NAME), "bold")
        head.append(f"  as of {words.instant(report.at)}", "dim")
        yield head
        if report.error:
            why = report.error.removeprefix(f"{report.name}: ")
            yield _indented(Text(f"not measured: {_clean(why)}", "magenta"))
            yield Text()
            return
        yield _indented(self._headline(report))
        told = [f for f in report.findings if f.disposition is Disposition.FIRING]
        quiet = [f for f in report.findings if f.disposition is not Disposition.FIRING]
        yield from self._told(told, report)
        if quiet:
            yield Text()
            yield _indented(self._quiet(quiet[:_MOST_QUIET]))
            if len(quiet) > _MOST_QUIET:
                rest = counted(len(quiet) - _MOST_QUIET, "more finding")
                yield _indented(Text(f"and {rest} {_ALL}", "dim"))
        if report.errors:
            yield Text()
            yield _indented(self._errors(report.errors))
        yield Text()
        yield _indented(self._counts(report, len(told)))
        for note in report.notes:
            yield _indented(Text(f"note: {_clean(note)}", "dim"))
        yield Text()

    def _headline(self, report: ExposureReport) -> Text:
        line = Text()
        line.append(counted(report.row_count, "row"))
        line.append(self._dot + counted(report.event_type_count, "event type"))
        late = report.late_by
        if report.last_arrival_at is None or late is None:
            line.append(self._dot + "nothing ever arrived", "red")
        else:
            line.append(self._dot + f"last arrival {words.instant(report.last_arrival_at)}, ")
            line.append(words.ago(report.last_arrival_at, report.at))
        return line

    def _counts(self, report: ExposureReport, told: int) -> Text:
        counts = report.status_counts
        line = Text()
        if told:
            line.append(f"{told:,} wrong", "bold red")
        else:
            line.append("nothing wrong", "green")
        line.append(f"{self._dot}{counts.get(Status.PASS, 0):,} passed")
        learning = counts.get(Status.LEARNING, 0) or len(report.learning)
        if learning:
            line.append(f"{self._dot}{learning:,} learning{_until(report.learning)}")
        skipped = counts.get(Status.SKIPPED, 0)
        if skipped:
            line.append(f"{self._dot}{skipped:,} skipped")
        if report.errors:
            line.append(f"{self._dot}{len(report.errors):,} not judged", "magenta")
        return line

    # -- findings --------------------------------------------------------------------------------

    def _told(self, told: Sequence[Finding], report: ExposureReport) -> Iterable[object]:
        """In full, as long as somebody may read it: of thousands alike the first, and the names of
        some more."""
        alike: dict[tuple[object, ...], list[Finding]] = {}
        for finding in told:
            result = finding.result
            key = result.severity, result.kind, result.aspect, finding.route.team
            group = alike.setdefault(key, [])
            group.append(finding)
            if len(group) <= _MOST_ALIKE:
                yield Text()
                yield from self._finding(finding, report)
        for group in alike.values():
            rest = group[_MOST_ALIKE:]
            if not rest:
                continue
            result, team = rest[0].result, _clean(rest[0].route.team, _LONGEST_NAME)
            some = ", ".join(_subject(f.result) for f in rest[:_MOST_NAMED])
            dots = ", …" if len(rest) > _MOST_NAMED and self.unicode else ""
            yield Text()
            head = Text(f"  and {len(rest):,} more ", "bold")
            head.append(f"{result.severity.value.upper()}", _SEVERITY_STYLE[result.severity])
            head.append(f"  {result.kind.value} like these of {team or 'nobody'} {_ALL}")
            yield head
            yield Padding(Text(f"{some}{dots}", "dim"), (0, 0, 0, 4))

    def _finding(self, finding: Finding, report: ExposureReport) -> Iterable[object]:
        result = finding.result
        head = Text("  ")
        head.append(f"{result.severity.value.upper()}", _SEVERITY_STYLE[result.severity])
        head.append(f"  {result.kind.value}  ", "dim")
        head.append(_subject(result), "bold")
        yield head
        rows = Table.grid(padding=(0, 1))
        rows.add_column(width=_LABELS, style="dim")
        rows.add_column(overflow="fold")
        for label, value in self._details(finding, report):
            rows.add_row(label, value)
        yield Padding(rows, (0, 0, 0, 4))

    def _details(self, finding: Finding, report: ExposureReport) -> Iterable[tuple[str, Text]]:
        result, amount = finding.result, finding.result.amount
        yield "what", Text(_clean(result.summary))
        yield "owner", self._owner(finding)
        if amount is not None:
            expected = words.expected(amount)
            if expected:
                yield "expected", Text(expected)
            seen = Text(words.quantity(amount.observed, amount.unit))
            if amount.z is not None:
                far = signed(amount.z)
                seen.append(f"  (z {far if self.unicode else in_ascii(far)})", "dim")
            yield "seen", seen
        if result.since is not None:
            since = Text(words.minute(result.since))
            since.append(f"  ({words.ago(result.since, report.at)})", "dim")
            yield "since", since
        if result.spark is not None and result.spark.values:
            yield "recent", self._spark(result)
        for fact in result.facts:
            label, text = _clean(fact.label, 40), _clean(fact.text)
            # A long label would push every value of the finding to the right.
            yield (label, Text(text)) if len(label) <= _LABELS else ("", Text(f"{label}: {text}"))
        if finding.nearest:
            names = ", ".join(_clean(n, _LONGEST_NAME) for n in finding.nearest)
            yield "nearest", Text(names)
        if finding.contract is not None:
            place = below(self.page.contracts_root, str(finding.contract.location))
            yield "contract", Text(_clean(place))
            if finding.contract.runbook_url:
                yield "runbook", Text(_clean(finding.contract.runbook_url))
        if result.check:
            yield "check", Text(_clean(below(self.page.folder, result.check)))

    def _owner(self, finding: Finding) -> Text:
        route = finding.route
        line = Text(_clean(route.team, _LONGEST_NAME) or "nobody")
        line.append(
            f" {_clean(route.channel, _LONGEST_NAME)}" if route.channel else " (no channel)"
        )
        if route.is_fallback and route.reason:
            line.append(f"  ({_clean(route.reason)})", "dim")
        return line

    def _spark(self, result: Result) -> Text:
        spark = result.spark
        assert spark is not None
        line = Text(sparkline(spark.values, 32, unicode=self.unicode))
        span = spark.step * len(spark.values)
        line.append(f"  {format_duration(span)} from {words.instant(spark.start_at)}", "dim")
        return line

    def _quiet(self, findings: Sequence[Finding]) -> Table:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(no_wrap=True, style="dim")
        rows.add_column(overflow="fold", style="dim")
        for finding in findings:
            result = finding.result
            text = f"{result.kind.value}  {_subject(result)}: {_clean(result.summary)}"
            team = _clean(finding.route.team, _LONGEST_NAME) or "nobody"
            reason = f"; {_clean(finding.reason)}" if finding.reason else ""
            text += f" (owner {team}{reason})"
            rows.add_row(finding.disposition.value, Text(text))
        return rows

    def _errors(self, errors: Sequence[Result]) -> Table:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(no_wrap=True, style="magenta")
        rows.add_column(overflow="fold")
        for result in errors:
            text = f"{result.kind.value}  {_subject(result)}: {_clean(result.summary)}"
            rows.add_row("not judged", Text(text))
        return rows

    # -- messages and the end --------------------------------------------------------------------

    def messages(self, report: Report) -> Iterable[object]:
        if not report.messages:
            yield Text("No messages: nobody has to be told anything new.", "dim")
            yield Text()
            return
        what = "put into the outbox" if report.recorded else "that would be sent"
        head = Text(f"{counted(len(report.messages), 'message')} {what}", "bold")
        if not report.recorded:
            head.append("  (ids are given on sending)", "dim")
        yield head
        for message in report.messages:
            yield Text()
            yield from self._message(message)
        yield Text()

    def _message(self, delivery: Delivery) -> Iterable[object]:
        head = Text("  to ")
        head.append(_clean(delivery.channel, _LONGEST_NAME) or "standard output", "bold")
        head.append(
            f"  (team {_clean(delivery.team, _LONGEST_NAME)})" if delivery.team else "", "dim"
        )
        if delivery.state.value == "withheld":
            head.append(f"  withheld: {_clean(delivery.last_error)}", "dim")
        yield head
        # Plain texts are escaped where they are made; what controls a terminal is looked for again,
        # since this is the last gate.
        lines = [terminal(line) for line in delivery.message.plain.splitlines()]
        bar = "│ " if self.unicode else "| "
        yield from (_Barred(f"  {bar}", line) for line in lines)

    def outcomes(self, report: Report) -> Iterable[object]:
        if not report.outcomes:
            return
        # A message may be tried more than once; how it ended is its last attempt.
        last = {delivery.key: (delivery, outcome) for delivery, outcome in report.outcomes}
        sent = sum(o.verdict.value == "sent" for _, o in last.values())
        yield Text(f"{counted(sent, 'message')} sent.")
        for delivery, outcome in last.values():
            if outcome.verdict.value != "sent":
                text = f"  {outcome.verdict.value}  {_clean(delivery.channel, _LONGEST_NAME)}"
                yield Text(f"{text}: {_clean(outcome.reason)}", "magenta")
        if sent < len(last):
            yield Text("  `eventwatch doctor` says what to do about it.")
        yield Text()

    def last_line(self, report: Report) -> Text:
        code = report.exit_code(self.page.fail_on)
        style = {0: "green", 1: "bold red"}.get(code, "magenta")
        line = Text(f"exit code {code}: {MEANINGS[code]}", style)
        limit = self.page.fail_on
        worst = report.worst()
        if code != 1 and worst is not None:
            name = "never" if limit is None else limit.value
            line.append(f" (the worst is {worst.value}, --fail-on is {name})", "dim")
        elif code == 1 and report.incomplete():
            line.append(", and something could not be measured or delivered", "magenta")
        return line


@dataclass(frozen=True)
class _Barred:
    """A line with a bar before each line that it is wrapped into."""

    bar: str
    line: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(20, options.max_width - len(self.bar))
        for part in Text(self.line or " ").wrap(console, width):
            yield Text.assemble((self.bar, "dim"), part)


def _subject(result: Result) -> str:
    name = "the exposure" if result.event_type is None else _clean(result.event_type, _LONGEST_NAME)
    if result.event_type == "":
        name = "(empty event type)"
    if result.cut is None:
        return name
    dimension, value = _clean(result.cut.dimension, 60), _clean(result.cut.value, _LONGEST_NAME)
    return f"{name} [{dimension}={value}]"


def _until(learning: Sequence[Result]) -> str:
    dates = [r.learning_until for r in learning if r.learning_until is not None]
    if not dates:
        return ""
    first, last = min(dates), max(dates)
    if first.date() == last.date():
        return f" until {first:%Y-%m-%d}"
    return f" until {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _indented(renderable: Text | Table) -> Padding:
    return Padding(renderable, (0, 0, 0, 2))
