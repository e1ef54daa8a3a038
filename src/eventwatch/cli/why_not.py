"""``eventwatch why-not``: why nobody was told of an event type."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption, OutputOption

if TYPE_CHECKING:
    from eventwatch.app.why_not import Answer, WhyNot

EPILOG = (
    "Exit codes: 0 the question was answered, whatever the answer is; 2 the configuration, the contracts "
    "or the command line are wrong, or nobody knows the event type; 3 something could not be measured."
)


SCHEMA = "eventwatch.why-not/1"


class WhyNotFormat(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


def why_not(  # noqa: PLR0917 - each argument is an option of the command
    event_type: Annotated[
        str, typer.Option("--event-type", "-t", metavar="NAME", help="Spelled as in the data.")
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="As of a past instant: 2026-03-01T12:00, 2026-03-01, yesterday, '2h ago'. UTC unless it "
            "says otherwise.",
        ),
    ] = None,
    exposure: Annotated[
        str | None, typer.Option("--exposure", "-e", metavar="NAME", help="Only in this exposure.")
    ] = None,
    form: Annotated[
        WhyNotFormat, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = WhyNotFormat.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Say why nobody was told, or who was.

    Follows the event type from its contract over what was observed and expected, the threshold,
    learning, silences and inhibition to the delivery, and says at which link it stopped.

    Example:

        eventwatch why-not --event-type invoice_sent --at '3h ago'
    """
    from eventwatch import app
    from eventwatch.app import why_not as asked
    from eventwatch.cli import selection
    from eventwatch.cli.codes import UNMEASURED
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import refuse
    from eventwatch.cli.instant import parse_instant
    from eventwatch.cli.output import write_answer

    house = app.load(config)
    now = datetime.now(UTC)
    try:
        when = None if at is None else parse_instant(at, now)
    except ValueError as error:
        refuse(f"--at: {error}")
        raise
    chosen: tuple[str, ...] = ()
    if exposure is not None:
        try:
            chosen = selection.exposures([exposure], [e.name for e in house.settings.exposures])
        except selection.NoMatch as error:
            refuse(str(error))
    answer = asked.why_not(house, app.RunOptions(exposures=chosen, at=when), event_type)
    for name, reason in answer.unmeasured:
        complain(f"{name}: {reason}")
    if not answer.found and not answer.unmeasured:
        refuse(str(selection.no_match("event type", event_type, answer.known)))
    text = _json(answer) if form is WhyNotFormat.JSON else "\n".join(map(_text, answer.found))
    write_answer(text, output)
    if answer.unmeasured and not answer.found:
        raise typer.Exit(UNMEASURED)


def _text(one: WhyNot) -> str:
    from eventwatch.cli.incidents_view import at, safe

    lines = [f"{safe(one.event_type)} in {safe(one.exposure)}, as of {at(one.at)}", ""]
    for link in one.links:
        mark = "  " if link.goes_on else "▸ "
        lines.append(f"{mark}{safe(link.name, 28):<22}{safe(link.text)}")
    stopped = one.stopped
    end = "its owner was told" if stopped is None else f"stopped at: {safe(stopped.name, 28)}"
    return "\n".join([*lines, "", end]) + "\n"


def _json(answer: Answer) -> str:
    found = [
        {
            "exposure": one.exposure,
            "event_type": one.event_type,
            "at": one.at.astimezone(UTC).isoformat(),
            "stopped_at": None if one.stopped is None else one.stopped.name,
            "links": [{"name": k.name, "goes_on": k.goes_on, "text": k.text} for k in one.links],
        }
        for one in answer.found
    ]
    record = {"schema": SCHEMA, "found": found, "unmeasured": dict(answer.unmeasured)}
    text = json.dumps(record, indent=2)
    return text + "\n"
