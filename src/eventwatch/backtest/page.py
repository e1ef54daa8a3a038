"""A backtest as one self-contained HTML page: no script, nothing from the network, light and dark.

Everything foreign is escaped by the template engine, and made visible before that where it does not
print (control and bidi characters).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from eventwatch.alerting.escape import plain, truncate
from eventwatch.backtest.compare import Comparison, Pair, Side
from eventwatch.backtest.incident import Ending, Incident
from eventwatch.backtest.report import Backtest, ExposureBacktest, Limits, TeamWeeks
from eventwatch.backtest.svg import drawing
from eventwatch.model.durations import format_duration, write_duration

_LONGEST = 1000


@dataclass(frozen=True)
class Card:
    """One incident as the page shows it; texts unescaped."""

    anchor: str
    mark: str
    """``added``, ``removed``, ``moved`` or empty."""
    note: str
    severity: str
    kind: str
    subject: str
    sentence: str
    worst: str
    when: str
    lasted: str
    ended: str
    facts: tuple[tuple[str, str], ...]
    chart: str
    """An ``<svg>`` of ours; empty: nothing to draw."""


@dataclass(frozen=True)
class Group:
    """Cards of one team."""

    team: str
    channel: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Section:
    """One exposure."""

    name: str
    error: str
    notes: tuple[str, ...]
    groups: tuple[Group, ...]
    standing: tuple[Card, ...]
    untold: int
    comparison: Comparison | None
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Row:
    """One team's weeks: (before, after, how much over the budget)."""

    team: str
    budget: float
    cells: tuple[tuple[int, int, str], ...]
    total: tuple[int, int]
    weekly: tuple[float, float]


def page(made: Backtest, limits: Limits) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = _shown
    source = files("eventwatch.backtest").joinpath("templates/page.html.j2").read_text("utf-8")
    told = [i for i in made.incidents(other=bool(made.against)) if i.counts]
    return environment.from_string(source).render(
        made=made,
        step=write_duration(made.span.step),
        sections=[_section(made, each) for each in made.exposures],
        rows=list(_rows(made)),
        told=len(told),
        weekly=made.a_week(len(told)),
        messages=len({i.message or i.id for i in told}),
        over=made.over(limits),
        errors=made.errors(),
        code=made.exit_code(limits),
    )


def _shown(text: str) -> str:
    return plain(truncate(str(text), _LONGEST))


def _section(made: Backtest, found: ExposureBacktest) -> Section:
    pairs = _pairs(found)
    cards: dict[str, list[Card]] = {}
    channels: dict[str, str] = {}
    standing = []
    for pair in pairs:
        incident = pair.either
        card = _card(made, found, pair)
        if incident.counts:
            cards.setdefault(incident.team, []).append(card)
            channels[incident.team] = incident.channel
        else:
            standing.append(card)
    comparison = found.comparison
    return Section(
        name=found.name,
        error=found.error,
        notes=found.notes,
        groups=tuple(Group(t, channels[t], tuple(those)) for t, those in sorted(cards.items())),
        standing=tuple(standing),
        untold=0 if found.now is None else found.now.untold,
        comparison=comparison,
        counts=()
        if comparison is None
        else tuple((side.value, comparison.count(side)) for side in Side),
    )


def _pairs(found: ExposureBacktest) -> Sequence[Pair]:
    """What is shown: where two sets are compared only what differs, else everything."""
    if found.comparison is not None:
        return [p for p in found.comparison.pairs if p.side is not Side.SAME]
    incidents = () if found.now is None else found.now.incidents
    return [Pair(Side.SAME, incident, None, "") for incident in incidents]


def _card(made: Backtest, found: ExposureBacktest, pair: Pair) -> Card:
    incident = pair.either
    last_at = made.span.last_at
    picture = found.pictures.get(incident.id)
    amount = incident.worst.amount
    return Card(
        anchor=f"i-{incident.id}",
        mark="" if pair.side is Side.SAME else pair.side.value,
        note=_note(pair),
        severity=incident.worst.severity.value,
        kind=f"{incident.opened.kind.value} / {incident.opened.aspect}",
        subject=_subject(incident),
        sentence=incident.opened.summary,
        worst="" if incident.worst == incident.opened else incident.worst.summary,
        when=f"{incident.told_at:%Y-%m-%d %H:%M}",
        lasted=format_duration(incident.lasted(last_at)),
        ended=_ended(incident),
        facts=(
            *(() if amount is None or amount.z is None else (("z at worst", f"{amount.z:+.1f}"),)),
            *((fact.label, fact.text) for fact in incident.opened.facts),
        ),
        chart="" if picture is None else drawing(picture, incident, last_at),
    )


def _note(pair: Pair) -> str:
    said = [pair.change] if pair.change else []
    if pair.side is Side.MOVED and pair.later_by:
        seconds = pair.later_by.total_seconds()
        word = "later" if seconds > 0 else "earlier"
        said.append(f"told {format_duration(abs(seconds))} {word}")
    return "; ".join(said)


def _subject(incident: Incident) -> str:
    result = incident.opened
    name = (
        "the exposure" if result.event_type is None else result.event_type or "(empty event type)"
    )
    return name if result.cut is None else f"{name} [{result.cut.dimension}={result.cut.value}]"


def _ended(incident: Incident) -> str:
    ended = "still open at the end" if incident.ending is Ending.OPEN else incident.reason
    if incident.at_start:
        ended = f"from the first cycle on; {ended}"
    return f"{ended}; {incident.muted}" if incident.muted else ended


def _rows(made: Backtest) -> Iterable[Row]:
    now = {row.team: row for row in made.teams()}
    other = {row.team: row for row in made.teams(other=True)}
    for team in [*now, *(t for t in other if t not in now)]:
        a, b = now.get(team), other.get(team)
        either = a if a is not None else b
        assert either is not None
        pairs = [(_count(a, i), _count(b, i)) for i in range(len(made.mondays))]
        judged = [pair[1] if made.against else pair[0] for pair in pairs]
        total = (sum(x for x, _ in pairs), sum(y for _, y in pairs))
        yield Row(
            team=team,
            budget=either.budget,
            cells=tuple(
                (*pair, _heat(count, either.budget))
                for pair, count in zip(pairs, judged, strict=True)
            ),
            total=total,
            weekly=(made.a_week(total[0]), made.a_week(total[1])),
        )


def _count(row: TeamWeeks | None, place: int) -> int:
    week = None if row is None else row.weeks[place]
    return 0 if week is None else week.incident_count


def _heat(count: int, budget: float) -> str:
    """Class of a cell: within the budget, over it, far over it."""
    if count == 0:
        return "none"
    return "within" if count <= budget else "over" if count <= 3 * budget else "far"
