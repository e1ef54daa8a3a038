"""The picture in an incident's thread: drawn from the stored measurements, so that it costs no query.

It is the best that can be had and never more: whatever goes wrong, there is no picture, and the text has
long been sent. What is about counts of an event type is drawn with its usual range; what is about one
value or a whole table, from the few numbers that the alert itself keeps.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from eventwatch.alerting import words
from eventwatch.app.adapters import adapter
from eventwatch.app.house import House
from eventwatch.app.runs import holidays_of
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_explain import explain
from eventwatch.model.alert import Alert, Delivery
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName
from eventwatch.model.trace import Stretch, Trace
from eventwatch.pipeline.measure import Job, remembered
from eventwatch.ports.store import StateReader

log = logging.getLogger(__name__)

Drawer = Callable[[Delivery], bytes | None]

_TRIED = 3
"""Alerts of one incident that are tried: a picture of what hardly matters is none."""
_THERE = frozenset(("unseen", "retired", "draft", "misplaced"))
"""What is wrong is that it comes at all: no count of it is usual."""
_COUNTED = {
    KindName.VOLUME: frozenset(
        ("bucket", "floor", "ceiling", "cut", "cut_floor", "cut_all", "common")
    ),
    KindName.FRESHNESS: frozenset(("silence", "staleness")),
    KindName.DRIFT: frozenset(
        ("unseen", "retired", "draft", "misplaced", "value_missing", "value_stopped")
    ),
    KindName.DUPLICATES: frozenset[str](),
}
"""What counts of rows show. How late rows come, or how many repeat, they do not."""


def drawer(house: House, opened: StateReader) -> Drawer | None:
    """Draws CHART rows; None where charts are switched off or nobody could be shown one."""
    slack = house.settings.notify.slack
    if slack is None or slack.token is None or not slack.charts:
        return None
    try:
        adapter("charts_ready")()
    except Exception:
        log.info("no charts in messages: install eventwatch[charts]")
        return None
    return lambda delivery: draw(house, opened, delivery)


def draw(house: House, opened: StateReader, delivery: Delivery) -> bytes | None:
    """PNG of the worst of the delivery's alerts that counts can show; None where there is none or it
    cannot be done. Never raises."""
    try:
        trace = trace_of(house, opened, opened.alerts_of(delivery.alert_ids))
        made: bytes | None = None if trace is None else adapter("chart_png")(trace)
    except Exception as error:
        _say(type(error).__name__)
        log.debug("the chart of %s could not be drawn", delivery.key, exc_info=True)
        return None
    return made


def trace_of(house: House, opened: StateReader, alerts: Sequence[Alert]) -> Trace | None:
    """What is drawn of some alerts of one incident; None: nothing. Raises EventwatchError and
    ValueError."""
    found = (_trace(house, opened, alert) for alert in _worst_first(alerts)[:_TRIED])
    return next((trace for trace in found if trace is not None), None)


@lru_cache(maxsize=64)
def _say(error: str) -> None:
    """Once per sort of error: every incident would say it again."""
    log.warning("a chart could not be drawn (%s); the log level debug says more", error)


def _worst_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Those that counts can show: what speaks before what is explained, severe before mild, one whose
    usual range is known before others."""
    found = [a for a in alerts if a.result.aspect in _COUNTED[a.result.kind]]
    return sorted(
        found,
        key=lambda a: (
            a.explained,
            -a.result.severity.rank,
            a.result.kind is not KindName.VOLUME,
            a.started_at,
            a.id,
        ),
    )


def _trace(house: House, opened: StateReader, alert: Alert) -> Trace | None:
    exposure = house.settings.exposure(alert.result.exposure)
    if exposure is None:
        return None
    found = None
    if alert.result.event_type is not None and alert.result.cut is None:
        found = _with_range(house, opened, exposure, alert.result.event_type)
    if found is None:
        found = _kept(alert.result, exposure)
    return None if found is None else _told(found, alert.result, exposure, house)


def _with_range(
    house: House, opened: StateReader, exposure: Exposure, event_type: str
) -> Trace | None:
    """As the volume check sees the event type; None where it knows nothing of it."""
    now = house.clock.now()
    job = Job(
        exposure=exposure,
        catalog=house.catalog,
        state=opened.exposure_state(exposure.name, now),
        now=now,
        as_of=False,
        duplicates_over=None,
        holidays=holidays_of(exposure, now),
    )
    view = remembered(job, adapter("history")(house.settings.history))
    if view is None:
        return None
    rules = rules_for(VolumeCheck(), tuple(house.loaded.checks), exposure.name, house.catalog)
    told = explain(view, rules, event_type)
    return None if told is None else told.trace


def _kept(result: Result, exposure: Exposure) -> Trace | None:
    """From what the alert keeps; None where that is nothing."""
    spark = result.spark
    if spark is None or not any(math.isfinite(value) for value in spark.values):
        return None
    expected = spark.expected if len(spark.expected) == len(spark.values) else ()
    return Trace(
        title=words.subject(result),
        sentence="",
        start_at=spark.start_at,
        step=spark.step,
        zone=exposure.time_zone.key,
        observed=tuple(v if math.isfinite(v) else None for v in spark.values),
        expected=tuple(v if math.isfinite(v) else None for v in expected),
    )


def _told(trace: Trace, result: Result, exposure: Exposure, house: House) -> Trace:
    """With the words of the message, and with what is bad marked since the alert says so."""
    title = words.subject(result)
    if result.cut is not None:
        title += f" on {result.cut.dimension.replace('_', ' ')} {result.cut.value}"
    bad = trace.bad
    if not bad and result.since is not None and result.since < trace.end_at:
        bad = (Stretch(max(result.since, trace.start_at), trace.end_at),)
    if result.kind is KindName.DRIFT and result.aspect in _THERE:
        trace = replace(trace, expected=(), lower=(), upper=())
    sentence = words.sentence(result, house.clock.now(), exposure.time_zone)
    return replace(trace, title=title, sentence=sentence, bad=bad)
