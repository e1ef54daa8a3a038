"""What holds an incident back: a silence, a maintenance window, the best-effort tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from eventwatch.alerting.office import Office
from eventwatch.alerting.silence import maintenance_silences, silenced_by
from eventwatch.model.alert import Alert, Silence
from eventwatch.model.incident import Incident


@dataclass(frozen=True)
class Muted:
    """Which silence holds an incident back."""

    silence: Silence

    @property
    def because(self) -> str:
        """For people, unescaped."""
        until = f"{self.silence.ends_at:%Y-%m-%d %H:%M} UTC"
        return f"silenced by {self.silence.author} until {until}: {self.silence.reason}"


def mutes(silences: Sequence[Silence], office: Office, now: datetime) -> tuple[Silence, ...]:
    """Everything that holds back now: silences of people, and maintenance windows as such."""
    people = tuple(s for s in silences if s.starts_at <= now < s.ends_at)
    return (*people, *maintenance_silences(office.maintenance, now))


def muted(
    incident: Incident, alerts: Sequence[Alert], active: Sequence[Silence], now: datetime
) -> Muted | None:
    """The silence that lasts longest of those that hold back everything that speaks."""
    speaking = [a for a in alerts if not a.explained] or list(alerts)
    found: list[Silence] = []
    for alert in speaking:
        hit = silenced_by(alert.result, incident.owner.team, active, now)
        if hit is None:
            return None
        found.append(hit)
    if not found:
        return None
    return Muted(max(found, key=lambda s: (s.ends_at, s.id)))
