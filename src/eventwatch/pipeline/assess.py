"""From results to findings and alert transitions: suppress, silence, route, track. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from eventwatch.alerting.route import Route
from eventwatch.alerting.routing import Directory, route
from eventwatch.alerting.silence import silenced_by, suppressed_by
from eventwatch.alerting.state import track
from eventwatch.alerting.trouble import JUDGING, gather
from eventwatch.model.alert import Alert, AlertState, Change, Silence, Transition
from eventwatch.model.contract import Catalog
from eventwatch.model.label import Label, Opinion
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.judge import Restriction
from eventwatch.pipeline.report import Disposition, Finding


@dataclass(frozen=True)
class Knowledge:
    """What results are held against: the catalog, the directory, what is remembered and muted."""

    exposure: Exposure
    catalog: Catalog
    directory: Directory
    open_alerts: tuple[Alert, ...]
    silences: tuple[Silence, ...]
    now: datetime
    measured: bool
    restriction: Restriction
    labels: tuple[Label, ...] = ()
    """What people said of this exposure's incidents, as far as known at ``now``."""


@dataclass(frozen=True)
class Assessment:
    """One exposure's results, seen against what is known."""

    results: tuple[Result, ...]
    """Those that are wanted; suppressed FAILs are SKIPPED here."""
    findings: tuple[Finding, ...]
    transitions: tuple[Transition, ...]
    routes: Mapping[str, Route]
    """By fingerprint, of every alert in ``transitions``."""
    muted: Mapping[str, Silence]
    """By fingerprint."""


def assess(results: Sequence[Result], known: Knowledge) -> Assessment:
    """Findings for people, and what the cycle does to the alerts."""
    kept: list[Result] = []
    suppressed: list[Finding] = []
    routes: dict[str, Route] = {}
    muted: dict[str, Silence] = {}
    for result in gather(results):
        if result.status not in (Status.FAIL, Status.ERROR):
            kept.append(result)
            continue
        contract = known.catalog.of(result.event_type)
        where = route(result, contract, known.exposure, known.directory)
        if known.restriction.teams and where.team not in known.restriction.teams:
            continue
        off = suppressed_by(result, contract, known.now)
        if off is not None:
            reason = f"switched off in the contract until {off.until}: {off.reason}"
            suppressed.append(
                Finding(result, where, Disposition.SUPPRESSED, contract, None, reason)
            )
            kept.append(replace(result, status=Status.SKIPPED, summary=reason))
            continue
        kept.append(result)
        routes[result.fingerprint] = where
        silence = silenced_by(result, where.team, known.silences, known.now)
        if silence is not None:
            muted[result.fingerprint] = silence
    open_alerts = tuple(a for a in known.open_alerts if a.result.exposure == known.exposure.name)
    for alert in open_alerts:
        routes.setdefault(
            alert.fingerprint,
            route(
                alert.result,
                known.catalog.of(alert.result.event_type),
                known.exposure,
                known.directory,
            ),
        )
        silence = silenced_by(
            alert.result, routes[alert.fingerprint].team, known.silences, known.now
        )
        if silence is not None:
            muted.setdefault(alert.fingerprint, silence)
    transitions = track(
        open_alerts,
        kept,
        known.now,
        judged=lambda alert: _judged(alert, kept, known, routes),
        dismissed=_dismissed(open_alerts, known.labels),
    )
    found = tuple(_findings(kept, transitions, known, routes, muted)) + tuple(suppressed)
    return Assessment(
        results=tuple(kept),
        findings=tuple(sorted(found, key=_worst_first)),
        transitions=transitions,
        routes=routes,
        muted=muted,
    )


def with_causes(assessment: Assessment, alerts: Sequence[Alert]) -> Assessment:
    """The same with the alerts as they are once their causes are known."""
    known = {alert.id: alert for alert in alerts}

    def of(alert: Alert) -> Alert:
        return known.get(alert.id, alert)

    return replace(
        assessment,
        transitions=tuple(replace(t, alert=of(t.alert)) for t in assessment.transitions),
        findings=tuple(
            f if f.alert is None else replace(f, alert=of(f.alert)) for f in assessment.findings
        ),
    )


def _dismissed(alerts: Sequence[Alert], labels: Sequence[Label]) -> dict[str, str]:
    """Open alerts of which a person said that they are no problem, and the words that end them."""
    reasons: dict[str, str] = {}
    for alert in alerts:
        result = alert.result
        for label in labels:
            about = (label.event_type, label.dimension, label.value)
            cut = ("", "") if result.cut is None else (result.cut.dimension, result.cut.value)
            same = label.fingerprint == alert.fingerprint or (
                result.kind is KindName.VOLUME
                and not label.fingerprint
                and about == (result.event_type, *cut)
            )
            if (
                same
                and label.opinion is Opinion.NOT_A_PROBLEM
                and label.given_at >= alert.started_at
            ):
                reasons[alert.fingerprint] = f"not a problem, says {label.author}: {label.reason}"
    return reasons


def _judged(
    alert: Alert, results: Sequence[Result], known: Knowledge, routes: Mapping[str, Route]
) -> bool:
    """Whether the absence of a result means that there is nothing to say any more: everything that
    could have given one was measured, wanted and able to judge."""
    wanted = known.restriction
    if not known.measured or not wanted.wants_kind(alert.result.kind):
        return False
    if not wanted.wants_event_type(alert.result.event_type):
        return False
    if wanted.teams and routes[alert.fingerprint].team not in wanted.teams:
        return False
    return not any(
        r.status is Status.ERROR and r.aspect == JUDGING and r.kind is alert.result.kind
        for r in results
    )


def _findings(
    results: Sequence[Result],
    transitions: Sequence[Transition],
    known: Knowledge,
    routes: Mapping[str, Route],
    muted: Mapping[str, Silence],
) -> list[Finding]:
    alerts = {
        t.alert.fingerprint: t.alert
        for t in transitions
        if t.change not in (Change.RESOLVED, Change.EXPIRED)
    }
    findings = []
    for result in results:
        if result.status is not Status.FAIL:
            continue
        alert = alerts.get(result.fingerprint)
        silence = muted.get(result.fingerprint)
        if silence is not None:
            disposition = Disposition.SILENCED
            until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
            reason = f"muted by {silence.author} until {until}: {silence.reason}"
        elif alert is None or alert.state is AlertState.FIRING:
            disposition, reason = Disposition.FIRING, ""
        else:
            disposition, reason = Disposition.PENDING, "has to last longer before anybody is told"
        findings.append(
            Finding(
                result,
                routes[result.fingerprint],
                disposition,
                known.catalog.of(result.event_type),
                alert,
                reason,
            )
        )
    return findings


_ORDER = tuple(Disposition)


def _worst_first(finding: Finding) -> tuple[object, ...]:
    r = finding.result
    return (
        _ORDER.index(finding.disposition) > 1,
        -r.severity.rank,
        _ORDER.index(finding.disposition),
        not r.total,
        tuple(KindName).index(r.kind),
        r.event_type is not None,
        r.event_type or "",
        r.aspect,
        (r.cut.dimension, r.cut.value) if r.cut else ("", ""),
    )
