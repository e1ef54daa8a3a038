"""What an alert is called in words that a product engineer uses.

The sentence with the numbers is the check's own (``Result.summary``), except for counts, where the
day and the weekday are put in, since a message is read on another day too. Here stand the few words that
follow the name, and amounts, spans and instants as text. Unescaped: ``spans`` escapes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from math import isfinite

from eventwatch.alerting.trouble import JUDGING, NOT_JUDGED, UNREADABLE
from eventwatch.model.durations import format_duration
from eventwatch.model.result import Amount, Result, Spark
from eventwatch.model.status import KindName

_PHRASES = {
    (KindName.FRESHNESS, "silence"): ("is silent", "was silent"),
    (KindName.FRESHNESS, "staleness"): ("gets no new rows", "got no new rows"),
    (KindName.FRESHNESS, "lag"): ("arrives late", "arrived late"),
    (KindName.FRESHNESS, "times"): ("has impossible times", "had impossible times"),
    (KindName.FRESHNESS, "load_times"): ("has impossible load times", "had impossible load times"),
    (KindName.FRESHNESS, "changed"): ("changed in the past", "changed in the past"),
    (KindName.FRESHNESS, UNREADABLE): ("could not be measured", "could not be measured"),
    (KindName.DRIFT, "unseen"): ("is in no contract", "was in no contract"),
    (KindName.DRIFT, "missing"): ("never came", "did not come"),
    (KindName.DRIFT, "retired"): ("still comes, though retired", "still came, though retired"),
    (KindName.DRIFT, "draft"): ("began to come, still a draft", "came while still a draft"),
    (KindName.DRIFT, "misplaced"): ("is not declared for this table", "was not declared for it"),
    (KindName.DRIFT, "null_type"): ("has rows without a type", "had rows without a type"),
    (KindName.DRIFT, "empty_type"): ("has rows with an empty type", "had rows with an empty type"),
    (KindName.DRIFT, "value_missing"): ("is missing", "was missing"),
    (KindName.DRIFT, "value_stopped"): ("stopped coming", "did not come"),
    (KindName.DRIFT, "value_unexpected"): ("is not declared", "was not declared"),
    (KindName.DRIFT, "value_unknown"): ("is new", "was new"),
    (KindName.DRIFT, UNREADABLE): ("is judged by old contracts", "was judged by old contracts"),
    (KindName.VOLUME, "floor"): ("came less than promised", "came less than promised"),
    (KindName.VOLUME, "ceiling"): ("came more than promised", "came more than promised"),
}
"""Now and when it is over. An aspect that is not here is called by its kind."""
_KIND_PHRASES = {
    KindName.FRESHNESS: ("is late", "was late"),
    KindName.DRIFT: ("differs from its contract", "differed from its contract"),
    KindName.VOLUME: ("has an unusual volume", "had an unusual volume"),
    KindName.DUPLICATES: ("has repeated ids", "had repeated ids"),
}
_BARS = "▁▂▃▄▅▆▇█"
_COUNTS = frozenset(("bucket", "cut", "cut_all"))


def phrase(result: Result, *, over: bool = False) -> str:
    """What is wrong, to be read after the name: "is silent"; when it is over, "was silent"."""
    if result.aspect == JUDGING:
        return f"could not be judged: the {result.kind.value} check failed"
    if result.aspect == NOT_JUDGED:
        return f"could not be judged in full ({result.kind.value})"
    known = _PHRASES.get((result.kind, result.aspect))
    amount = result.amount
    if known is None and result.kind is KindName.VOLUME and amount is not None:
        low = amount.expected if amount.lower is None else amount.lower
        high = amount.expected if amount.upper is None else amount.upper
        if amount.observed == 0 and amount.unit == "events":
            return "stopped coming"
        if low is not None and amount.observed < low:
            return "came less than usual"
        if high is not None and amount.observed > high:
            return "came more than usual"
    return (_KIND_PHRASES[result.kind] if known is None else known)[over]


def subject(result: Result) -> str:
    """The name that the alert is about: the event type, else the exposure."""
    return result.exposure if result.event_type is None else result.event_type


def sentence(result: Result, now: datetime, zone: tzinfo) -> str:
    """What was seen and what was expected, with a capital and an end."""
    text = said(result, now, zone)
    return text[:1].upper() + ended(text[1:])


def said(result: Result, now: datetime, zone: tzinfo) -> str:
    """What was seen and what was expected, to be read after a colon. ``zone`` is the exposure's, whose
    weekdays its rhythm follows."""
    amount = _counted(result)
    if amount is None or amount.start_at is None or amount.end_at is None:
        return result.summary
    events = "event" if amount.observed == 1 else "events"
    size = change(result)
    # Of a value, what is usual is what is usual of so many rows.
    such = "" if result.cut is not None else _such(amount.start_at, amount.end_at, zone)
    return (
        f"{number(amount.observed, amount.unit)} {events} {judged_span(amount, now)}, "
        f"usually {_usual(amount)}{such}" + (f" ({size})" if size else "")
    )


def briefly(result: Result) -> str:
    """The same in a list, without the span: "1,240, usually 9,800 to 11,600"."""
    amount = _counted(result)
    if amount is None:
        return result.summary
    return f"{number(amount.observed, amount.unit)}, usually {_usual(amount)}"


def ended(text: str) -> str:
    """With an end, as a sentence."""
    return text + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _counted(result: Result) -> Amount | None:
    """The amount of a result that is about a count in a span; None: the check's own words are better."""
    amount = result.amount
    if (
        amount is None
        or result.aspect not in _COUNTS
        or amount.unit != "events"
        or amount.start_at is None
        or amount.end_at is None
        or amount.lower is None
        or amount.upper is None
        or not amount.observed > 0
    ):
        return None
    return amount


