"""A backtest for people: the weeks of each team, then every incident, then what changed.

Everything foreign goes through ``terminal`` and into Text objects, never into markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.backtest.compare import Comparison, Effect, Pair, Side
from eventwatch.backtest.incident import Ending, Incident
from eventwatch.backtest.report import Backtest, ExposureBacktest, Limits, TeamWeeks
from eventwatch.cli import words
from eventwatch.cli.codes import MEANINGS
from eventwatch.cli.console import as_text, in_ascii, show, speaks_unicode
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.model.figures import signed
from eventwatch.model.status import Severity

_STYLE = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MOST_WEEKS = 10
"""Columns of the table of weeks; of longer spans the loudest weeks are shown."""


def print_table(made: Backtest, limits: Limits) -> None:
    """To standard output, as wide and as colourful as that allows."""
    show(for_people(made, limits, unicode=speaks_unicode(sys.stdout)))


def table_text(made: Backtest, limits: Limits, width: int) -> str:
    """As plain text."""
    return as_text(for_people(made, limits), width)


def for_people(made: Backtest, limits: Limits, *, unicode: bool = True) -> Group:
    """The whole answer."""
    view = _View(made, unicode)
    parts: list[object] = [view.head(), Text()]
    for exposure in made.exposures:
        parts.extend(view.exposure(exposure))
    parts.extend(view.weeks())
    parts.extend(view.errors())
    parts.append(view.last_line(limits))
    return Group(*parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _View:
    made: Backtest
    unicode: bool

    @property
    def _dot(self) -> str:
        return " · " if self.unicode else " - "

    def head(self) -> Text:
        span = self.made.span
        line = Text()
        line.append(f"{words.minute(span.first_at)} to {words.minute(span.last_at)}", "bold")
        line.append(f"{self._dot}{counted(span.cycle_count, 'cycle')}, one every ")
        line.append(format_duration(span.step))
        if self.made.against:
            line.append(f"{self._dot}checks of the config, against {clean(self.made.against)}")
        return line

    # -- one exposure ----------------------------------------------------------------------------

    def exposure(self, found: ExposureBacktest) -> Iterable[object]:
        yield Text(clean(found.name), "bold")
        if found.now is None:
            why = found.error.removeprefix(f"{found.name}: ")
            yield _indented(Text(f"not measured: {clean(why)}", "magenta"))
            yield Text()
            return
        if found.comparison is not None:
            yield from self._comparison(found.comparison)
        else:
            told = [i for i in found.now.incidents if i.counts]
            yield from self._by_team(told)
        standing = [i for i in found.now.incidents if i.at_start]
        muted = [i for i in found.now.incidents if i.muted and not i.at_start]
        if standing:
            yield from self._quiet("from the first cycle on, counted in no week", standing)
        if muted:
            yield from self._quiet("muted, nobody was told", muted)
        if found.now.untold:
            text = f"{counted(found.now.untold, 'failure')} passed before anybody was told"
            yield _indented(Text(text, "dim"))
        for note in found.notes:
            yield _indented(Text(f"note: {clean(note)}", "dim"))
        yield Text()

    def _by_team(self, incidents: Sequence[Incident]) -> Iterable[object]:
        if not incidents:
            yield _indented(Text("nothing would have been told", "green"))
            return
        for team in sorted({i.team for i in incidents}):
            those = [i for i in incidents if i.team == team]
            head = Text(clean(team) or "no team", "bold")
            head.append(f" {clean(those[0].channel)}" if those[0].channel else "", "dim")
            yield _indented(head)
            yield _indented(self._incidents(those), 4)

    def _incidents(self, incidents: Sequence[Incident], marks: Sequence[Text] = ()) -> Table:
        rows = Table.grid(padding=(0, 1))
        if marks:
            rows.add_column(no_wrap=True)
        rows.add_column(no_wrap=True, style="dim")
        rows.add_column(no_wrap=True, justify="right", style="dim")
        rows.add_column(overflow="fold")
        for place, incident in enumerate(incidents):
            mark = [marks[place]] if marks else []
            rows.add_row(*mark, *self._row(incident))
        return rows

    def _row(self, incident: Incident) -> tuple[Text, Text, Text]:
        when = Text(f"{incident.told_at:%Y-%m-%d %H:%M}")
        span = incident.lasted(self.made.span.last_at)
        # What began with the last cycle has lasted nobody knows how long.
        lasted = Text(format_duration(span) if span else ("–" if self.unicode else "-"))
        severity = incident.worst.severity
        what = Text(f"{severity.value.upper()} ", _STYLE[severity])
        what.append(f"{incident.opened.kind.value}/{incident.opened.aspect} ", "dim")
        what.append(subject(incident), "bold")
        what.append(f": {clean(incident.opened.summary)}")
        worst = worst_of(incident) if self.unicode else in_ascii(worst_of(incident))
        what.append(f" ({worst})" if worst else "", "dim")
        if incident.part_of:
            what.append(f"{self._dot}part of {clean(incident.part_of)}", "dim")
        what.append(f"{self._dot}{clean(ended(incident))}", "dim")
        if self.made.against:
            # Two sets of checks are not listed by team.
            what.append(f"{self._dot}told {clean(incident.team) or 'no team'}", "dim")
        return when, lasted, what

    def _quiet(self, why: str, incidents: Sequence[Incident]) -> Iterable[object]:
        yield _indented(Text(f"{counted(len(incidents), 'incident')} {why}", "dim"))
        rows = Table.grid(padding=(0, 1))
        rows.add_column(no_wrap=True, style="dim")
        rows.add_column(overflow="fold", style="dim")
        for incident in incidents:
            text = f"{incident.opened.kind.value}/{incident.opened.aspect} {subject(incident)}: "
            text += f"{clean(incident.opened.summary)}{self._dot}{clean(ended(incident))}"
            rows.add_row(clean(incident.team) or "no team", Text(text))
        yield _indented(rows, 4)

    # -- two sets of checks ----------------------------------------------------------------------

    def _comparison(self, found: Comparison) -> Iterable[object]:
        line = Text(f"with {clean(self.made.against)}: ")
        line.append(f"{found.count(Side.ADDED)} added", "red")
        line.append(f"{self._dot}{found.count(Side.REMOVED)} removed", "green")
        line.append(f"{self._dot}{found.count(Side.MOVED)} told at another time", "yellow")
        line.append(f"{self._dot}{found.count(Side.SAME)} alike", "dim")
        yield _indented(line)
        for effect in found.effects:
            yield _indented(self._effect(effect), 4)
        changed = [p for p in found.pairs if p.side is not Side.SAME and p.either.counts]
        if changed:
            yield Text()
            table = self._incidents([p.either for p in changed], [self._mark(p) for p in changed])
            yield _indented(table, 4)

    def _effect(self, effect: Effect) -> Text:
        line = Text(f"{effect.kind.value}  ", "dim")
        line.append(clean(effect.change) or "the same settings: follows from another change")
        line.append(": ")
        parts = [
            f"{count} {word}"
            for count, word in (
                (effect.added, "added"),
                (effect.removed, "removed"),
                (effect.earlier, "told earlier"),
                (effect.later, "told later or over at another time"),
            )
            if count
        ]
        line.append(", ".join(parts))
        return line

    def _mark(self, pair: Pair) -> Text:
        """What becomes of it under the other checks."""
        if pair.side is Side.ADDED:
            return Text("added", "red")
        if pair.side is Side.REMOVED:
            return Text("removed", "green")
        if pair.later_by:
            word = "later" if pair.later_by > timedelta(0) else "earlier"
            return Text(f"{format_duration(abs(pair.later_by))} {word}", "yellow")
        return Text("ends at another time", "yellow")

    # -- the end ---------------------------------------------------------------------------------

    def weeks(self) -> Iterable[object]:
        rows = self.made.teams()
        others = {row.team: row for row in self.made.teams(other=True)}
        if not rows and not others:
            return
        shown = _loudest(rows if not others else [*rows, *others.values()], self.made.mondays)
        table = Table(
            box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold"
        )
        table.add_column("week of", overflow="fold", min_width=14)
        for place in shown:
            table.add_column(f"{self.made.mondays[place]:%m-%d}", justify="right")
        table.add_column("all", justify="right")
        table.add_column("a week", justify="right")
        table.add_column("budget", justify="right", style="dim")
        table.add_column("messages", justify="right", style="dim")
        known = {row.team: row for row in rows}
        for team in [*known, *(t for t in others if t not in known)]:
            table.add_row(*self._week_row(known.get(team), others.get(team), shown))
        yield _indented(table)
        if len(shown) < len(self.made.mondays):
            text = f"the {len(shown)} loudest weeks of {len(self.made.mondays)}"
            yield _indented(Text(text, "dim"))
        text = "budget: false alerts a week that the volume check is set to"
        if self.made.against:
            text += (
                f", under {clean(self.made.against)}; a→b: from the checks of the config to those"
            )
        yield _indented(Text(text, "dim"))
        yield Text()

    def _week_row(
        self, now: TeamWeeks | None, other: TeamWeeks | None, shown: Sequence[int]
    ) -> Iterable[Text]:
        either = now if now is not None else other
        assert either is not None
        yield Text(clean(either.team) or "no team")
        count = len(self.made.mondays)
        pairs = [
            (_at(now, i, "incident_count"), _at(other, i, "incident_count")) for i in range(count)
        ]
        for place in shown:
            yield self._number(*pairs[place], either.budget)
        total = tuple(sum(values) for values in zip(*pairs, strict=True))
        yield self._number(total[0], total[1], float("inf"))
        weekly = [f"{self.made.a_week(value):.1f}" for value in total]
        yield Text(self._arrow(*weekly) if self.made.against else weekly[0])
        yield Text(f"{either.budget:g}")
        messages = [0 if row is None else row.message_count for row in (now, other)]
        yield Text(self._arrow(*map(str, messages)) if self.made.against else str(messages[0]))

    def _number(self, now: int, other: int, budget: float) -> Text:
        if not self.made.against:
            style = "bold red" if now > budget else ""
            return Text(str(now) if now else ("·" if self.unicode else "."), style)
        if not now and not other:
            return Text("·" if self.unicode else ".")
        style = "" if now == other else "green" if other < now else "red"
        return Text(str(now) if now == other else self._arrow(str(now), str(other)), style)

    def _arrow(self, a: str, b: str) -> str:
        return a if a == b else f"{a}→{b}" if self.unicode else f"{a}->{b}"

    def errors(self) -> Iterable[object]:
        for result in self.made.errors():
            text = f"not judged: {result.kind.value} {clean(result.summary)}"
            yield _indented(Text(text, "magenta"))

    def last_line(self, limits: Limits) -> Text:
        made = self.made
        told = [i for i in made.incidents(other=bool(made.against)) if i.counts]
        code = made.exit_code(limits)
        line = Text(f"{counted(len(told), 'incident')} in all", "bold")
        if made.against:
            line.append(f" with {clean(made.against)}")
        line.append(f", {made.a_week(len(told)):.1f} a week. ")
        for sentence in made.over(limits):
            line.append(f"\n{clean(sentence)}", "bold red")
        style = {0: "green", 1: "bold red"}.get(code, "magenta")
        meant = "a limit was passed" if code == 1 else MEANINGS[code]
        line.append(f"\nexit code {code}: {meant}" if code else f"\nexit code {code}", style)
        return line


def subject(incident: Incident) -> str:
    """What an incident is about, harmless on a terminal."""
    result = incident.opened
    name = "the exposure" if result.event_type is None else clean(result.event_type, 200)
    if result.event_type == "":
        name = "(empty event type)"
    if result.cut is None:
        return name
    return f"{name} [{clean(result.cut.dimension, 60)}={clean(result.cut.value, 200)}]"


def worst_of(incident: Incident) -> str:
    """The worst value, where it says more than the sentence does."""
    amount = incident.worst.amount
    if amount is None:
        return ""
    if amount.z is not None:
        return f"z {signed(amount.z)} at worst"
    if incident.worst == incident.opened:
        return ""
    return f"{words.quantity(amount.observed, amount.unit)} at worst"


def ended(incident: Incident) -> str:
    """How it ended, in a few words."""
    if incident.ending is Ending.OPEN:
        return "still open at the end"
    if incident.muted:
        return f"{incident.reason}, {incident.muted}"
    return incident.reason if incident.reason else incident.ending.value


def clean(text: str, longest: int = 1000) -> str:
    """Foreign text for a terminal."""
    return terminal(truncate(text, longest))


def _loudest(rows: Sequence[TeamWeeks], mondays: Sequence[object]) -> list[int]:
    """Places of the weeks that have a column, in the order of time."""
    places = list(range(len(mondays)))
    if len(places) <= _MOST_WEEKS:
        return places
    loudness = {i: sum(_at(row, i, "incident_count") for row in rows) for i in places}
    return sorted(sorted(places, key=lambda i: (-loudness[i], -i))[:_MOST_WEEKS])


def _at(row: TeamWeeks | None, place: int, name: str) -> int:
    week = None if row is None else row.weeks[place]
    return 0 if week is None else int(getattr(week, name))


def _indented(renderable: Text | Table, by: int = 2) -> Padding:
    return Padding(renderable, (0, 0, 0, by))
