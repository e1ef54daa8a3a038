"""Whether new values of a dimension are news: not where they come all the time, as app versions do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache

from eventwatch.model.measurement import NULL_VALUE, OTHER
from eventwatch.model.view import ExposureView, Seen

WEEKS = timedelta(days=35)
"""How far back values that were gained are counted."""
USUAL = 2
"""So many values gained in that time make another one usual."""
FROM_THE_START = timedelta(hours=24)
_VERSION = re.compile(r"v?\d+(\.\d+)+.*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Novelty:
    """One watched dimension over all event types."""

    dimension: str
    values: tuple[tuple[str, Seen], ...]
    """Every value that ever came, sorted."""
    began_at: datetime
    """The first row of any value, as far as is known."""
    is_usual: bool
    """New values are no news, and old ones may go."""
    reason: str
    """Why they are, for people."""


def novelty_of(view: ExposureView, dimension: str) -> Novelty:
    """What is known of the values of one dimension."""
    about = ("novelty", view.now, view.capped)
    # Several checks of one cycle ask, of each dimension; a ledger holds thousands of series.
    ledger, found = view.cuts.memo.get(about, (None, {}))
    if ledger is not view.ledger or dimension not in found:
        names = {dimension, *(d.name for d in view.exposure.dimensions)}
        found = {name: _novelty_of(view, name, seen) for name, seen in _seen(view, names).items()}
        view.cuts.memo[about] = view.ledger, found
    novelty: Novelty = found[dimension]
    return novelty


def _seen(view: ExposureView, dimensions: Iterable[str]) -> dict[str, dict[str, Seen]]:
    """First and last row of each value, by dimension."""
    spans: dict[str, dict[str, tuple[datetime, datetime]]] = {d: {} for d in dimensions}
    now = view.now
    for key, times in view.ledger.items():
        of_dimension = spans.get(key.dimension)
        if of_dimension is None or times.first_at > now:
            continue
        known = of_dimension.get(key.value)
        if known is None:
            of_dimension[key.value] = times.first_at, times.last_at
        elif times.first_at < known[0] or times.last_at > known[1]:
            first, last = known
            of_dimension[key.value] = min(first, times.first_at), max(last, times.last_at)
    return {
        name: {value: Seen(*span) for value, span in values.items()}
        for name, values in spans.items()
    }


def _novelty_of(view: ExposureView, dimension: str, seen: dict[str, Seen]) -> Novelty:
    began_at = min((s.first_at for s in seen.values()), default=view.now)
    # The value under judgement must not make itself usual: the last day does not count.
    start, end = view.now - WEEKS, view.now - timedelta(hours=24)
    gained = sum(
        max(began_at + FROM_THE_START, start) < s.first_at <= end
        for v, s in seen.items()
        if v not in (OTHER, NULL_VALUE)
    )
    real = [v for v in seen if v not in (OTHER, NULL_VALUE)]
    versions = sum(_VERSION.fullmatch(v[:200]) is not None for v in real)
    reason = ""
    if dimension in view.capped:
        reason = "it has more values than are followed, so a new one is no news"
    elif versions * 2 > len(real):
        reason = "its values are versions, so new ones are no news"
    elif gained >= USUAL:
        reason = f"it gained {gained} values in the last 5 weeks, so another one is no news"
    return Novelty(
        dimension, tuple(sorted(seen.items())), began_at, bool(reason), f"{dimension}: {reason}"
    )


@lru_cache(maxsize=1024)
def watched_by(globs: tuple[str, ...], dimension: str) -> bool:
    """Whether a definition's ``dimensions`` name it."""
    return any(fnmatchcase(dimension, glob) for glob in globs)
