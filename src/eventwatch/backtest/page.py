"""A backtest as one self-contained HTML page: no script, nothing from the network, light and dark.

Everything foreign is escaped by the template engine, and made visible before that where it does not
print (control and bidi characters).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from eventwatch.alerting.escape import plain, truncate
from eventwatch.backtest.chart import chart_of
from eventwatch.backtest.compare import Comparison, Pair, Side
from eventwatch.backtest.incident import Ending, Incident
from eventwatch.backtest.report import Backtest, ExposureBacktest, Limits, TeamWeeks
from eventwatch.backtest.svg import drawing
from eventwatch.model.durations import format_duration
from eventwatch.model.figures import signed
from eventwatch.model.trace import Trace

_LONGEST = 1000
MOST_CHARTS = 40
"""Incidents with a chart like that of an alert: some 30 kB and a fifth of a second each."""
MOST_DRAWINGS = 400
"""Incidents with any drawing; a plain one has some 3 kB."""


@dataclass(frozen=True)
class Charts:
    """Who draws the charts that alerts and explanations have too."""

    draw: Callable[[Trace], str]
    """An ``<svg>`` element that names no address."""
    dark_rules: str
    """Style rules for ``.chart`` on a dark page."""


@dataclass(frozen=True)
class _Drawn:
    """The drawings of a page, by incident id, and what is not drawn."""

    charts: dict[str, str]
    plain: dict[str, str]
    without: int


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
    """An ``<svg>`` of ours; empty: nothing to draw, or too many."""
    is_plain: bool
    """It is a drawing of the page's own."""


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


def page(made: Backtest, limits: Limits, charts: Charts | None = None) -> str:
    """The whole page. Without ``charts`` all drawings are plain ones."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = _shown
    source = files("eventwatch.backtest").joinpath("templates/page.html.j2").read_text("utf-8")
    drawn = _drawn(made, charts)
    told = [i for i in made.incidents(other=bool(made.against)) if i.counts]
    return environment.from_string(source).render(
        made=made,
        step=format_duration(made.span.step),
        sections=[_section(made, each, drawn) for each in made.exposures],
        dark_rules="" if charts is None else charts.dark_rules,
        charts=len(drawn.charts),
        plain=len(drawn.plain),
        without=drawn.without,
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


def _drawn(made: Backtest, charts: Charts | None) -> _Drawn:
    """Charts for those that matter most, plain drawings for the next; the rest has none."""
    wanted = sorted(
        ((found, pair.either) for found in made.exposures for pair in _pairs(found)),
        key=lambda one: (not one[1].counts, -one[1].worst.severity.rank),
    )
    drawn = _Drawn({}, {}, 0)
    last_at, without = made.span.last_at, 0
    for found, incident in wanted:
        picture = found.pictures.get(incident.id)
        if picture is None or incident.id in drawn.charts or incident.id in drawn.plain:
            continue
        if charts is not None and len(drawn.charts) < MOST_CHARTS:
            trace = chart_of(picture, incident, last_at, found.zone)
            drawn.charts[incident.id] = charts.draw(trace)
        elif len(drawn.charts) + len(drawn.plain) < MOST_DRAWINGS:
            drawn.plain[incident.id] = drawing(picture, incident, last_at)
        else:
            without += 1
    return replace(drawn, without=without)


def _section(made: Backtest, found: ExposureBacktest, drawn: _Drawn) -> Section:
    pairs = _pairs(found)
    cards: dict[str, list[Card]] = {}
    channels: dict[str, str] = {}
    standing = []
    for pair in pairs:
        incident = pair.either
        card = _card(made, drawn, pair)
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
        else tuple(
            (words, comparison.count(side))
            for side, words in (
                (Side.ADDED, "added"),
                (Side.REMOVED, "removed"),
                (Side.MOVED, "told at another time"),
                (Side.SAME, "alike"),
            )
        ),
    )


def _pairs(found: ExposureBacktest) -> Sequence[Pair]:
    """What is shown: where two sets are compared only what differs, else everything."""
    if found.comparison is not None:
        return [p for p in found.comparison.pairs if p.side is not Side.SAME]
    incidents = () if found.now is None else found.now.incidents
    return [Pair(Side.SAME, incident, None, "") for incident in incidents]


def _card(made: Backtest, drawn: _Drawn, pair: Pair) -> Card:
    incident = pair.either
    last_at = made.span.last_at
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
        when=f"{incident.told_at:%Y-%m-%d %H:%M} UTC",
        lasted=format_duration(lasted) if (lasted := incident.lasted(last_at)) else "",
        ended=_ended(incident),
        facts=(
            *((("part of", incident.part_of),) if incident.part_of else ()),
            *(() if amount is None or amount.z is None else (("z at worst", signed(amount.z)),)),
            *((fact.label, fact.text) for fact in incident.opened.facts),
        ),
        chart=drawn.charts.get(incident.id) or drawn.plain.get(incident.id, ""),
        is_plain=incident.id in drawn.plain,
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
