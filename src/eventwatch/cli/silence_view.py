"""Silences and maintenance windows as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.alerting.live_view import subject
from eventwatch.cli.json_report import safe
from eventwatch.model.alert import Silence

if TYPE_CHECKING:
    from eventwatch.app.silence import Muting

_LONG = 500


def list_table(rows: Sequence[Muting], now: datetime) -> str:
    """One row each; what it hid below its scope."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch.cli.console import PIPE_WIDTH, as_text

    if not rows:
        return "nothing is muted\n"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("id", "state", "mutes", "until", "by", "reason", "hid"):
        table.add_column(name, overflow="fold")
    for row in rows:
        one = row.silence
        cells = (
            "config.yaml" if row.is_planned else one.id,
            row.state(now),
            scope(one) or "everything",
            _when(one, now),
            one.author,
            one.reason,
            _hid(row),
        )
        table.add_row(*(Text(terminal(truncate(cell, _LONG))) for cell in cells))
    return as_text(table, PIPE_WIDTH)


def _when(one: Silence, now: datetime) -> str:
    begins = f"from {instant(one.starts_at)} to " if now < one.starts_at else ""
    return begins + instant(one.ends_at)


def _hid(row: Muting) -> str:
    if not row.hid_count:
        return "nothing"
    named = [f"{each.id} {subject(each)}" for each in row.hid]
    more = row.hid_count - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more and named else "") or f"{more:,}"


def list_json(rows: Sequence[Muting], now: datetime) -> str:
    """A JSON array."""
    made = [_record(row, now) for row in rows]
    return json.dumps(safe(made), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _record(row: Muting, now: datetime) -> dict[str, Any]:
    one = row.silence
    return {
        "id": one.id,
        "planned": row.is_planned,
        "state": row.state(now),
        "event_type": one.event_type or None,
        "exposure": one.exposure or None,
        "kind": one.kind or None,
        "team": one.team or None,
        "dimension": one.dimension or None,
        "value": one.value or None,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "author": one.author,
        "reason": one.reason,
        "hid": [
            {"id": each.id, "subject": subject(each), "state": each.state.value} for each in row.hid
        ],
        "hid_count": row.hid_count,
    }


def scope(silence: Silence) -> str:
    """What it mutes: ``event type user_*, check volume``; empty: everything."""
    named = (
        ("event type", silence.event_type),
        ("exposure", silence.exposure),
        ("check", silence.kind),
        ("team", silence.team),
        ("dimension", silence.dimension),
        ("value", silence.value),
    )
    return ", ".join(f"{name} {terminal(pattern)}" for name, pattern in named if pattern)


def instant(at: datetime) -> str:
    """``2026-11-02 09:00 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
