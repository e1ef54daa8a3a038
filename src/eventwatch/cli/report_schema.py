"""The JSON Schema of the JSON report, with a description of every key.

Version 1 only ever gains keys. A key that changes its meaning or goes makes version 2.
"""

from __future__ import annotations

import json
from typing import Any

from eventwatch.model.alert import AlertState, DeliveryState, Verdict
from eventwatch.model.contract import LifecycleState, Tier
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.report import Disposition

Schema = dict[str, Any]


def report_schema_text() -> str:
    """As it is written to a file."""
    return json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"


def report_schema() -> Schema:
    """Draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "eventwatch report, version 1",
        "description": "What one run found: the output of `eventwatch run-once --format json`. "
        "Instants are RFC 3339 in UTC, spans are seconds, numbers are finite. Lists are ordered: "
        "equal data gives equal output, except for run_id and cost.",
        **_object(
            schema=_const("eventwatch.report/1", "Name and version of this schema."),
            eventwatch=_text("Version of the program."),
            run_id=_text("Names the run; sortable by time; differs on every run."),
            at=_instant("The instant the exposures were judged as of."),
            recorded=_flag("true: a full cycle (--send); false: an audit that changed nothing."),
            exit_code=_enum(
                (0, 1, 3),
                "The command's exit code: 0 nothing wrong, 1 wrong data, "
                "3 something could not be measured or delivered.",
            ),
            fail_on=_enum(
                (*(s.value for s in Severity), "never"),
                "Lowest severity that makes the exit code 1.",
            ),
            worst=_nullable(_enum(Severity, "Highest severity of what is told; null: nothing is.")),
            complete=_flag("false: something could not be measured, judged or delivered."),
            fallback_team=_text("Team that is told what belongs to nobody."),
            exposures=_list(
                _ref("exposure"), "One entry per exposure, in the order of the config."
            ),
            messages=_list(
                _ref("message"),
                "With --preview or --send: messages as they would be sent or were put into the outbox.",
            ),
            outcomes=_list(_ref("outcome"), "With --send: how each attempt to send ended."),
        ),
        "$defs": {
            "exposure": _exposure(),
            "result": {"description": "What one check says of one thing.", **_object(**_result())},
            "finding": _finding(),
            "message": _message(),
            "outcome": _outcome(),
        },
    }


def _exposure() -> Schema:
    return {
        "description": "One watched table in this run.",
        **_object(
            name=_text("Its name in the config."),
            at=_instant("The instant it was judged as of."),
            error=_nullable(_text("Why it could not be measured at all; null: it was.")),
            row_count=_count("Rows in the look-back."),
            event_type_count=_count("Event types that came in the look-back."),
            last_arrival_at=_nullable(_instant("Newest arrival; null: nothing ever arrived.")),
            late_by_seconds=_nullable(_number("Age of the newest arrival.")),
            counts={
                "description": "Results by status.",
                **_object(**{s.value: _count(f"Results with status {s.value}.") for s in Status}),
            },
            findings=_list(_ref("finding"), "What is wrong with the data, worst first."),
            errors=_list(
                _ref("result"), "What could not be judged, and why: about us, not the data."
            ),
            learning=_list(_ref("result"), "What has too little history to be judged yet."),
            notes=_list(_text("A sentence."), "Further sentences for people."),
            cost={
                "description": "What the scan took; differs from run to run.",
                **_object(
                    read_from=_nullable(_instant("First load that was read; null: nothing was.")),
                    rows_read=_count("Rows that were read."),
                    statements=_count("Statements sent to the exposure."),
                    elapsed_seconds=_number("Wall time."),
                ),
            },
        ),
    }


def _result() -> dict[str, Schema]:
    return {
        "fingerprint": _text("Names the same trouble across runs."),
        "kind": _enum(KindName, "Check kind."),
        "aspect": _text("What the kind looked at, e.g. silence, lag, unseen, bucket."),
        "status": _enum(Status, "fail is about the data, error about eventwatch."),
        "severity": _enum(Severity, "How loud."),
        "event_type": _nullable(_text("Event type; null: the exposure as a whole.")),
        "cut": _nullable(
            {
                "description": "One value of a watched dimension; null: all values.",
                **_object(dimension=_text("Its name."), value=_text("Its value.")),
            }
        ),
        "summary": _text("One sentence."),
        "amount": _nullable(
            {
                "description": "Observed against expected.",
                **_object(
                    unit=_text("events, seconds, share or values."),
                    observed=_nullable(_number("What was seen; null: not a finite number.")),
                    expected=_nullable(_number("What was expected.")),
                    lower=_nullable(_number("Least that is accepted.")),
                    upper=_nullable(_number("Most that is accepted.")),
                    start_at=_nullable(_instant("Start of the span that was judged.")),
                    end_at=_nullable(_instant("Its end, not included.")),
                    z=_nullable(_number("Deviation in standard deviations.")),
                    p_value=_nullable(_number("How likely this is by chance.")),
                ),
            }
        ),
        "since": _nullable(_instant("When the trouble began in the data.")),
        "learning_until": _nullable(_instant("With status learning: when it ends.")),
        "facts": _list(
            _object(label=_text("A word or two."), text=_text("A short text.")),
            "Further things worth telling.",
        ),
        "spark": _nullable(
            {
                "description": "A short series for a small picture.",
                **_object(
                    start_at=_instant("Start of the first value's span."),
                    step_seconds=_number("Length of each span."),
                    values=_list(_nullable(_number("null: not measured.")), "Oldest first."),
                    expected=_list(
                        _nullable(_number("null: nothing was expected.")),
                        "As long as values, or empty.",
                    ),
                ),
            }
        ),
        "hold_seconds": _number("How long it must last before anybody is told."),
        "keep_seconds": _number("How long it must be good before it is resolved."),
        "total": _flag("true: total silence, told at once."),
        "check": _nullable(
            _text("Where the definition stands, file:line; null: built-in default.")
        ),
    }


def _finding() -> Schema:
    return {
        "description": "A result that is wrong, and whom it concerns.",
        **_object(
            **_result(),
            disposition=_enum(
                Disposition,
                "firing: its owner is told; pending: it has to last longer; silenced: a person muted "
                "it; suppressed: the contract switches the check off.",
            ),
            reason=_nullable(_text("Why it is pending, silenced or suppressed.")),
            owner={
                "description": "Who is told.",
                **_object(
                    team=_text("Team key; empty: nobody."),
                    channel=_nullable(_text("Slack channel.")),
                    group_id=_nullable(_text("Slack user group that is mentioned.")),
                    reason=_text("Why it goes there."),
                    is_fallback=_flag("true: nobody else answers for it."),
                ),
            },
            nearest=_list(_text("A name."), "Declared names that look like it, likest first."),
            contract=_nullable(
                {
                    "description": "The event type's contract; null: nobody declared it.",
                    **_object(
                        event_type=_text("Event type."),
                        message_name=_text("Full name of the Protobuf message."),
                        path=_text("File, relative to the contract source."),
                        line=_nullable(_integer("Line of the message.")),
                        tier=_enum(Tier, "How much depends on it."),
                        state=_enum(LifecycleState, "Where it is in its life."),
                        runbook_url=_nullable(_text("What to do when it breaks.")),
                    ),
                }
            ),
            alert=_nullable(
                {
                    "description": "What is remembered of it, or would be.",
                    **_object(
                        id=_text("Unique for ever."),
                        state=_enum(AlertState, "pending or firing."),
                        started_at=_instant("When it was first noticed."),
                        seen_at=_instant("When it was noticed last."),
                        fired_at=_nullable(_instant("When it began to be told.")),
                        notified_at=_nullable(_instant("When its owner was told last.")),
                    ),
                }
            ),
        ),
    }


def _message() -> Schema:
    return {
        "description": "One message to one channel.",
        **_object(
            key=_text("Unique; the same event never makes two."),
            channel=_text("Slack channel; may be empty where messages are printed."),
            team=_text("Team key."),
            state=_enum(DeliveryState, "Where it stands in the outbox."),
            created_at=_instant("When it was made."),
            is_fallback=_flag("true: a second try on the fallback route."),
            alert_ids=_list(_text("An alert's id."), "What it tells of."),
            text=_text("Slack mrkdwn."),
            plain=_text("The same for terminals."),
            blocks={
                "type": "array",
                "items": {"type": "object"},
                "description": "Slack Block Kit.",
            },
            last_error=_nullable(_text("Why it was withheld or refused.")),
        ),
    }


def _outcome() -> Schema:
    return {
        "description": "How one attempt to send ended.",
        **_object(
            key=_text("Of the message."),
            channel=_text("Slack channel."),
            team=_text("Team key."),
            verdict=_enum(Verdict, "sent, or what becomes of it."),
            reason=_nullable(_text("What the service said.")),
            retry_at=_nullable(_instant("When it is tried again.")),
            reference=_nullable(_text("What the service calls it.")),
        ),
    }


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _number(description: str) -> Schema:
    return {"type": "number", "description": description}


def _integer(description: str) -> Schema:
    return {"type": "integer", "description": description}


def _count(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}


def _instant(description: str) -> Schema:
    return {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
        "description": description,
    }


def _const(value: str, description: str) -> Schema:
    return {"const": value, "description": description}


def _enum(values: Any, description: str) -> Schema:
    listed = [getattr(value, "value", value) for value in values]
    return {"enum": listed, "description": description}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _nullable(schema: Schema) -> Schema:
    description = schema.get("description", "")
    inner = {key: value for key, value in schema.items() if key != "description"}
    return {"anyOf": [inner, {"type": "null"}], "description": description}
