"""The report as JSON, schema ``eventwatch.report/1``; ``report_schema`` describes every key.

ASCII only, so that no control or bidi character reaches a terminal and any encoding carries it. Lone
surrogates, which JSON parsers refuse, come out as the text ``\\udXXX``. Numbers that are not finite are
null. Keys and lists have a fixed order.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch import __version__
from eventwatch.model.alert import Alert, Delivery, Outcome
from eventwatch.model.contract import Contract
from eventwatch.model.result import Amount, Result, Spark
from eventwatch.model.status import Severity, Status
from eventwatch.pipeline.report import ExposureReport, Finding, Report

SCHEMA = "eventwatch.report/1"


def json_text(report: Report, *, fail_on: Severity | None, messages: bool) -> str:
    """The document with a final line end."""
    made = report_json(report, fail_on=fail_on, messages=messages)
    return json.dumps(_safe(made), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def report_json(report: Report, *, fail_on: Severity | None, messages: bool) -> dict[str, Any]:
    """The document. ``messages``: whether texts of messages are in it."""
    worst = report.worst()
    return {
        "schema": SCHEMA,
        "eventwatch": __version__,
        "run_id": report.run_id,
        "at": _instant(report.at),
        "recorded": report.recorded,
        "exit_code": report.exit_code(fail_on),
        "fail_on": "never" if fail_on is None else fail_on.value,
        "worst": None if worst is None else worst.value,
        "complete": not report.incomplete(),
        "fallback_team": report.fallback_team,
        "exposures": [_exposure(each) for each in report.exposures],
        "messages": [_message(each) for each in report.messages] if messages else [],
        "outcomes": [_outcome(*each) for each in report.outcomes],
    }


def _exposure(report: ExposureReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "at": _instant(report.at),
        "error": report.error or None,
        "row_count": report.row_count,
        "event_type_count": report.event_type_count,
        "last_arrival_at": _instant(report.last_arrival_at),
        "late_by_seconds": _seconds(report.late_by),
        "counts": {status.value: report.status_counts.get(status, 0) for status in Status},
        "findings": [_finding(each) for each in report.findings],
        "errors": [_result(each) for each in report.errors],
        "learning": [_result(each) for each in report.learning],
        "notes": list(report.notes),
        "cost": {
            "read_from": _instant(report.read_from),
            "rows_read": report.rows_read,
            "statements": report.statements,
            "elapsed_seconds": _seconds(report.elapsed),
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    route = finding.route
    return {
        **_result(finding.result),
        "disposition": finding.disposition.value,
        "reason": finding.reason or None,
        "owner": {
            "team": route.team,
            "channel": route.channel or None,
            "group_id": route.group_id or None,
            "reason": route.reason,
            "is_fallback": route.is_fallback,
        },
        "nearest": list(finding.nearest),
        "contract": None if finding.contract is None else _contract(finding.contract),
        "alert": None if finding.alert is None else _alert(finding.alert),
    }


def _result(result: Result) -> dict[str, Any]:
    cut = result.cut
    return {
        "fingerprint": result.fingerprint,
        "kind": result.kind.value,
        "aspect": result.aspect,
        "status": result.status.value,
        "severity": result.severity.value,
        "event_type": result.event_type,
        "cut": None if cut is None else {"dimension": cut.dimension, "value": cut.value},
        "summary": result.summary,
        "amount": None if result.amount is None else _amount(result.amount),
        "since": _instant(result.since),
        "learning_until": _instant(result.learning_until),
        "facts": [{"label": fact.label, "text": fact.text} for fact in result.facts],
        "spark": None if result.spark is None else _spark(result.spark),
        "hold_seconds": _seconds(result.hold),
        "keep_seconds": _seconds(result.keep),
        "total": result.total,
        "check": result.check or None,
    }


def _amount(amount: Amount) -> dict[str, Any]:
    return {
        "unit": amount.unit,
        "observed": amount.observed,
        "expected": amount.expected,
        "lower": amount.lower,
        "upper": amount.upper,
        "start_at": _instant(amount.start_at),
        "end_at": _instant(amount.end_at),
        "z": amount.z,
        "p_value": amount.p_value,
    }


def _spark(spark: Spark) -> dict[str, Any]:
    return {
        "start_at": _instant(spark.start_at),
        "step_seconds": _seconds(spark.step),
        "values": list(spark.values),
        "expected": list(spark.expected),
    }


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "event_type": contract.event_type,
        "message_name": contract.message_name,
        "path": contract.location.path,
        "line": contract.location.line,
        "tier": contract.tier.value,
        "state": contract.state.value,
        "runbook_url": contract.runbook_url or None,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "state": alert.state.value,
        "started_at": _instant(alert.started_at),
        "seen_at": _instant(alert.seen_at),
        "fired_at": _instant(alert.fired_at),
        "notified_at": _instant(alert.notified_at),
    }


def _message(delivery: Delivery) -> dict[str, Any]:
    return {
        "key": delivery.key,
        "channel": delivery.channel,
        "team": delivery.team,
        "state": delivery.state.value,
        "created_at": _instant(delivery.created_at),
        "is_fallback": delivery.is_fallback,
        "alert_ids": list(delivery.alert_ids),
        "text": delivery.message.text,
        "plain": delivery.message.plain,
        "blocks": json.loads(delivery.message.blocks) if delivery.message.blocks else [],
        "last_error": delivery.last_error or None,
    }


def _outcome(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    return {
        "key": delivery.key,
        "channel": delivery.channel,
        "team": delivery.team,
        "verdict": outcome.verdict.value,
        "reason": outcome.reason or None,
        "retry_at": _instant(outcome.retry_at),
        "reference": outcome.reference or None,
    }


def _instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with Z; microseconds only where there are any."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _safe(value: Any) -> Any:
    """Plain Python values that every JSON parser takes."""
    if isinstance(value, dict):
        return {_safe(key): _safe(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_safe(each) for each in value]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    # numpy scalars are floats and ints by behaviour, not by type.
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if type(value).__name__.startswith(("int", "uint")) else number


result_json = _result
"""One result, as every document of ours writes it."""
safe = _safe
