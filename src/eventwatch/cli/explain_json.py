"""An explanation as JSON, schema ``eventwatch.explain/1``; ``explain_schema`` describes every key.

ASCII only, with the same care for surrogates and numbers as the report of an audit.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from eventwatch import __version__
from eventwatch.app.explain import Explained
from eventwatch.cli.json_report import result_json, safe
from eventwatch.kinds.volume_cuts_explain import CutExplanation
from eventwatch.kinds.volume_explanation import Explanation
from eventwatch.model.trace import Trace

SCHEMA = "eventwatch.explain/1"


def json_text(one: Explained) -> str:
    """The document with a final line end."""
    return json.dumps(safe(explain_json(one)), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def explain_json(one: Explained) -> dict[str, Any]:
    """The document."""
    contract = one.contract
    return {
        "schema": SCHEMA,
        "eventwatch": __version__,
        "at": _value(one.now),
        "exposure": one.exposure,
        "event_type": one.event_type,
        "time_zone": one.zone,
        "team": one.team or None,
        "contract": None if contract is None else str(contract.location),
        "tier": None if contract is None else contract.tier.value,
        "muted": one.muted or None,
        "volume": None if one.volume is None else _volume(one.volume),
        "cut": None if one.cut is None else _cut(one.cut),
        "nameless": None
        if one.nameless is None
        else {"sentence": one.nameless.sentence, "trace": _trace(one.nameless.trace)},
        "others": [result_json(result) for result in one.others],
        "notes": list(one.notes),
    }


def _volume(made: Explanation) -> dict[str, Any]:
    return {
        "status": made.status.value,
        "sentence": made.sentence,
        "why": made.why,
        "judged_at": _value(made.at),
        "late": made.late,
        "judged_by": "day" if made.by_day else "hour",
        "judged_by_why": made.judged_by,
        "learned_days": made.learned_days,
        "learning_until": _value(made.result.learning_until),
        "observed": made.observed,
        "expected": made.expected,
        "lower": made.lower,
        "upper": made.upper,
        "z": made.z,
        "p_value": made.p_value,
        "no_row_p_value": made.nothing,
        "score": made.score,
        "once_in_days": None if made.once_in is None else made.once_in / timedelta(days=1),
        "spread": made.spread,
        "deviation": made.deviation,
        "scale": made.scale,
        "threshold": _flat(made.threshold),
        "windows": [_flat(each) for each in made.windows],
        "season": _flat(made.season),
        "level": made.level,
        "level_by": made.level_by,
        "new_level": made.new_level or None,
        "common": _flat(made.common),
        "completeness": _flat(made.completeness),
        "silence": _flat(made.silence),
        "holiday": made.holiday or None,
        "said": made.said or None,
        "result": result_json(made.result),
        "promises": [result_json(each) for each in made.promises],
        "exposure": [result_json(each) for each in made.exposure],
        "trace": _trace(made.trace),
    }


def _cut(made: CutExplanation) -> dict[str, Any]:
    return {
        "dimension": made.cut.dimension,
        "value": made.cut.value,
        "status": made.result.status.value,
        "sentence": made.sentence,
        "why": made.why,
        "judged_at": _value(made.at),
        "window_seconds": _value(made.window),
        "observed": made.observed,
        "expected": made.expected,
        "lower": made.lower,
        "upper": made.upper,
        "group": made.group,
        "z": made.z,
        "score": made.score,
        "threshold": made.threshold,
        "result": result_json(made.result),
        "trace": _trace(made.trace),
    }


def _trace(trace: Trace | None) -> dict[str, Any] | None:
    return None if trace is None else trace_json(trace)


def trace_json(trace: Trace) -> dict[str, Any]:
    """What the chart shows."""
    return {
        "start_at": _value(trace.start_at),
        "step_seconds": trace.step.total_seconds(),
        "time_zone": trace.zone,
        "observed": list(trace.observed),
        "expected": list(trace.expected),
        "lower": list(trace.lower),
        "upper": list(trace.upper),
        "common": list(trace.common),
        "bad": [_flat(each) for each in trace.bad],
        "marks": [_flat(each) for each in trace.marks],
        "open_until": _value(trace.open_until),
        "shown_until": _value(trace.shown_until),
    }


def _flat(record: Any) -> dict[str, Any] | None:
    """A record's fields; spans of time are seconds and say so."""
    if record is None:
        return None
    made = {}
    for each in fields(record):
        value = getattr(record, each.name)
        name = f"{each.name}_seconds" if isinstance(value, timedelta) else each.name
        made[name] = _value(value)
    return made


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.total_seconds() if isinstance(value, timedelta) else value
