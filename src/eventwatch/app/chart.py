"""The picture in an incident's thread: drawn from the stored measurements, so that it costs no query.

It is the best that can be had and never more: whatever goes wrong, there is no picture and the text has
long been sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from eventwatch.app.adapters import adapter
from eventwatch.app.house import House
from eventwatch.app.runs import holidays_of
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_explain import explain
from eventwatch.model.alert import Alert, Delivery
from eventwatch.model.status import KindName
from eventwatch.pipeline.measure import Job, remembered
from eventwatch.ports.store import StateReader

log = logging.getLogger(__name__)

Drawer = Callable[[Delivery], bytes | None]


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
    """PNG of the worst of the delivery's alerts; None where there is nothing to draw or it cannot be
    done. Never raises."""
    try:
        return _draw(house, opened, delivery)
    except Exception:
        log.warning("the chart of %s could not be drawn", delivery.key, exc_info=True)
        return None


def _draw(house: House, opened: StateReader, delivery: Delivery) -> bytes | None:
    alert = _worst(opened.alerts_of(delivery.alert_ids))
    exposure = None if alert is None else house.settings.exposure(alert.result.exposure)
    if alert is None or exposure is None or alert.result.event_type is None:
        return None
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
    told = explain(view, rules, alert.result.event_type)
    if told is None or told.trace is None:
        return None
    made: bytes = adapter("chart_png")(told.trace)
    return made


def _worst(alerts: Sequence[Alert]) -> Alert | None:
    """Counts before anything else, what speaks before what is explained, severe before mild."""
    about = [a for a in alerts if a.result.event_type is not None]
    return min(
        about,
        key=lambda a: (
            a.explained,
            a.result.kind is not KindName.VOLUME,
            -a.result.severity.rank,
            a.started_at,
            a.id,
        ),
        default=None,
    )
