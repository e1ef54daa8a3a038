"""How records become columns: instants as integers, any text as text, a Result as versioned JSON.

Everything here is exact in both directions. PostgreSQL refuses NUL in text, SQLite's driver refuses
lone surrogates, and a JSON parser joins two lone surrogates that stand side by side, so all three are
written as escapes of our own. Instants are microseconds since 1970 in UTC, which sorts in every
engine and holds every datetime.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.model.result import Amount, Basis, Cut, Fact, Result, Spark
from eventwatch.model.status import KindName, Severity, Status

RESULT_VERSION = 1
"""Of the JSON below. Readers ignore fields that they do not know, so adding one needs no new version."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSAFE = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(\\|u[0-9a-f]{4})")


def encode_text(text: str) -> str:
    """Text without NUL and surrogates; equal texts stay equal and different ones different."""
    return _UNSAFE.sub(lambda m: "\\\\" if m[0] == "\\" else f"\\u{ord(m[0]):04x}", text)


def decode_text(text: str) -> str:
    """The inverse of ``encode_text``."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda m: "\\" if m[1] == "\\" else chr(int(m[1][1:], 16)), text)


def encode_instant(at: datetime) -> int:
    """Microseconds since 1970. Raises ValueError for an instant without a zone."""
    if at.tzinfo is None:
        raise ValueError("an instant must carry its time zone")
    return (at - _EPOCH) // _MICROSECOND


def decode_instant(microseconds: int) -> datetime:
    """Aware UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def ago(now: datetime, span: timedelta) -> datetime:
    """``now - span``, or the first of all instants."""
    first = datetime.min.replace(tzinfo=now.tzinfo)
    return first if now - first < span else now - span


def key_of(*parts: str) -> str:
    """A short name for long ones: an index entry has a size limit, names from data have none."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def encode_event_type(event_type: str | None) -> str:
    """Empty for the null type, ``=name`` for a name, so that no name can be taken for null."""
    return "" if event_type is None else "=" + event_type


def decode_event_type(text: str) -> str | None:
    """The inverse of ``encode_event_type``."""
    return text[1:] if text else None


def encode_texts(texts: Sequence[str]) -> str:
    """A tuple of texts as a JSON array."""
    return json.dumps([encode_text(text) for text in texts])


def decode_texts(text: str) -> tuple[str, ...]:
    """The inverse of ``encode_texts``."""
    return tuple(decode_text(item) for item in json.loads(text))


def encode_result(result: Result) -> str:
    """The result as JSON of RESULT_VERSION."""
    return json.dumps(
        {
            "version": RESULT_VERSION,
            "exposure": encode_text(result.exposure),
            "kind": result.kind.value,
            "aspect": encode_text(result.aspect),
            "status": result.status.value,
            "event_type": _maybe(encode_text, result.event_type),
            "cut": _maybe(
                lambda cut: [encode_text(cut.dimension), encode_text(cut.value)], result.cut
            ),
            "severity": result.severity.value,
            "summary": encode_text(result.summary),
            "amount": _maybe(_encode_amount, result.amount),
            "since": _maybe(encode_instant, result.since),
            "learning_until": _maybe(encode_instant, result.learning_until),
            "facts": [[encode_text(fact.label), encode_text(fact.text)] for fact in result.facts],
            "spark": _maybe(_encode_spark, result.spark),
            "hold": result.hold // _MICROSECOND,
            "keep": result.keep // _MICROSECOND,
            "total": result.total,
            "check": encode_text(result.check),
            "runs_to": encode_text(result.runs_to),
            "basis": _maybe(_encode_basis, result.basis),
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def decode_result(text: str) -> Result:
    """The inverse of ``encode_result``. Raises ValueError, KeyError or TypeError for other text."""
    raw: Mapping[str, Any] = json.loads(text)
    if raw["version"] != RESULT_VERSION:
        raise ValueError(f"a result of version {raw['version']!r}")
    return Result(
        exposure=decode_text(raw["exposure"]),
        kind=KindName(raw["kind"]),
        aspect=decode_text(raw["aspect"]),
        status=Status(raw["status"]),
        event_type=_maybe(decode_text, raw["event_type"]),
        cut=_maybe(lambda cut: Cut(decode_text(cut[0]), decode_text(cut[1])), raw["cut"]),
        severity=Severity(raw["severity"]),
        summary=decode_text(raw["summary"]),
        amount=_maybe(_decode_amount, raw["amount"]),
        since=_maybe(decode_instant, raw["since"]),
        learning_until=_maybe(decode_instant, raw["learning_until"]),
        facts=tuple(Fact(decode_text(label), decode_text(text)) for label, text in raw["facts"]),
        spark=_maybe(_decode_spark, raw["spark"]),
        hold=raw["hold"] * _MICROSECOND,
        keep=raw["keep"] * _MICROSECOND,
        total=raw["total"],
        check=decode_text(raw["check"]),
        runs_to=decode_text(raw["runs_to"]),
        basis=_maybe(lambda texts: Basis(*map(decode_text, texts)), raw.get("basis")),
    )


def _encode_basis(basis: Basis) -> list[str]:
    return [encode_text(text) for text in astuple(basis)]


def _encode_amount(amount: Amount) -> dict[str, Any]:
    return {
        "unit": encode_text(amount.unit),
        "observed": _encode_number(amount.observed),
        "expected": _maybe(_encode_number, amount.expected),
        "lower": _maybe(_encode_number, amount.lower),
        "upper": _maybe(_encode_number, amount.upper),
        "start_at": _maybe(encode_instant, amount.start_at),
        "end_at": _maybe(encode_instant, amount.end_at),
        "z": _maybe(_encode_number, amount.z),
        "p_value": _maybe(_encode_number, amount.p_value),
    }


def _decode_amount(raw: Mapping[str, Any]) -> Amount:
    return Amount(
        unit=decode_text(raw["unit"]),
        observed=_decode_number(raw["observed"]),
        expected=_maybe(_decode_number, raw["expected"]),
        lower=_maybe(_decode_number, raw["lower"]),
        upper=_maybe(_decode_number, raw["upper"]),
        start_at=_maybe(decode_instant, raw["start_at"]),
        end_at=_maybe(decode_instant, raw["end_at"]),
        z=_maybe(_decode_number, raw["z"]),
        p_value=_maybe(_decode_number, raw["p_value"]),
    )


def _encode_spark(spark: Spark) -> dict[str, Any]:
    return {
        "start_at": encode_instant(spark.start_at),
        "step": spark.step // _MICROSECOND,
        "values": [_encode_number(value) for value in spark.values],
        "expected": [_encode_number(value) for value in spark.expected],
    }


def _decode_spark(raw: Mapping[str, Any]) -> Spark:
    return Spark(
        start_at=decode_instant(raw["start_at"]),
        step=raw["step"] * _MICROSECOND,
        values=tuple(_decode_number(value) for value in raw["values"]),
        expected=tuple(_decode_number(value) for value in raw["expected"]),
    )


def _encode_number(value: float) -> float | str:
    """JSON has no NaN and no infinity: they are written as texts. numpy's scalars become plain."""
    number = float(value)
    return number if number - number == 0 else str(number)


def _decode_number(raw: float | str) -> float:
    return float(raw)


def _maybe(function: Any, value: Any) -> Any:
    return None if value is None else function(value)
