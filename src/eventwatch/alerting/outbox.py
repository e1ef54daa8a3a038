"""From transitions to rows of the outbox: who is told what, once.

Keys are made of what is told (alert, change, how often before), never of when or by whom, so a cycle
that runs twice makes the same rows twice and the store keeps one. What a silence holds back becomes
a row as well, in state WITHHELD with the reason; its alert counts as untold, and is told when the
silence ends and it is still firing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from eventwatch.alerting import escape, spans
from eventwatch.alerting.card import News
from eventwatch.alerting.message import compose, worst_first
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Name, Text
from eventwatch.model.alert import (
    Alert,
    Change,
    Delivery,
    DeliveryState,
    Message,
    Silence,
    Transition,
)
from eventwatch.model.contract import Catalog
from eventwatch.model.settings import Exposure, NotifySettings

TOLD = frozenset((Change.FIRED, Change.WORSE, Change.REMIND, Change.RESOLVED))
"""Changes that a person hears of."""
_NOTICE = 420


@dataclass(frozen=True)
class Outbox:
    """What one cycle puts into the state."""

    alerts: tuple[Alert, ...]
    """Every alert of the transitions, as it is after the cycle."""
    deliveries: tuple[Delivery, ...]
    """New rows: at most one per channel and team, and one per alert and silence."""


def deliveries_for(
    transitions: Sequence[Transition],
    *,
    routes: Mapping[str, Route],
    muted: Mapping[str, Silence],
    catalog: Catalog,
    exposure: Exposure,  # noqa: ARG001
    notify: NotifySettings,
    now: datetime,
    run_id: str = "",  # noqa: ARG001
) -> Outbox:
    """Messages of one exposure's cycle.

    ``routes`` and ``muted`` are by fingerprint; every alert that changed needs a route. A row
    must not depend on which run made it, so ``run_id`` is not part of any.
    """
    alerts: list[Alert] = []
    groups: dict[tuple[str, str], list[News]] = {}
    withheld: list[Delivery] = []
    for transition in transitions:
        alert = transition.alert
        if not _to_be_told(transition):
            alerts.append(alert)
            continue
        contract = catalog.of(alert.result.event_type)
        route = routes[alert.fingerprint]
        news = News(alert, transition.change, route, contract)
        silence = muted.get(alert.fingerprint)
        if silence is not None:
            alerts.append(alert)
            withheld.append(_withheld(news, silence, now, notify.contract_link))
            continue
        alerts.append(_notified(alert, now))
        groups.setdefault((route.channel, route.team), []).append(news)
    deliveries = [
        _delivery(group, now, notify.contract_link) for _, group in sorted(groups.items())
    ]
    return Outbox(tuple(alerts), (*deliveries, *withheld))


def fallback_for(delivery: Delivery, reason: str, route: Route, now: datetime) -> Delivery:
    """The same message for the fallback route, with what happened to it in front."""
    where = f"{delivery.channel or 'a team without a channel'}"
    team = f" (team {delivery.team})" if delivery.team else ""
    notice = (
        Text("This message could not be delivered to "),
        Name(where),
        Text(f"{team}: {reason}. Mend the channel of this owner, or invite the app to it."),
    )
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": spans.slack(notice, _NOTICE), "verbatim": True},
    }
    message = delivery.message
    blocks = json.dumps(
        [block, *json.loads(message.blocks or "[]")], ensure_ascii=False, separators=(",", ":")
    )
    return Delivery(
        key=_key("fallback", delivery.key),
        channel=route.channel,
        team=route.team,
        message=Message(
            text=f"{spans.slack(notice, 300)}\n{message.text}",
            blocks=blocks,
            plain=f"{spans.on_terminal(notice)}\n{message.plain}",
        ),
        alert_ids=delivery.alert_ids,
        created_at=now,
        is_fallback=True,
    )


def _to_be_told(transition: Transition) -> bool:
    """The end of what nobody heard of is not told either."""
    unheard = transition.change is Change.RESOLVED and transition.alert.notified_at is None
    return transition.change in TOLD and not unheard


def _notified(alert: Alert, now: datetime) -> Alert:
    """``notified_severity`` is the highest that was told: a fall is not news, nor is the way back."""
    told, severity = alert.notified_severity, alert.result.severity
    highest = severity if told is None or severity.rank > told.rank else told
    return replace(alert, notified_at=now, notified_severity=highest)


def _delivery(group: Sequence[News], now: datetime, contract_link: str) -> Delivery:
    ordered = worst_first(group)
    route = _route_of(ordered)
    return Delivery(
        key=_key("message", route.channel, route.team, *sorted(map(_event, ordered))),
        channel=route.channel,
        team=route.team,
        message=compose(route, ordered, now, contract_link=contract_link),
        alert_ids=tuple(item.alert.id for item in ordered),
        created_at=now,
    )


def _route_of(ordered: Sequence[News]) -> Route:
    """One route for the group: any of them, with a mention if any has one."""
    first = ordered[0].route
    group = next((i.route.group_id for i in ordered if i.route.group_id), "")
    return replace(first, group_id=group)


def _withheld(news: News, silence: Silence, now: datetime, contract_link: str) -> Delivery:
    until = f"{silence.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    reason = (
        f"silenced by {escape.truncate(silence.author, 80)} until {until}: "
        f"{escape.truncate(silence.reason, 200)}"
    )
    return Delivery(
        key=_key("withheld", _event(news), silence.id),
        channel=news.route.channel,
        team=news.route.team,
        message=compose(news.route, (news,), now, contract_link=contract_link),
        alert_ids=(news.alert.id,),
        created_at=now,
        state=DeliveryState.WITHHELD,
        last_error=escape.plain(reason),
    )


def _event(news: News) -> str:
    """Names what is told of one alert: the same change after the same last word is the same."""
    before = news.alert.notified_at
    return " ".join(
        (
            news.alert.id,
            news.change.value,
            news.alert.result.severity.value if news.change is Change.WORSE else "",
            "" if before is None else before.astimezone(UTC).isoformat(),
        )
    )


def _key(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
