"""Why an alert is open: what bigger or other trouble it is a part of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eventwatch.model.result import Cut


class CauseKind(StrEnum):
    """What explains an alert, the widest first: an alert belongs to the first that fits."""

    SOURCE = "source"
    """Where exposures are read cannot be read, or our own judging failed: the operators'."""
    EXPOSURE = "exposure"
    """The table is late or stopped: every silence and drop under it."""
    CUT = "cut"
    """One value of a watched dimension, across event types."""
    RENAME = "rename"
    """A declared type fell as an undeclared one of a similar name rose."""
    EVENT_TYPE = "event_type"
    ALONE = "alone"
    """Nothing but itself, e.g. impossible times of a whole exposure."""


@dataclass(frozen=True)
class Cause:
    """Why an alert is open, as far as can be told."""

    kind: CauseKind
    key: str
    """Hex; the same cause has the same key in every cycle (and, for SOURCE, in every exposure)."""
    exposure: str
    """Empty for a SOURCE that several exposures share."""
    subject: str
    """What it is about, unescaped: the source's label, the exposure, ``android``, an event type."""
    cut: Cut | None = None
    """For CUT."""
    event_type: str | None = None
    """For RENAME the declared one, for EVENT_TYPE the type."""
    other: str | None = None
    """For RENAME: the undeclared name."""
    detail: str = ""
    """One sentence for people, unescaped: "41 event types fell, other platforms are as usual"."""
    team: str = ""
    """Key of the team that the config names for it; empty: whoever owns what moved."""
    ended_at: datetime | None = None
    """When its own trouble was over, while what it explained may still have to settle."""
    affected: tuple[str, ...] = ()
    """For CUT: event types that it moved, whether or not anything is told of them; sorted. Only the
    first of the alerts that speak for the cause carries them."""
