"""The verdict of one check about one thing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from eventwatch.model.status import KindName, Severity, Status


@dataclass(frozen=True, order=True)
class Cut:
    """One value of one watched dimension."""

    dimension: str
    value: str


@dataclass(frozen=True)
class Spark:
    """A short series for a small picture; NaN where nothing was measured."""

    start_at: datetime
    step: timedelta
    values: tuple[float, ...]
    expected: tuple[float, ...] = ()
    """Same length as ``values`` or empty."""


@dataclass(frozen=True)
class Amount:
    """Observed against expected, in one unit."""

    unit: str
    """``events``, ``seconds``, ``share``, ``values``."""
    observed: float
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    start_at: datetime | None = None
    """The span that was judged, where it is one: [start_at, end_at)."""
    end_at: datetime | None = None
    z: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Fact:
    """One further thing worth telling: a label of a word or two and a short text, both unescaped."""

    label: str
    text: str


@dataclass(frozen=True)
class Basis:
    """What a result was judged with beside the rows, so that a later look can tell what changed since:
    the version of the program, and digests."""

    version: str
    contracts: str
    checks: str
    exposure: str
    """Its settings."""


NEW_LEVEL = "new level"
"""Label of the fact that a good result carries after what was wrong became the usual."""

LATE = "late, not lost"
"""Label of the fact that a good result carries after rows that were missing came after all. So begins
the end reason of its alert."""


@dataclass(frozen=True)
class Result:
    """What one check says of one thing. Texts are plain and unescaped: renderers escape."""

    exposure: str
    kind: KindName
    aspect: str
    """What the kind looked at, e.g. ``silence``, ``lag``, ``unseen``, ``bucket``. Part of the
    fingerprint, so never rename one."""
    status: Status
    event_type: str | None = None
    """None: the exposure as a whole (a null type is the aspect ``null_type``)."""
    cut: Cut | None = None
    severity: Severity = Severity.WARNING
    summary: str = ""
    """One sentence for people without the event type's name in front: "silent for 3 h, usually …"."""
    amount: Amount | None = None
    since: datetime | None = None
    """When the trouble began in the data (not when it was noticed)."""
    learning_until: datetime | None = None
    """With LEARNING: when there will be enough history."""
    facts: tuple[Fact, ...] = ()
    spark: Spark | None = None
    hold: timedelta = timedelta(0)
    """FAIL must last this long to fire, unless ``total``."""
    keep: timedelta = timedelta(0)
    """Good results must last this long before a firing alert is resolved."""
    total: bool = False
    """Total silence: fires at once."""
    check: str = ""
    """Where the definition stands, ``checks/growth.yaml:3``; empty: built-in default."""
    runs_to: str = ""
    """Team key to route to when it is not the event type's owner; empty: the owner."""
    basis: Basis | None = None
    """Of a FAIL that a cycle found; None: of none, or written before this was kept."""

    @cached_property
    def fingerprint(self) -> str:
        """Names the trouble across cycles: exposure + kind + aspect + event type + cut."""
        return _fingerprint(
            self.exposure,
            self.kind.value,
            self.aspect,
            "" if self.event_type is None else "=" + self.event_type,
            "" if self.cut is None else self.cut.dimension + "=" + self.cut.value,
        )


@lru_cache(maxsize=1 << 14)
def _fingerprint(*parts: str) -> str:
    """Kept, since every cycle says the same thousands of things of the same subjects."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
