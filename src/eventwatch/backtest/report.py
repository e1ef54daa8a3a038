"""What a backtest found, for every output form. The exit code is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from eventwatch.backtest.compare import Comparison, Side
from eventwatch.backtest.incident import Incident, Replay, Week, by_week, weeks_in, weeks_of
from eventwatch.backtest.picture import Picture
from eventwatch.backtest.span import Span
from eventwatch.model.counting import counted
from eventwatch.model.result import Result


@dataclass(frozen=True)
class ExposureBacktest:
    """One exposure over the span."""

    name: str
    now: Replay | None = None
    """Under the checks of the config; None: it could not be measured."""
    other: Replay | None = None
    """Under the other checks, where there are some."""
    comparison: Comparison | None = None
    error: str = ""
    """Why it could not be measured; empty: it was."""
    rows_read: int = 0
    loaded: tuple[datetime, datetime] | None = None
    """First and last load that was read."""
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    """By incident id."""
    zone: str = "UTC"
    """IANA name of the zone whose hours a chart shows."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """From when on the exit code is 1; None: never."""

    per_week: int | None = None
    """Incidents of one team in one week, under the checks that are tried."""
    added: int | None = None
    """Incidents that the other checks add in all."""
    removed: int | None = None


@dataclass(frozen=True)
class TeamWeeks:
    """One team's row of the table: incidents of each week of the span."""

    team: str
    weeks: tuple[Week | None, ...]
    budget: float
    """False alerts per week that the volume check may make, as configured."""

    @property
    def incident_count(self) -> int:
        """In all weeks."""
        return sum(w.incident_count for w in self.weeks if w is not None)

    @property
    def message_count(self) -> int:
        """In all weeks."""
        return sum(w.message_count for w in self.weeks if w is not None)


@dataclass(frozen=True)
class Backtest:
    """One replay of one or more exposures."""

    span: Span
    exposures: tuple[ExposureBacktest, ...]
    budgets: Mapping[str, float]
    """By team; empty string: any other."""
    against: str = ""
    """The folder of the other checks as the user named it; empty: none."""
    elapsed_seconds: float = 0.0

    @property
    def mondays(self) -> tuple[date, ...]:
        """Weeks of the span, by their first day."""
        return weeks_of(self.span)

    def incidents(self, *, other: bool = False) -> tuple[Incident, ...]:
        """Of all exposures, under one of the two sets of checks."""
        replays = [e.other if other else e.now for e in self.exposures]
        return tuple(i for replay in replays if replay is not None for i in replay.incidents)

    def teams(self, *, other: bool = False) -> tuple[TeamWeeks, ...]:
        """A row per team that was told something, the loudest first."""
        weeks = {(w.team, w.monday): w for w in by_week(self.incidents(other=other))}
        names = {team for team, _ in weeks}
        rows = [
            TeamWeeks(
                team,
                tuple(weeks.get((team, monday)) for monday in self.mondays),
                self.budgets.get(team, self.budgets.get("", 1.0)),
            )
            for team in names
        ]
        return tuple(sorted(rows, key=lambda row: (-row.incident_count, row.team)))

    def a_week(self, count: int) -> float:
        """A count over the span as one of a week."""
        return count / weeks_in(self.span)

    def errors(self) -> tuple[Result, ...]:
        """What could not be judged, under either set of checks."""
        found = {
            r.fingerprint: r
            for e in self.exposures
            for replay in (e.now, e.other)
            if replay is not None
            for r in replay.errors
        }
        return tuple(found.values())

    def count(self, side: Side) -> int:
        """Incidents that the other checks add, remove or move."""
        return sum(e.comparison.count(side) for e in self.exposures if e.comparison is not None)

    def over(self, limits: Limits) -> tuple[str, ...]:
        """A sentence for every limit that is passed."""
        said: list[str] = []
        if limits.per_week is not None:
            for row in self.teams(other=bool(self.against)):
                said.extend(_too_many(row, limits.per_week))
        for side, limit in ((Side.ADDED, limits.added), (Side.REMOVED, limits.removed)):
            if limit is not None and self.count(side) > limit:
                over = counted(self.count(side), "incident")
                said.append(f"{over} {side.value}, at most {limit} may be")
        return tuple(said)

    def exit_code(self, limits: Limits) -> int:
        """0, 1 where a limit is passed, 3 where something could not be measured or judged. 1 wins."""
        if self.over(limits):
            return 1
        return 3 if any(e.error for e in self.exposures) or self.errors() else 0


def _too_many(row: TeamWeeks, limit: int) -> Sequence[str]:
    return [
        f"{row.team or 'no team'}: {counted(week.incident_count, 'incident')} in the week of "
        f"{week.monday}, at most {limit} may be"
        for week in row.weeks
        if week is not None and week.incident_count > limit
    ]
