"""Everything that decided about one event type's counts at one instant, as frozen records.

``volume_explain`` makes them. Numbers are those the verdict was made with, never rounded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from eventwatch.model.result import Result
from eventwatch.model.status import Status
from eventwatch.model.trace import Trace


@dataclass(frozen=True)
class Window:
    """The buckets up to the newest, taken together."""

    start_at: datetime
    end_at: datetime
    length: timedelta
    observed: float
    expected: float
    """With what the others do."""
    others: float
    """By how much the others moved the expectation, relative to the event type's own past."""
    z: float
    """Signed, in units of the spread of the window."""
    calibrated: float
    """In units of what is rare for this event type. Its largest decides."""
    spoke: bool


@dataclass(frozen=True)
class Season:
    """What part of the average bucket is usual at this time."""

    factor: float
    """1 is the average bucket of the last seven days."""
    words: str


@dataclass(frozen=True)
class Common:
    """What all event types together do, and whether that changed the verdict."""

    movement: float
    """Of the newest bucket, relative: -0.2 is 20 % less than expected."""
    together: bool
    """Most of the table moves at once: told once, about the exposure."""
    shared: float
    """What the event type is expected to share of it in the window that spoke, relative."""
    spoke: bool
    """Whether the others moved what was expected by enough to matter."""
    own_z: float
    """Of the window that spoke, by its own past alone."""
    z: float
    """The same, held against the others."""


@dataclass(frozen=True)
class Completeness:
    """How much of the newest bucket can be there."""

    share: float
    """0 to 1, from how late rows usually come."""
    doubt: float
    """Standard deviation of ``share``, relative to it."""


@dataclass(frozen=True)
class Silence:
    """The fast test: whether the silence since the last row can be luck."""

    last_row_at: datetime
    quiet: timedelta
    expected: float
    """Rows that were counted on in such a time."""
    p_value: float
    limit: float
    """Under it the silence is told."""


@dataclass(frozen=True)
class Threshold:
    """What must be reached to be told, and where it comes from."""

    score: float
    """For a count of some rows."""
    silent_score: float
    """For a window without a row."""
    z: float | None
    """A plain |z| that is set instead of both; None: none is."""
    budget: float
    """False alerts allowed per team and week."""
    team: str
    team_size: int
    """Event types of the team, among which the budget is shared."""
    false_per_day: float
    """What is allowed to this event type, after the cap."""
    capped: bool
    """The budget would allow more than any event type may have."""
    source: str
    """Where it was set: a file and line of checks/ or of the contract; empty: built in."""


@dataclass(frozen=True)
class Explanation:
    """One event type at one instant."""

    event_type: str
    at: datetime
    """As of when counts are judged: now, or the last load where the table is late."""
    late: bool
    result: Result
    """What the volume check says, exactly as a run does."""
    promises: tuple[Result, ...]
    """What its contract promises outright: floor, ceiling."""
    exposure: tuple[Result, ...]
    """What the volume check says of the table as a whole."""
    by_day: bool
    judged_by: str
    """Why by the hour or by the day."""
    sentence: str
    """Observed against expected in units of its own spread."""
    why: str
    """What the status follows from."""
    trace: Trace | None = None
    """None: there is no whole bucket yet."""
    learned_days: float = 0.0
    observed: float | None = None
    """Of the window that spoke, or since the last row; None: nothing could be judged."""
    expected: float | None = None
    lower: float | None = None
    """The usual range with ``upper``."""
    upper: float | None = None
    z: float | None = None
    """Calibrated, of the window that spoke."""
    p_value: float | None = None
    nothing: float | None = None
    """Chance of no row in the window that spoke, by counting; only where none came."""
    score: float | None = None
    once_in: timedelta | None = None
    """How seldom this event type strays so far by itself, by its own record; None: more often than
    every five days. Ten years stand for all that is rarer."""
    spread: float | None = None
    """Relative variance beyond chance, with what is not known of season, level and completeness."""
    deviation: float | None = None
    """One standard deviation of the window, relative: 0.06 is ±6 %. With chance and calibration."""
    scale: float | None = None
    """By how much its |z| was divided, because it strays like that by itself."""
    windows: tuple[Window, ...] = ()
    season: Season | None = None
    level: float | None = None
    """Rows of an average bucket."""
    level_by: str = "hour"
    new_level: str = ""
    common: Common | None = None
    completeness: Completeness | None = None
    silence: Silence | None = None
    threshold: Threshold | None = None
    holiday: str = ""
    said: str = ""
    """What a person said of the newest bucket."""

    @property
    def status(self) -> Status:
        """PASS, FAIL, LEARNING or SKIPPED."""
        return self.result.status

    @property
    def spoke(self) -> Window | None:
        """The window that spoke; None: none did, or it was the silence since the last row."""
        return next((window for window in self.windows if window.spoke), None)
