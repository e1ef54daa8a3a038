"""Whether new values of a dimension are news: not where they come all the time, as app versions do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

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
    seen: dict[str, Seen] = {}
    for key, times in view.ledger.items():
        if key.dimension == dimension and times.first_at <= view.now:
            known = seen.get(key.value)
            seen[key.value] = (
                times
                if known is None
                else Seen(min(known.first_at, times.first_at), max(known.last_at, times.last_at))
            )
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


def watched_by(globs: Iterable[str], dimension: str) -> bool:
    """Whether a definition's ``dimensions`` name it."""
    return any(fnmatchcase(dimension, glob) for glob in globs)
