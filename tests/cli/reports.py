"""Reports built by hand, so that the forms of the answer can be tested without a run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.alerting.route import Route
from eventwatch.model.alert import (
    Alert,
    AlertState,
    Delivery,
    DeliveryState,
    Message,
    Outcome,
    Verdict,
)
from eventwatch.model.contract import Contract, Location, Owner
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.report import Disposition, ExposureReport, Finding, Report

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def ago(hours: float) -> datetime:
    """Before NOW."""
    return NOW - timedelta(hours=hours)


def result(event_type: str | None = "user_followed_user", **changes: Any) -> Result:
    """A fall in volume."""
    made = Result(
        exposure="events",
        kind=KindName.VOLUME,
        aspect="bucket",
        status=Status.FAIL,
        event_type=event_type,
        severity=Severity.WARNING,
        summary="12 in the last hour, usually about 480",
        amount=Amount("events", 12.0, 480.0, 410.0, 560.0, ago(2), ago(1), -8.25, 1e-9),
        since=ago(2),
        facts=(Fact("platform", "ios 100 %"),),
        spark=Spark(
            ago(5), timedelta(hours=1), (470.0, 490.0, float("nan"), 480.0, 12.0), (480.0,) * 5
        ),
        check="checks/defaults.yaml:9",
    )
    return replace(made, **changes)


def contract(event_type: str = "user_followed_user") -> Contract:
    """Of growth."""
    return Contract(
        event_type,
        "social.UserFollowedUser",
        Location("social/follow.proto", 12),
        Owner("growth"),
        runbook_url="https://wiki.example.com/follow",
    )


def finding(made: Result | None = None, **changes: Any) -> Finding:
    """Told to growth."""
    of = result() if made is None else made
    found = Finding(
        result=of,
        route=Route("growth", "#growth-alerts", "S0123ABCD", "owner named in the contract"),
        disposition=Disposition.FIRING,
        contract=contract(of.event_type or "x"),
        alert=Alert("a1", of.fingerprint, AlertState.FIRING, of, ago(1), NOW, ago(0.5)),
    )
    return replace(found, **changes)


def exposure(*findings: Finding, **changes: Any) -> ExposureReport:
    """One that was measured."""
    made = ExposureReport(
        name="events",
        at=NOW,
        row_count=1_234_567,
        event_type_count=61,
        last_arrival_at=ago(0.05),
        findings=findings,
        status_counts={Status.PASS: 240, Status.FAIL: len(findings)},
        rows_read=5000,
        statements=1,
        elapsed=timedelta(seconds=1.5),
        read_from=ago(1),
    )
    return replace(made, **changes)


def report(*exposures: ExposureReport, **changes: Any) -> Report:
    """An audit."""
    made = Report("20260302T120000Z-0a1b2c3d", NOW, exposures, fallback_team="data-platform")
    return replace(made, **changes)


def delivery(plain: str = "user_followed_user fell", **changes: Any) -> Delivery:
    """A message to growth."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "fell"}}]
    made = Delivery(
        key="k1",
        channel="#growth-alerts",
        team="growth",
        message=Message("fell", json.dumps(blocks), plain),
        alert_ids=("a1",),
        created_at=NOW,
    )
    return replace(made, **changes)


def full() -> Report:
    """Something of everything."""
    unseen = result(
        "user_folowed_user",
        kind=KindName.DRIFT,
        aspect="unseen",
        severity=Severity.CRITICAL,
        summary="no contract declares it",
        amount=None,
        spark=None,
        since=None,
        check="",
    )
    cut = result(cut=Cut("platform", "android"), aspect="value_missing", kind=KindName.DRIFT)
    late = result(
        None, kind=KindName.FRESHNESS, aspect="lag", amount=Amount("seconds", 4000.0, upper=900.0)
    )
    share = result(
        "a", kind=KindName.DUPLICATES, aspect="share", amount=Amount("share", 0.0123, upper=0.001)
    )
    fallback = Route("data-platform", "#data", "", "no contract declares it", is_fallback=True)
    error = result(
        status=Status.ERROR, summary="could not be judged", amount=None, aspect="judging"
    )
    learning = result("b", status=Status.LEARNING, learning_until=ago(-48), amount=None)
    return report(
        exposure(
            finding(unseen, route=fallback, contract=None, nearest=("user_followed_user",)),
            finding(),
            finding(cut),
            finding(late, contract=None),
            finding(share, disposition=Disposition.PENDING, reason="has to last longer"),
            finding(result("c"), disposition=Disposition.SILENCED, reason="muted by ana: campaign"),
            finding(result("d"), disposition=Disposition.SUPPRESSED, reason="until 2026-04-01"),
            errors=(error,),
            learning=(learning,),
            status_counts={Status.PASS: 240, Status.FAIL: 7, Status.LEARNING: 1, Status.SKIPPED: 3},
            notes=("3 rows have no load time",),
        ),
        ExposureReport("orders", NOW, error="the file is locked by process 42"),
        messages=(
            delivery("two lines\nof text"),
            delivery(state=DeliveryState.WITHHELD, last_error="muted by ana", key="k2"),
        ),
        outcomes=(
            (delivery(), Outcome(Verdict.SENT, reference="C1:1.2")),
            (delivery(key="k2"), Outcome(Verdict.RETRY, "ratelimited", ago(-1))),
        ),
        recorded=True,
    )


HOSTILE = (
    "<!channel>",
    "<script>alert(1)</script>",
    "[bold red]x[/]",
    "[/]",
    ":smile:",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "a\r\nb\tc",
    "\x00\x08\x7f",
    "\u202eevil\u2066",
    "\ud800",
    "\ufffe\uffff",
    "👩‍👩‍👧‍👦 זה עברית",
    "x" * 5000,
    "'; DROP TABLE events; --",
    "../../etc/passwd",
    "]]>&amp;<![CDATA[",
    "",
    " ",
    "%s %d {0} {x}",
    "`a` *b* _c_ ~d~",
)


def hostile() -> Report:
    """Hostile text wherever text may stand."""
    exposures = []
    for name in HOSTILE:
        made = result(
            name,
            summary=name,
            cut=Cut(name, name),
            facts=(Fact(name, name),),
            check=name,
        )
        where = replace(contract(name), location=Location(name, 1), runbook_url=name)
        found = finding(made, route=Route(name, name, name, name, True), contract=where)
        exposures.append(
            exposure(
                replace(found, nearest=(name,)),
                replace(found, disposition=Disposition.SILENCED, reason=name),
                name=name,
                errors=(replace(made, status=Status.ERROR),),
                learning=(replace(made, status=Status.LEARNING),),
                notes=(name,),
            )
        )
        exposures.append(ExposureReport(name, NOW, error=name))
    messages = tuple(
        delivery(n, key=f"k{i}", channel=n, team=n, last_error=n) for i, n in enumerate(HOSTILE)
    )
    outcomes = tuple((d, Outcome(Verdict.REFUSED, d.team)) for d in messages)
    return report(*exposures, messages=messages, outcomes=outcomes)
