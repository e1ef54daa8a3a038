"""What a page draws of an incident, as the trace that every other chart is made of too.

The card beside it names the event type and says the sentence, so nothing foreign is in the drawing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from eventwatch.backtest.incident import Incident
from eventwatch.backtest.picture import Picture
from eventwatch.model.status import KindName
from eventwatch.model.trace import Mark, Stretch, Trace, Values

DAY = timedelta(days=1)


def chart_of(picture: Picture, incident: Incident, last_at: datetime, zone: str) -> Trace:
    """The counts around one incident. ``zone``: of the exposure; days are those of UTC."""
    size = len(picture.counts)
    end = picture.start_at + size * picture.step
    over = incident.ended_at or last_at
    began = max(incident.began_at, picture.start_at)
    marks = [Mark(incident.told_at, "told")]
    if incident.ended_at is not None and incident.ended_at - incident.told_at > end_room(picture):
        marks.append(Mark(incident.ended_at, "over"))
    return Trace(
        title=_title(picture, incident),
        sentence="",
        start_at=picture.start_at,
        step=picture.step,
        zone="UTC" if picture.step >= DAY else zone,
        observed=picture.counts,
        expected=_expected(picture),
        bad=(Stretch(began, min(over, end)),) if began < min(over, end) else (),
        marks=tuple(marks),
        open_until=last_at if end - picture.step < last_at < end else None,
    )


def end_room(picture: Picture) -> timedelta:
    """What two marks must be apart for their words not to run into each other."""
    return len(picture.counts) * picture.step / 8


def _title(picture: Picture, incident: Incident) -> str:
    what = "repeated rows" if incident.opened.kind is KindName.DUPLICATES else "rows"
    each = "day" if picture.step >= DAY else "hour"
    return f"{what} by the {each} they were {'loaded' if picture.by_load else 'made'}"


def _expected(picture: Picture) -> Values:
    known = dict(picture.expected)
    if not known:
        return ()
    starts = (picture.start_at + i * picture.step for i in range(len(picture.counts)))
    return tuple(known.get(at) for at in starts)
