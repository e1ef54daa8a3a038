"""The JSON Schema of ``eventwatch incidents explain --format json``, with a description of every key.

Version 1 only ever gains keys. A key that changes its meaning or goes makes version 2.
"""

from __future__ import annotations

import json
from typing import Any

from eventwatch.app.rejudged import Agreement
from eventwatch.cli.report_schema import report_schema
from eventwatch.cli.schema_parts import Schema, described, listed, or_null
from eventwatch.model.alert import Action, AlertState, DeliveryState
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import IncidentState, MomentKind, Role
from eventwatch.model.status import Severity

_INSTANT: Schema = {"type": "string", "format": "date-time"}
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_RESULT: Schema = {"$ref": "#/$defs/result"}


def incidents_schema_text() -> str:
    """As it is written to a file."""
    return json.dumps(incidents_schema(), indent=2, ensure_ascii=False) + "\n"


def incidents_schema() -> Schema:
    """Draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "eventwatch incident, version 1",
        "description": "Why an incident is one: the output of `eventwatch incidents explain ID "
        "--format json`. Instants are RFC 3339 in UTC, spans are seconds, numbers are finite.",
        **described(
            schema=({"const": "eventwatch.incident/1"}, "Name and version of this schema."),
            eventwatch=(_TEXT, "Version of the program."),
            incident=(_incident(), "The incident as it is now."),
            decisions=(listed(_decision()), "Its alerts, the open ones first."),
            moments=(listed(_moment()), "What happened to it, oldest first."),
            told=(listed(_told()), "Everybody who hears of it, the owner first."),
        ),
        "$defs": {"result": report_schema()["$defs"]["result"]},
    }


def _incident() -> Schema:
    return described(
        id=(_TEXT, "What people type."),
        state=(_enum(IncidentState), "Where in its life it is."),
        severity=(_enum(Severity), "Of its loudest open alert."),
        cause=(
            described(
                kind=(_enum(CauseKind), "What sort of cause."),
                exposure=(_TEXT, "Empty for a source that several exposures share."),
                subject=(_TEXT, "What it is about."),
                event_type=(or_null(_TEXT), "Of an event type or a rename."),
                detail=(_TEXT, "One sentence; may be empty."),
            ),
            "What its alerts have in common.",
        ),
        owner=(
            described(
                team=(_TEXT, "Its key; may be empty."),
                channel=(_TEXT, "Empty: standard output."),
                reason=(_TEXT, "Why it goes there."),
            ),
            "Who answers for it.",
        ),
        others=(
            listed(
                described(
                    role=(_enum(Role), "Why they hear of it."),
                    team=(_TEXT, "Its key."),
                    channel=(_TEXT, "Where."),
                )
            ),
            "Who else hears of it.",
        ),
        began_at=(_INSTANT, "In the data, as far as known."),
        opened_at=(_INSTANT, "By our clock."),
        told_at=(or_null(_INSTANT), "When its first message was made; null: none yet."),
        good_since=(or_null(_INSTANT), "Since when nothing of it fails; null: something does."),
        resolved_at=(or_null(_INSTANT), "When it was over."),
        end_reason=(_TEXT, "Why it was over; empty before."),
        late_seconds=(or_null(_NUMBER), "The rows came after all, so much later."),
        acknowledged_by=(_TEXT, "Empty: nobody."),
        muted_because=(_TEXT, "Why nobody is told; empty: somebody is."),
        reopened=(_COUNT, "How often it came back."),
        alert_ids=(listed(_TEXT), "Its alerts."),
    )


def _decision() -> Schema:
    return described(
        alert_id=(_TEXT, "Of the alert."),
        exposure=(_TEXT, "The table that was judged."),
        state=(_enum(AlertState), "Where in its life it is."),
        explained=(_FLAG, "true: the cause of the incident speaks for it."),
        decided_at=(_INSTANT, "The cycle that it failed in last, whose numbers are kept."),
        started_at=(_INSTANT, "The cycle that it failed in first."),
        fired_at=(or_null(_INSTANT), "When it had lasted long enough; null: not yet."),
        ended_at=(or_null(_INSTANT), "When it was over."),
        end_reason=(or_null(_TEXT), "Why it was over."),
        decided=(_RESULT, "What was decided, with its numbers."),
        decided_with=(
            or_null(
                described(
                    version=(_TEXT, "Of eventwatch."),
                    contracts=(_TEXT, "Digest of the contracts."),
                    checks=(_TEXT, "Digest of the check definitions."),
                    exposure=(_TEXT, "Digest of the exposure's settings."),
                )
            ),
            "What it was decided with beside the rows; null: that was not kept then.",
        ),
        again=(or_null(_again()), "The same judged once more; null: it was not asked for."),
    )


def _again() -> Schema:
    return described(
        agreement=(
            _enum(Agreement),
            "same; close: but for what the measurements of then leave open; other: it fails on other "
            "numbers; passes: it would not fail; unknown: it could not be judged again.",
        ),
        reasons=(listed(_TEXT), "Why it differs or could not be judged, and what changed since."),
        result=(or_null(_RESULT), "What comes out; null: nothing does."),
        score=(or_null(_NUMBER), "Of counts: what is held against the threshold."),
        threshold=(
            or_null(
                described(
                    score=(_NUMBER, "To be reached."),
                    z=(or_null(_NUMBER), "A plain |z| that is set instead; null: none is."),
                    source=(or_null(_TEXT), "file:line where it was set; null: built in."),
                )
            ),
            "Of counts; null: they have none, or were not explained.",
        ),
        season=(or_null(_NUMBER), "Of counts: the hour against the average one."),
        came_later=(
            _COUNT,
            "Rows of the judged span that came after the cycle, later than rows usually do.",
        ),
        in_time=(or_null(_RESULT), "What would have been said with these; null: there are none."),
    )


def _moment() -> Schema:
    return described(
        at=(_INSTANT, "When."),
        kind=(_enum(MomentKind), "What."),
        author=(_TEXT, "Who; empty: eventwatch."),
        text=(_TEXT, "In words; may be empty."),
    )


def _told() -> Schema:
    return described(
        role=(_enum(Role), "Why they hear of it."),
        team=(or_null(_TEXT), "Its key."),
        channel=(or_null(_TEXT), "null: standard output."),
        reason=(_TEXT, "Why it goes there."),
        messages=(
            listed(
                described(
                    action=(_enum(Action), "What it does in the channel."),
                    state=(_enum(DeliveryState), "What became of it."),
                    created_at=(_INSTANT, "When it was decided."),
                    sent_at=(or_null(_INSTANT), "When the service had it."),
                    reason=(or_null(_TEXT), "Why it was withheld, or not taken."),
                )
            ),
            "Every row of the outbox, oldest first.",
        ),
        why_no_message=(or_null(_TEXT), "null: there is one."),
    )


def _enum(of: Any) -> Schema:
    return {"enum": [each.value for each in of]}
