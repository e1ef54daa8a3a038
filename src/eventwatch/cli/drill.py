"""``eventwatch drill``: what would happen if an event type broke."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption, OutputOption

if TYPE_CHECKING:
    from eventwatch.app import House
    from eventwatch.app.drill import Drilled
    from eventwatch.model.settings import Exposure

EPILOG = (
    "Exit codes: 0 it would be told; 1 nobody would be told; 2 the configuration, the contracts or the "
    "command line are wrong; 3 nothing was measured yet, or the message could not be sent."
)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*%?")


SCHEMA = "eventwatch.drill/1"


class DrillFormat(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


def drill(  # noqa: PLR0917 - each argument is an option of the command
    event_type: Annotated[
        str, typer.Option("--event-type", "-t", metavar="NAME", help="What breaks.")
    ],
    drop: Annotated[
        str,
        typer.Option("--drop", metavar="PERCENT", help="By how much it falls: 60%; 100% stops."),
    ] = "100%",
    rise: Annotated[
        float | None,
        typer.Option("--rise", metavar="TIMES", help="Instead: 3 is three times as many."),
    ] = None,
    span: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long: 45m, 3h, 1d.")
    ] = "3h",
    value: Annotated[
        str,
        typer.Option("--only", metavar="DIMENSION=VALUE", help="Only these rows: platform=ios."),
    ] = "",
    exposure: Annotated[
        str, typer.Option("--exposure", "-e", metavar="NAME", help="Where several have it.")
    ] = "",
    send: Annotated[
        str, typer.Option("--send", metavar="CHANNEL", help="Post the first message there, marked.")
    ] = "",
    form: Annotated[
        DrillFormat, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = DrillFormat.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Play a fault and show who would be told, and when.

    The fault is put into a copy of the measurements of the last hours, never into the data. Detection,
    grouping, routing and the messages are as in earnest; nothing is remembered.

    Examples:

        eventwatch drill --event-type invoice_sent --drop 60%

        eventwatch drill --event-type order_placed --only platform=ios --for 2h
    """
    from eventwatch import app
    from eventwatch.app import drill as drills
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli.faults import refuse
    from eventwatch.cli.output import write_answer
    from eventwatch.cli.progress import progress_line
    from eventwatch.model.durations import parse_duration

    try:
        lasts = parse_duration(span)
    except ValueError as error:
        refuse(f"--for: {error}")
        raise
    dimension, _, wanted = value.partition("=")
    if value and not (dimension and wanted):
        refuse("--only must be DIMENSION=VALUE, like platform=ios")
    house = app.load(config)
    fault = drills.Fault(event_type, _keeps(drop, rise), lasts, dimension, wanted)
    with progress_line(sys.stderr) as progress:
        try:
            done = drills.drill(house, _exposure(house, exposure, event_type), fault, progress)
        except Unclear as error:
            refuse(str(error))
            raise
    write_answer(_json(done) if form is DrillFormat.JSON else _text(done), output)
    if send:
        _send(house, done, send)
    if done.told_after is None:
        raise typer.Exit(1)


def _keeps(drop: str, rise: float | None) -> float:
    from eventwatch.cli.faults import refuse

    if rise is not None:
        if not 1.0 < rise <= 1000.0:
            refuse("--rise must be more than 1 and at most 1000")
        return rise
    found = _PERCENT.fullmatch(drop.strip())
    if found is None or not 0 < float(found[1]) <= 100:
        refuse("--drop must be a percentage from 1% to 100%")
        raise AssertionError
    return 1.0 - float(found[1]) / 100


def _exposure(house: House, wanted: str, event_type: str) -> Exposure:
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    names = [e.name for e in house.settings.exposures]
    if wanted:
        try:
            selection.exposures([wanted], names)
        except selection.NoMatch as error:
            refuse(str(error))
        return next(e for e in house.settings.exposures if e.name == wanted)
    contract = house.catalog.of(event_type)
    fits = [e for e in house.settings.exposures if contract is None or contract.lands_in(e.name)]
    if len(fits) != 1:
        refuse(f"say where: --exposure with one of {', '.join(names)}")
    return fits[0]


def _text(done: Drilled) -> str:
    from eventwatch.cli.incidents_view import at, safe
    from eventwatch.model.durations import format_duration

    only = f" ({done.fault.dimension}={done.fault.value})" if done.fault.value else ""
    lines = [
        f"drill: {safe(done.fault.event_type + only)} in {safe(done.exposure)}",
        f"  {done.rows_before:,} rows became {done.rows_after:,}, {at(done.began_at)} to "
        f"{at(done.ended_at)}; a cycle every {format_duration(done.step)}",
        "",
    ]
    for event in done.events:
        after = format_duration(abs(event.at - done.began_at))
        lines.append(f"  +{after:<12}{safe(event.what, 160)}")
    lines.append("")
    if not done.rows_before:
        lines.append(
            "no row of it came in that time, so nothing could go missing: drill a longer --for"
        )
    elif done.told_after is None:
        lines.append("nobody would be told; `eventwatch blind-spots` says what could be seen")
    else:
        lines.append(f"told after {format_duration(done.told_after)}")
        first = done.messages[0]
        lines += ["", f"to {safe(first.channel or 'standard output', 80)}"]
        lines += [f"  │ {line}" for line in first.message.plain.split("\n")]
    return "\n".join(lines) + "\n"


def _json(done: Drilled) -> str:
    record = {
        "schema": SCHEMA,
        "exposure": done.exposure,
        "event_type": done.fault.event_type,
        "keeps": done.fault.keeps,
        "began_at": done.began_at.astimezone(UTC).isoformat(),
        "ended_at": done.ended_at.astimezone(UTC).isoformat(),
        "step_seconds": done.step.total_seconds(),
        "rows_before": done.rows_before,
        "rows_after": done.rows_after,
        "told_after_seconds": None if done.told_after is None else done.told_after.total_seconds(),
        "events": [{"at": e.at.astimezone(UTC).isoformat(), "what": e.what} for e in done.events],
        "messages": [
            {"channel": m.channel, "team": m.team, "text": m.message.plain} for m in done.messages
        ],
    }
    return json.dumps(record, indent=2) + "\n"


def _send(house: House, done: Drilled, channel: str) -> None:
    """One message, marked, to a channel of the person's choice; nothing of it is remembered."""
    from dataclasses import replace
    from datetime import datetime

    from eventwatch import app
    from eventwatch.alerting.routing import usable_channel
    from eventwatch.cli.codes import UNMEASURED
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import refuse
    from eventwatch.model.alert import Verdict

    if not usable_channel(channel):
        refuse("--send must be #name or a channel id")
    if not done.messages:
        complain("there is no message to send")
        return
    first = done.messages[0]
    mark = "DRILL, nothing is wrong. "
    note = {"type": "section", "text": {"type": "mrkdwn", "text": f"*{mark.strip()}*"}}
    blocks = json.dumps([note, *json.loads(first.message.blocks or "[]")], ensure_ascii=False)
    message = replace(
        first.message,
        text=mark + first.message.text,
        blocks=blocks,
        plain=mark + first.message.plain,
    )
    now = datetime.now(UTC)
    row = replace(
        first, key=f"drill {now.isoformat()}", channel=channel, message=message, post_id=""
    )
    outcome = app.notifier(house.settings.notify).send(row, now)
    if outcome.verdict is not Verdict.SENT:
        complain(f"not sent: {outcome.reason}")
        raise typer.Exit(UNMEASURED)
    print(f"sent to {channel}")
