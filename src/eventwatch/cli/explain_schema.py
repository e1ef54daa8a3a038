"""The JSON Schema of ``eventwatch explain --format json``, with a description of every key.

Version 1 only ever gains keys. A key that changes its meaning or goes makes version 2.
"""

from __future__ import annotations

import json

from eventwatch.cli.report_schema import report_schema
from eventwatch.cli.schema_parts import Schema, described, listed, or_null
from eventwatch.model.contract import Tier
from eventwatch.model.status import Status

_INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_FLAG: Schema = {"type": "boolean"}
_RESULT: Schema = {"$ref": "#/$defs/result"}
_VALUES: Schema = {"type": "array", "items": {"type": ["number", "null"]}}


def explain_schema_text() -> str:
    """As it is written to a file."""
    return json.dumps(explain_schema(), indent=2, ensure_ascii=False) + "\n"


def explain_schema() -> Schema:
    """Draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "eventwatch explain, version 1",
        "description": "Why one event type is judged as it is: the output of `eventwatch explain "
        "--format json`. Instants are RFC 3339 in UTC, spans are seconds, numbers are finite.",
        **described(
            schema=({"const": "eventwatch.explain/1"}, "Name and version of this schema."),
            eventwatch=(_TEXT, "Version of the program."),
            at=(_INSTANT, "The instant that is explained."),
            exposure=(_TEXT, "The exposure's name in the config."),
            event_type=(or_null(_TEXT), "The event type; null: the rows without one."),
            time_zone=(_TEXT, "Whose hours and days the season and the chart follow."),
            team=(or_null(_TEXT), "Who would be told; null: nobody."),
            contract=(or_null(_TEXT), "file:line of its contract; null: none declares it."),
            tier=(or_null({"enum": [t.value for t in Tier]}), "How much depends on it."),
            muted=(or_null(_TEXT), "Why nobody is told of what volume says; null: somebody is."),
            volume=(
                or_null(_volume()),
                "The volume check; null: no row of it came in the look-back.",
            ),
            cut=(
                or_null(_cut()),
                "The value of a dimension that was asked for (--only); null: none was.",
            ),
            nameless=(
                or_null(
                    described(
                        sentence=(_TEXT, "How many came."),
                        trace=(or_null(_trace()), "What the chart shows; null: nothing yet."),
                    )
                ),
                "The rows without an event type (--null-type), which volume does not judge.",
            ),
            others=(
                listed(_RESULT),
                "What freshness, drift and duplicates say of it, and whether the exposure is late.",
            ),
            notes=(listed(_TEXT), "Further sentences for people."),
        ),
        "$defs": {"result": report_schema()["$defs"]["result"]},
    }


def _volume() -> Schema:
    number = or_null(_NUMBER)
    return described(
        status=({"enum": [s.value for s in Status]}, "What the check says."),
        sentence=(_TEXT, "Observed against expected in units of its own spread."),
        why=(_TEXT, "What the status follows from."),
        judged_at=(
            _INSTANT,
            "As of when counts are judged: `at`, or the last load of a late table.",
        ),
        late=(_FLAG, "true: nothing was loaded for longer than usual."),
        judged_by=({"enum": ["hour", "day"]}, "Width of the buckets that decide."),
        judged_by_why=(_TEXT, "Why that width."),
        learned_days=(_NUMBER, "Days of history it has."),
        learning_until=(or_null(_INSTANT), "With status learning: when there is enough."),
        observed=(
            number,
            "Rows in the window that spoke, or since the last row; null: none spoke.",
        ),
        expected=(number, "Rows expected in it."),
        lower=(number, "99 of 100 quiet windows lie from here"),
        upper=(number, "to here."),
        z=(number, "Of the window that spoke, calibrated by the event type's own record."),
        p_value=(
            number,
            "Two-sided, of z; where the silence since the last row spoke, its chance.",
        ),
        no_row_p_value=(
            number,
            "Chance of no row in the window that spoke, by counting; null: some came.",
        ),
        score=(number, "What is held against the threshold; e times rarer for each 0.5."),
        once_in_days=(number, "How seldom it strays so far by itself; 3650 is ten years and more."),
        spread=(number, "Relative variance beyond chance, with what is not known."),
        deviation=(number, "One standard deviation of the window, relative."),
        scale=(number, "By how much |z| was divided, because it strays like that by itself."),
        threshold=(
            or_null(
                described(
                    score=(_NUMBER, "For a window with rows."),
                    silent_score=(_NUMBER, "For a window without a row."),
                    z=(number, "A plain |z| that is set instead of both; null: none is."),
                    budget=(_NUMBER, "False alerts allowed per team and week."),
                    team=(_TEXT, "Whose budget; empty: of all that no team owns."),
                    team_size=(_NUMBER, "Event types among which it is shared."),
                    false_per_day=(_NUMBER, "What this event type gets of it."),
                    capped=(_FLAG, "true: its share would be more than any event type may have."),
                    source=(_TEXT, "file:line where it was set; empty: built in."),
                )
            ),
            "What must be reached to be told, and where it comes from.",
        ),
        windows=(
            listed(
                described(
                    start_at=(_INSTANT, "Its start."),
                    end_at=(_INSTANT, "Its end, or as far as it has come."),
                    length_seconds=(_NUMBER, "Its length in whole buckets."),
                    observed=(_NUMBER, "Rows in it."),
                    expected=(_NUMBER, "Rows expected, with what the others do."),
                    others=(_NUMBER, "By how much the others moved that, relative."),
                    z=(_NUMBER, "By its own spread."),
                    calibrated=(_NUMBER, "By what is rare for this event type."),
                    spoke=(_FLAG, "true: it decides."),
                )
            ),
            "All that end with the newest bucket and could be judged, shortest first.",
        ),
        season=(
            or_null(
                described(
                    factor=(_NUMBER, "Against the average bucket of the last seven days."),
                    words=(_TEXT, "The same as a sentence."),
                )
            ),
            "What is usual at this time.",
        ),
        level=(number, "Rows of an average bucket."),
        level_by=({"enum": ["hour", "day"]}, "Which bucket."),
        new_level=(or_null(_TEXT), "That another level was lately taken for the usual one."),
        common=(
            or_null(
                described(
                    movement=(_NUMBER, "Of all event types in the newest bucket, relative."),
                    together=(_FLAG, "true: most of the table moves at once."),
                    shared=(_NUMBER, "What it is expected to share in the window that spoke."),
                    spoke=(_FLAG, "true: that changed what was expected by 2 % or more."),
                    own_z=(_NUMBER, "z by its own past alone."),
                    z=(_NUMBER, "z against the others."),
                )
            ),
            "What the other event types say.",
        ),
        completeness=(
            or_null(
                described(
                    share=(_NUMBER, "Part of the newest bucket's rows that can be there."),
                    doubt=(_NUMBER, "Its standard deviation, relative to it."),
                )
            ),
            "How complete the newest bucket is.",
        ),
        silence=(
            or_null(
                described(
                    last_row_at=(_INSTANT, "End of the last five minutes with a row."),
                    quiet_seconds=(_NUMBER, "Time since then."),
                    expected=(_NUMBER, "Rows that are counted on in such a time."),
                    p_value=(_NUMBER, "The chance of none."),
                    limit=(_NUMBER, "Under it the silence is told."),
                )
            ),
            "The fast test: has it just stopped.",
        ),
        holiday=(or_null(_TEXT), "Holidays of the newest bucket's day."),
        said=(or_null(_TEXT), "What a person said of the newest bucket."),
        result=(_RESULT, "As run-once gives it."),
        promises=(listed(_RESULT), "What its contract promises outright: floor, ceiling."),
        exposure=(listed(_RESULT), "What volume says of the table as a whole."),
        trace=(or_null(_trace()), "What the chart shows; null: nothing yet."),
    )


def _cut() -> Schema:
    number = or_null(_NUMBER)
    return described(
        dimension=(_TEXT, "A watched dimension."),
        value=(_TEXT, "Its value."),
        status=({"enum": [s.value for s in Status]}, "What the check says."),
        sentence=(_TEXT, "Observed against expected, of so many rows of the event type."),
        why=(_TEXT, "What the status follows from."),
        judged_at=(_INSTANT, "End of the newest hour that is over."),
        window_seconds=(number, "The hours up to then that spoke."),
        observed=(number, "Rows with the value in them."),
        expected=(number, "Expected, of so many rows of the event type."),
        lower=(number, "99 of 100 quiet windows lie from here"),
        upper=(number, "to here."),
        group=(number, "Rows of the event type in the same hours."),
        z=(number, "Of the share, calibrated by its own record."),
        score=(number, "What is held against the threshold."),
        threshold=(number, "The score to be told from."),
        result=(_RESULT, "As run-once says it."),
        trace=(or_null(_trace()), "What the chart shows; null: nothing yet."),
    )


def _trace() -> Schema:
    span = described(start_at=(_INSTANT, "Start."), end_at=(_INSTANT, "End, not included."))
    mark = described(at=(_INSTANT, "Where."), text=(_TEXT, "What."))
    return described(
        start_at=(_INSTANT, "Start of the first bucket."),
        step_seconds=(_NUMBER, "Width of a bucket; days follow the local calendar."),
        time_zone=(_TEXT, "Of its axis."),
        observed=(_VALUES, "Rows of each bucket; null: not measured."),
        expected=(_VALUES, "As long as observed, or empty; null: nothing is known."),
        lower=(_VALUES, "99 of 100 quiet buckets lie from here"),
        upper=(_VALUES, "to here."),
        common=(_VALUES, "How far all event types together were off, relative."),
        bad=(listed(span), "What is marked as bad."),
        marks=(listed(mark), "Instants worth a word."),
        open_until=(
            or_null(_INSTANT),
            "The last bucket has come as far as this; null: it is over.",
        ),
        shown_until=(or_null(_INSTANT), "Where the chart ends, if nothing was loaded up to then."),
    )
