"""How causes and recipients become JSON. Readers ignore fields that they do not know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import Recipient, Role
from eventwatch.model.result import Cut
from eventwatch.store.encoding import decode_instant, decode_text, encode_instant, encode_text


def encode_cause(cause: Cause) -> str:
    """A JSON object."""
    cut, event_type, other = cause.cut, cause.event_type, cause.other
    return _json(
        {
            "kind": cause.kind.value,
            "key": encode_text(cause.key),
            "exposure": encode_text(cause.exposure),
            "subject": encode_text(cause.subject),
            "cut": None if cut is None else [encode_text(cut.dimension), encode_text(cut.value)],
            "event_type": None if event_type is None else encode_text(event_type),
            "other": None if other is None else encode_text(other),
            "detail": encode_text(cause.detail),
            "team": encode_text(cause.team),
            "ended_at": None if cause.ended_at is None else encode_instant(cause.ended_at),
            "affected": [encode_text(name) for name in cause.affected],
        }
    )


def decode_cause(text: str) -> Cause:
    """The inverse. Raises ValueError, KeyError, TypeError or IndexError for other text."""
    raw: Mapping[str, Any] = json.loads(text)
    cut, event_type, other = raw["cut"], raw["event_type"], raw["other"]
    return Cause(
        kind=CauseKind(raw["kind"]),
        key=decode_text(raw["key"]),
        exposure=decode_text(raw["exposure"]),
        subject=decode_text(raw["subject"]),
        cut=None if cut is None else Cut(decode_text(cut[0]), decode_text(cut[1])),
        event_type=None if event_type is None else decode_text(event_type),
        other=None if other is None else decode_text(other),
        detail=decode_text(raw["detail"]),
        team=decode_text(raw["team"]),
        ended_at=None if raw.get("ended_at") is None else decode_instant(raw["ended_at"]),
        affected=tuple(decode_text(name) for name in raw.get("affected", ())),
    )


def encode_recipient(recipient: Recipient) -> str:
    """A JSON object."""
    return _json(_recipient(recipient))


def decode_recipient(text: str) -> Recipient:
    """The inverse. Raises as ``decode_cause``."""
    return _of(json.loads(text))


def encode_recipients(recipients: Sequence[Recipient]) -> str:
    """A JSON array."""
    return _json([_recipient(each) for each in recipients])


def decode_recipients(text: str) -> tuple[Recipient, ...]:
    """The inverse. Raises as ``decode_cause``."""
    return tuple(_of(raw) for raw in json.loads(text))


def _recipient(recipient: Recipient) -> Mapping[str, Any]:
    return {
        "role": recipient.role.value,
        "team": encode_text(recipient.team),
        "channel": encode_text(recipient.channel),
        "group_id": encode_text(recipient.group_id),
        "oncall": encode_text(recipient.oncall),
        "reason": encode_text(recipient.reason),
        "is_fallback": recipient.is_fallback,
    }


def _of(raw: Mapping[str, Any]) -> Recipient:
    return Recipient(
        role=Role(raw["role"]),
        team=decode_text(raw["team"]),
        channel=decode_text(raw["channel"]),
        group_id=decode_text(raw["group_id"]),
        oncall=decode_text(raw["oncall"]),
        reason=decode_text(raw["reason"]),
        is_fallback=raw["is_fallback"],
    )


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
