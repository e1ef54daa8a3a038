"""Asks every check kind about one exposure. The one broad ``except`` of the house stands here."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from eventwatch.kinds.definition import Check, rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.model.view import ExposureView

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restriction:
    """What a person wants to see; empty: everything. It restricts judging, never measuring."""

    kinds: tuple[KindName, ...] = ()
    event_types: tuple[str, ...] = ()
    """Globs."""
    teams: tuple[str, ...] = ()

    def wants_kind(self, kind: KindName) -> bool:
        """Whether results of this kind are wanted."""
        return not self.kinds or kind in self.kinds

    def wants_event_type(self, event_type: str | None) -> bool:
        """Whether results about this event type are wanted; the exposure itself is None."""
        if not self.event_types:
            return True
        return event_type is not None and any(
            fnmatchcase(event_type, glob) for glob in self.event_types
        )


def judge(
    view: ExposureView, checks: Sequence[Check], restriction: Restriction
) -> tuple[Result, ...]:
    """Results of every wanted kind. A kind that raises gives one ERROR and stops no other."""
    results: list[Result] = []
    for name, kind in KINDS.items():
        if not restriction.wants_kind(name):
            continue
        try:
            rules = rules_for(kind.defaults, checks, view.exposure.name, view.catalog)
            results.extend(_wanted(kind.judge(view, rules), restriction))
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.exception("%s could not judge %s", name, view.exposure.name)
            results.append(
                Result(
                    exposure=view.exposure.name,
                    kind=name,
                    aspect="judging",
                    status=Status.ERROR,
                    severity=Severity.WARNING,
                    summary=f"the {name} check itself failed: {type(error).__name__} in "
                    f"{frame.name}, line {frame.lineno}. This is a defect of eventwatch.",
                )
            )
    return tuple(results)


def _wanted(results: Iterable[Result], restriction: Restriction) -> Iterable[Result]:
    if not restriction.event_types:
        return results
    return (r for r in results if restriction.wants_event_type(r.event_type))


def lasted(failing: Collection[Result], earlier: Iterable[Collection[Result]]) -> dict[str, int]:
    """For each failing fingerprint, in how many of the earlier instants (newest first) it failed
    without a break."""
    runs = {r.fingerprint: 0 for r in failing}
    alive = set(runs)
    for results in earlier:
        failed = {r.fingerprint for r in results if r.status is Status.FAIL}
        alive &= failed
        for fingerprint in alive:
            runs[fingerprint] += 1
    return runs


def unreadable(exposure: str, reason: str) -> Result:
    """The one ERROR that says an exposure could not be measured."""
    return Result(
        exposure=exposure,
        kind=KindName.FRESHNESS,
        aspect="unreadable",
        status=Status.ERROR,
        severity=Severity.WARNING,
        summary=f"could not be measured: {reason}",
    )
