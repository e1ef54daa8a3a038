"""Our own trouble: what could not be measured or judged, told to the operators as such.

An ERROR never touches the alert of the thing that could not be judged. It has alerts of its own,
under aspects that no data failure uses, so neither can be taken for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from eventwatch.model.result import Fact, Result
from eventwatch.model.status import KindName, Severity, Status

UNREADABLE = "unreadable"
"""The exposure, or its contracts, could not be read."""
JUDGING = "judging"
"""A check kind raised."""
NOT_JUDGED = "not_judged"
"""Some things of one kind could not be judged: all of them in one."""
ASPECTS = frozenset((UNREADABLE, JUDGING, NOT_JUDGED))
PERSISTS = timedelta(minutes=10)
"""How long trouble must last before anybody is told: a lock or a restart is over by then."""
_NAMED = 5


def is_trouble(result: Result) -> bool:
    """Whether a result is an ERROR that has an alert of its own."""
    return result.status is Status.ERROR and result.aspect in ASPECTS


def gather(results: Sequence[Result]) -> tuple[Result, ...]:
    """The results, and behind them one ERROR per kind for whatever that kind could not judge.

    The single ERRORs stay: they hold the alerts of their fingerprints as they are.
    """
    single: dict[tuple[str, KindName], list[Result]] = {}
    for result in results:
        if result.status is Status.ERROR and result.aspect not in ASPECTS:
            single.setdefault((result.exposure, result.kind), []).append(result)
    return (*results, *(_summed(group) for group in single.values()))


def _summed(group: Sequence[Result]) -> Result:
    first = group[0]
    names = sorted({r.event_type for r in group if r.event_type is not None})
    facts = tuple(Fact("affected", name) for name in names[:_NAMED])
    if len(names) > _NAMED:
        facts += (Fact("affected", f"and {len(names) - _NAMED:,} more"),)
    thing = "thing" if len(group) == 1 else "things"
    return Result(
        exposure=first.exposure,
        kind=first.kind,
        aspect=NOT_JUDGED,
        status=Status.ERROR,
        severity=Severity.WARNING,
        summary=f"{len(group):,} {thing} could not be judged: {first.summary}",
        facts=facts,
    )
