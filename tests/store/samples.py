"""Records for the tests of state: complete ones, and the texts and numbers that are hard to keep."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from eventwatch.model.alert import Alert, AlertState, Delivery, Message, Silence
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.state import CycleRecord, Lease
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.model.view import Seen

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NASTY = "a\x00b\ud83d\ude00\udfff\\u0000\\\u202e'; DROP TABLE eventwatch_alert; --" + "x" * 9000
"""NUL, a pair of lone surrogates, one alone, our own escapes, RTL, SQL; longer than an index takes."""


def result(event_type: str | None = "user_followed_user", **changes: object) -> Result:
    """A FAIL with every field set."""
    fields: dict[str, object] = {
        "exposure": "events",
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "status": Status.FAIL,
        "event_type": event_type,
        "cut": Cut("platform", NASTY),
        "severity": Severity.CRITICAL,
        "summary": NASTY,
        "amount": Amount(
            "events",
            math.nan,
            math.inf,
            -math.inf,
            -0.0,
            start_at=NOW,
            end_at=NOW + MINUTE,
            z=1e308,
            p_value=5e-324,
        ),
        "since": NOW - timedelta(microseconds=1),
        "learning_until": datetime.max.replace(tzinfo=UTC),
        "facts": (Fact("first row", NASTY), Fact("", "")),
        "spark": Spark(NOW, timedelta(hours=1), (1.0, math.nan, 0.1 + 0.2), (2.0, 3.0, 4.0)),
        "hold": timedelta(minutes=7, microseconds=3),
        "keep": timedelta(days=3),
        "total": True,
        "check": "checks/growth.yaml:3",
        "runs_to": "growth",
    }
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def alert(alert_id: str = "a1", event_type: str = "user_followed_user", **changes: object) -> Alert:
    """A pending alert; without NaN, so that it equals itself."""
    bad = result(event_type, amount=None, spark=None)
    fields: dict[str, object] = {
        "id": alert_id,
        "fingerprint": bad.fingerprint,
        "state": AlertState.PENDING,
        "result": bad,
        "started_at": NOW,
        "seen_at": NOW,
    }
    return Alert(**{**fields, **changes})  # type: ignore[arg-type]


def delivery(key: str = "d1", **changes: object) -> Delivery:
    """A pending message."""
    fields: dict[str, object] = {
        "key": key,
        "channel": "#growth-alerts",
        "team": "growth",
        "message": Message(text=NASTY, blocks='[{"type":"divider"}]', plain="plain\x00"),
        "alert_ids": ("a1",),
        "created_at": NOW,
    }
    return Delivery(**{**fields, **changes})  # type: ignore[arg-type]


def silence(silence_id: str = "s1", **changes: object) -> Silence:
    """A silence of one hour."""
    fields: dict[str, object] = {
        "id": silence_id,
        "event_type": "user_*",
        "exposure": "",
        "kind": "volume",
        "team": "",
        "reason": NASTY,
        "author": "ana",
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
        "dimension": "platform",
        "value": "ios",
    }
    return Silence(**{**fields, **changes})  # type: ignore[arg-type]


def record(lease: Lease | None = None, **changes: object) -> CycleRecord:
    """A cycle that measured and found one alert to tell."""
    fields: dict[str, object] = {
        "exposure": "events",
        "run_id": "r1",
        "now": NOW,
        "lease": lease,
        "watermark": NOW,
        "recounted_on": None,
        "ledger": {SeriesKey("user_followed_user"): Seen(NOW - MINUTE, NOW)},
        "alerts": (alert(),),
        "deliveries": (delivery(),),
        "counts": {"fail": 1, "pass": 9},
        "catalog_digest": "abc",
        "elapsed_seconds": 0.5,
    }
    return CycleRecord(**{**fields, **changes})  # type: ignore[arg-type]
