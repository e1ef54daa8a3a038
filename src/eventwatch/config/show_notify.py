"""The settings about messages as plain values, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from eventwatch.config.fields_notify import WEEKDAYS
from eventwatch.model.durations import write_duration
from eventwatch.model.settings import (
    IncidentSettings,
    Maintenance,
    NotifySettings,
    SlackSettings,
)
from eventwatch.model.status import Severity

MASK = "********"
_FILTERS = ("event_type", "exposure", "kind", "team", "dimension", "value")


def notify_shown(notify: NotifySettings) -> dict[str, Any]:
    """What ``notify`` says of Slack, incidents, digests and other services."""
    webhook, apprise = notify.webhook, notify.apprise
    return {
        "slack": None if notify.slack is None else _slack(notify.slack),
        "incidents": _incidents(notify.incidents),
        "digest": {
            "at": f"{notify.digest.at:%H:%M}",
            "time_zone": notify.digest.time_zone.key,
            "broken": notify.digest.broken,
        },
        "webhook": None
        if webhook is None
        else {
            "url": MASK,
            **({"secret": MASK} if webhook.secret is not None else {}),
            "timeout": write_duration(webhook.timeout),
        },
        "apprise": None
        if apprise is None
        else {"urls": {team: [MASK] * len(urls) for team, urls in apprise.urls.items()}},
    }


def _slack(slack: SlackSettings) -> dict[str, Any]:
    return {
        **({"token": MASK} if slack.token is not None else {}),
        **({"webhook_url": MASK} if slack.webhook_url is not None else {}),
        "base_url": slack.base_url,
        "timeout": write_duration(slack.timeout),
        **({"app_token": MASK} if slack.app_token is not None else {}),
        "button_groups": list(slack.button_groups),
        "charts": slack.charts,
    }


def _incidents(incidents: IncidentSettings) -> dict[str, Any]:
    return {
        **{
            name: write_duration(getattr(incidents, name))
            for name in ("resolve_after", "reopen_within", "flush", "refresh")
        },
        "escalate_after": spans_shown(incidents.escalate_after),
    }


def spans_shown(spans: Mapping[Severity, timedelta]) -> dict[str, str | None]:
    """The spans per severity; null where there is none, because leaving it out is the default."""
    return {
        severity.value: write_duration(spans[severity]) if severity in spans else None
        for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    }


def window_shown(window: Maintenance) -> dict[str, Any]:
    """One window; its instants in UTC."""
    weekly = window.from_time is not None and window.to_time is not None
    return {
        "name": window.name,
        "reason": window.reason,
        **(
            {
                "weekdays": [WEEKDAYS[day] for day in window.weekdays],
                "from_time": f"{window.from_time:%H:%M}",
                "to_time": f"{window.to_time:%H:%M}",
            }
            if weekly
            else {"from": _instant(window.starts_at), "to": _instant(window.ends_at)}
        ),
        "time_zone": window.time_zone.key,
        **{name: getattr(window, name) for name in _FILTERS if getattr(window, name)},
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
