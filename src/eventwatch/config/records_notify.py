"""From the sections about messages to the records that the rest of the house knows."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from eventwatch.config.document_notify import (
    AppriseSection,
    DigestSection,
    IncidentsSection,
    MaintenanceSection,
    NotifySection,
    SlackSection,
    WebhookSection,
)
from eventwatch.config.fields_notify import WEEKDAYS, instant_of, time_of
from eventwatch.model.settings import (
    AppriseSettings,
    DigestSettings,
    IncidentSettings,
    Maintenance,
    NotifySettings,
    Secret,
    SlackSettings,
    WebhookSettings,
)
from eventwatch.model.status import Severity


def notify_of(section: NotifySection) -> NotifySettings:
    """The settings of a section that is right in itself."""
    reminders = {severity: getattr(section.reminder, severity.value) for severity in Severity}
    return NotifySettings(
        fallback_team=section.fallback_team,
        slack=None if section.slack is None else _slack(section.slack),
        reminder={severity: span for severity, span in reminders.items() if span is not None},
        contract_link=section.links.contract or "",
        incidents=_incidents(section.incidents),
        digest=_digest(section.digest),
        webhook=None if section.webhook is None else _webhook(section.webhook),
        apprise=None if section.apprise is None else _apprise(section.apprise),
    )


def _slack(section: SlackSection) -> SlackSettings:
    return SlackSettings(
        token=_secret(section.token),
        webhook_url=_secret(section.webhook_url),
        base_url=section.base_url,
        timeout=section.timeout,
        app_token=_secret(section.app_token),
        button_groups=tuple(dict.fromkeys(section.button_groups)),
        charts=section.charts,
    )


def _incidents(section: IncidentsSection) -> IncidentSettings:
    spans = {severity: getattr(section.escalate_after, severity.value) for severity in Severity}
    return IncidentSettings(
        resolve_after=section.resolve_after,
        reopen_within=section.reopen_within,
        flush=section.flush,
        refresh=section.refresh,
        escalate_after={severity: span for severity, span in spans.items() if span is not None},
    )


def _digest(section: DigestSection) -> DigestSettings:
    return DigestSettings(time_of(section.at), ZoneInfo(section.time_zone), section.broken)


def _webhook(section: WebhookSection) -> WebhookSettings:
    return WebhookSettings(
        Secret(section.url.get_secret_value()), _secret(section.secret), section.timeout
    )


def _apprise(section: AppriseSection) -> AppriseSettings:
    return AppriseSettings(
        {
            team: tuple(Secret(url.get_secret_value()) for url in urls)
            for team, urls in section.urls.items()
        }
    )


def maintenance_of(section: MaintenanceSection) -> Maintenance:
    """The window of a section that is right in itself. A weekly one without weekdays is daily."""
    weekly = section.from_time is not None and section.to_time is not None
    zone = ZoneInfo(section.time_zone)
    days = {WEEKDAYS.index(day) for day in section.weekdays} or set(range(7))
    return Maintenance(
        name=section.name,
        reason=section.reason,
        starts_at=None if section.from_ is None else local_instant(section.from_, zone),
        ends_at=None if section.to is None else local_instant(section.to, zone),
        weekdays=tuple(sorted(days)) if weekly else (),
        from_time=None if section.from_time is None else time_of(section.from_time),
        to_time=None if section.to_time is None else time_of(section.to_time),
        time_zone=zone,
        event_type=section.event_type or "",
        exposure=section.exposure or "",
        kind=section.kind or "",
        team=section.team or "",
        dimension=section.dimension or "",
        value=section.value or "",
    )


def local_instant(text: str, zone: ZoneInfo) -> datetime:
    """Aware UTC; a text without a zone is read on the clock of ``zone``."""
    instant = instant_of(text)
    return (instant.replace(tzinfo=zone) if instant.tzinfo is None else instant).astimezone(UTC)


def _secret(value: SecretStr | None) -> Secret | None:
    return None if value is None else Secret(value.get_secret_value())