def change(result: Result) -> str:
    """By how much it strays from what was expected: ``−88 %``, ``+40 %``, ``3.1 times as many``; empty
    where that is not known or says nothing."""
    amount = result.amount
    if amount is None or amount.unit != "events" or not amount.expected or amount.expected < 0:
        return ""
    ratio = amount.observed / amount.expected
    if not isfinite(ratio) or amount.observed <= 0:
        return ""
    if ratio >= 3:
        return f"{ratio:,.1f} times as many" if ratio < 10 else f"{ratio:,.0f} times as many"
    percent = round((ratio - 1) * 100)
    return f"{'−' if percent < 0 else '+'}{abs(percent)} %" if percent else ""


def _usual(amount: Amount) -> str:
    """The usual range of a count, rounded to what is meant."""
    low, high = _meant(amount.lower or 0.0), _meant(amount.upper or 0.0)
    if low == high:
        return number(low, amount.unit)
    return f"{number(low, amount.unit)} to {number(high, amount.unit)}"


def _meant(count: float) -> float:
    """Three digits."""
    if not isfinite(count) or count < 1_000:
        return count
    scale = 10.0 ** (len(str(int(count))) - 3)
    return round(count / scale) * scale


def _such(start: datetime, end: datetime, zone: tzinfo) -> str:
    """``on a Sunday``, where one day in both zones holds the span; else nothing."""
    last = end - timedelta(microseconds=1)
    days = {at.astimezone(each).date() for at in (start, last) for each in (UTC, zone)}
    return f" on a {start.astimezone(UTC):%A}" if len(days) == 1 else ""


def number(value: float, unit: str) -> str:
    """A number of a unit: ``1,240``, ``3 h 10 min``, ``0.4 %``; "unknown" for what is none."""
    if not isfinite(value):
        return "unknown"
    if unit == "seconds":
        return format_duration(min(max(value, -1e10), 1e10))
    if unit == "share":
        percent = value * 100
        return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"
    if abs(value) >= 10 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}"


def per(step: timedelta) -> str:
    """``per hour``, ``per day``, ``per 5 min``."""
    named = {timedelta(hours=1): "hour", timedelta(days=1): "day"}
    return f"per {named.get(step) or format_duration(step)}"


def times(count: int) -> str:
    """``once``, ``3 times``."""
    return "once" if count == 1 else f"{count:,} times"


def spell(start: datetime, end: datetime) -> str:
    """How long something lasted; "0 s" where the clock stepped back."""
    return format_duration(max(end - start, timedelta(0)))


def expected(amount: Amount) -> str:
    """What was expected; empty where the check says nothing of it."""
    low, high = amount.lower, amount.upper
    if low is not None and high is not None:
        return f"{number(low, amount.unit)} to {number(high, amount.unit)}"
    if low is not None:
        return f"at least {number(low, amount.unit)}"
    if high is not None:
        return f"at most {number(high, amount.unit)}"
    return "" if amount.expected is None else f"about {number(amount.expected, amount.unit)}"


def judged_span(amount: Amount, now: datetime) -> str:
    """``between 13:00 and 14:00 UTC on Sun 17 May``; empty where no span was judged."""
    if amount.start_at is None or amount.end_at is None:
        return ""
    start, end = amount.start_at.astimezone(UTC), amount.end_at.astimezone(UTC)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if start == midnight and end - start == timedelta(days=1):
        return f"on {_day(start, now)} (UTC)"
    if start.date() == end.date() or end == midnight + timedelta(days=1):
        return f"between {start:%H:%M} and {end:%H:%M} UTC on {_day(start, now)}"
    return f"from {instant(start, now)} to {instant(end, now)}"


def instant(at: datetime, now: datetime) -> str:
    """``Sun 17 May 12:05 UTC``, with the year when it is not this one."""
    at = at.astimezone(UTC)
    return f"{_day(at, now)} {at:%H:%M} UTC"


def _day(at: datetime, now: datetime) -> str:
    year = "" if at.year == now.astimezone(UTC).year else f" {at.year}"
    return f"{at:%a} {at.day} {at:%b}{year}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, or empty for an instant that is not in the past."""
    return f"{format_duration(now - at)} ago" if now > at else ""


def sparkline(spark: Spark, width: int = 32) -> str:
    """The newest values as bars, ``·`` where nothing was measured; empty for none."""
    values = spark.values[-width:]
    measured = [v for v in values if isfinite(v)]
    if not measured:
        return ""
    top = max(measured)
    bars = []
    for value in values:
        if not isfinite(value):
            bars.append("·")
        elif value <= 0 or top <= 0:
            bars.append(_BARS[0])
        else:
            bars.append(_BARS[min(int(value / top * (len(_BARS) - 1) + 0.5), len(_BARS) - 1)])
    return "".join(bars)


def count(n: int, one: str, many: str) -> str:
    """``1 problem``, ``1,204 problems``."""
    return f"{n:,} {one if n == 1 else many}"
