"""All that the checks of one exposure may look at, and nothing else: judging is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from eventwatch.model.contract import Catalog
from eventwatch.model.holiday import Holiday
from eventwatch.model.label import Label
from eventwatch.model.measurement import Cells, Changed, SeriesKey
from eventwatch.model.settings import Exposure


@dataclass(frozen=True)
class Seen:
    """First and last arrival of a series, aware UTC."""

    first_at: datetime
    last_at: datetime


Ledger = Mapping[SeriesKey, Seen]
"""Every series (dimension ``""`` and watched ones) that ever arrived, as far as is remembered."""


@dataclass(frozen=True)
class ExposureView:
    """One exposure at one instant."""

    exposure: Exposure
    now: datetime
    """Aware UTC; every cell was loaded at or before it."""
    catalog: Catalog
    rows: Cells
    """Dimension ``""``, over the look-back; FINE in the last 48 hours, HOUR before."""
    cuts: Cells
    """Watched dimensions, HOUR; the last 35 days at most."""
    delays: Cells
    """``@delay``, at least the last 24 hours."""
    duplicates: Cells
    """``@dup``, at least the last 24 hours."""
    bad_times: Cells
    """``@time``, at least the last 24 hours."""
    ledger: Ledger
    measured_from: datetime
    """Loads are known from here on (start of the history or of the look-back)."""
    watching_since: datetime
    """When eventwatch first looked at this exposure (never later than ``now``)."""
    future_loaded: int = 0
    null_loaded: int = 0
    changed: tuple[Changed, ...] = ()
    """What the last recount found to have changed behind our back."""
    approximate: bool = False
    """True: an audit of the past without a load time."""
    not_measured: tuple[tuple[datetime, datetime], ...] = ()
    """Spans of loaded time that nobody could measure (for example a table that was unreadable and
    whose rows are gone)."""
    capped: tuple[str, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    """Of the exposure's places, from the look-back to the day after ``now``, by day."""
    labels: tuple[Label, ...] = ()
    """Of this exposure. Those given after ``now`` must be left out by whoever uses them."""
