"""What a contract switches off is said to nobody, and that is a row too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from eventwatch.alerting.escape import mrkdwn, plain, truncate
from eventwatch.model.alert import Delivery, DeliveryState, Message
from eventwatch.pipeline.report import Disposition, Finding

LONGEST = 300


def withheld(findings: Iterable[Finding], now: datetime) -> tuple[Delivery, ...]:
    """One row for each trouble that a suppression holds back, with its reason. The key names trouble
    and reason, so that a suppression of months is one row and not one a cycle."""
    return tuple(_row(f, now) for f in findings if f.disposition is Disposition.SUPPRESSED)


def _row(finding: Finding, now: datetime) -> Delivery:
    result = finding.result
    name = result.exposure if result.event_type is None else result.event_type
    said = truncate(f"{name}: {result.summary}", LONGEST)
    text = f"suppressed {result.fingerprint} {finding.reason}"
    return Delivery(
        key=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40],
        channel=finding.route.channel,
        team=finding.route.team,
        message=Message(text=mrkdwn(said), blocks="[]", plain=plain(said)),
        alert_ids=(),
        created_at=now,
        state=DeliveryState.WITHHELD,
        last_error=plain(truncate(finding.reason, LONGEST)),
    )
