"""``eventwatch silence``: mute something for a while."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption, OutputOption
from eventwatch.cli.remembered import opened

if TYPE_CHECKING:
    from eventwatch.app import House

app = typer.Typer(
    help="Mute something for a while.\n\nIt is still shown, but nobody is told.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("add")
def add(  # noqa: PLR0917 - each argument is an option of the command
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever asks.")
    ],
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long: 30m, 4h, 2d.")] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="INSTANT",
            help="Until when, instead of --for: 2026-12-01T08:00. UTC unless it says otherwise.",
        ),
    ] = "",
    event_type: Annotated[
        list[str] | None,
        typer.Option(
            "--event-type", "-t", metavar="GLOB", help="Event types that match; repeatable."
        ),
    ] = None,
    exposure: Annotated[
        list[str] | None,
        typer.Option("--exposure", "-e", metavar="NAME", help="This exposure; repeatable."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            "--check",
            "-k",
            metavar="KIND",
            help="This check: freshness, drift, volume or duplicates; repeatable.",
        ),
    ] = None,
    team: Annotated[
        str, typer.Option("--team", metavar="NAME", help="What this team would be told.")
    ] = "",
    dimension: Annotated[
        str, typer.Option("--dimension", metavar="NAME", help="Values of this watched dimension.")
    ] = "",
    value: Annotated[
        str, typer.Option("--value", metavar="VALUE", help="This value of the dimension.")
    ] = "",
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Mute something from now on.

    What matches every option given is muted; of --event-type, --exposure and --kind each may be given
    several times, and any of them is enough.

    Examples:

        eventwatch silence add --event-type 'user_followed_*' --for 4h --reason 'migration tonight'

        eventwatch silence add --team growth --kind volume --for 1d --reason 'campaign'

        eventwatch silence add --exposure events --until 2026-12-01T08:00 --reason 'the move'
    """
    from eventwatch import app as wiring
    from eventwatch.app import silence as silences
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse
    from eventwatch.cli.silence_view import instant, scope
    from eventwatch.model.alert import Silence
    from eventwatch.model.names import team_key

    if not (event_type or exposure or kind or team or dimension or value):
        refuse("say what to mute: --event-type, --exposure, --kind, --team or --dimension")
    now = datetime.now(UTC)
    ends_at = _end(span, until, now)
    if not reason.strip():
        refuse("--reason must not be empty")
    house = wiring.load(config)
    try:
        kinds = [k.value for k in selection.kinds(kind)] if kind else []
        if exposure:
            selection.exposures(exposure, [e.name for e in house.settings.exposures])
        if team:
            directory = house.directory()
            selection.teams([team], {*directory.known(), directory.fallback_team})
        if dimension:
            watched = sorted({d.name for e in house.settings.exposures for d in e.dimensions})
            if selection.unmatched([dimension], watched):
                raise selection.no_match("watched dimension", dimension, watched)
    except selection.NoMatch as error:
        refuse(str(error))
    wanted = [
        Silence(
            id="",
            event_type=event_type_,
            exposure=exposure_,
            kind=kind_,
            team=team_key(team),
            reason=reason,
            author=os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody",
            starts_at=now,
            ends_at=ends_at,
            dimension=dimension,
            value=value,
        )
        for event_type_, exposure_, kind_ in product(
            dict.fromkeys(event_type or ("",)), dict.fromkeys(exposure or ("",)), kinds or ("",)
        )
    ]
    _warn_of_unknown(house, event_type or ())
    store = wiring.store(house)
    try:
        made = silences.add(store, wanted, now)
    finally:
        store.close()
    if not made:
        print("it is muted already, for as long: eventwatch silence list")
    for one in made:
        print(f"muted {scope(one)} until {instant(one.ends_at)}")
        print(f"to end it: eventwatch silence end {one.id}")


class Format(StrEnum):
    """How the list is written."""

    TABLE = "table"
    JSON = "json"


@app.command("list")
def list_silences(
    past: Annotated[
        bool, typer.Option("--all", help="Those that ended in the last 90 days, too.")
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = Format.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """List what is muted now, or will be.

    Until when, by whom, why, and how many incidents it held back so far. Maintenance windows of
    config.yaml are in it while they are open, and with their next opening.

    Examples:

        eventwatch silence list

        eventwatch silence list --all
    """
    from eventwatch import app as wiring
    from eventwatch.app.silence import LONGEST, listed
    from eventwatch.cli import silence_view as view
    from eventwatch.cli.output import write_answer

    house = wiring.load(config)
    reader = wiring.reader(house)
    now = datetime.now(UTC)
    since = now - LONGEST if past else None
    try:
        rows = listed(reader, house.settings.maintenance, now, ended_since=since)
    finally:
        if reader is not None:
            reader.close()
    text = view.list_json(rows, now) if form is Format.JSON else view.list_table(rows, now)
    write_answer(text, output)


@app.command("end")
def end(
    silence_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="As shown by `silence list`, or how it begins."),
    ],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """End a silence now.

    What is still wrong is told with the next cycle, and one line per channel says what the silence
    hid. A maintenance window ends with its hours, or in config.yaml.

    Example:

        eventwatch silence end 5f3a9c02
    """
    from eventwatch import app as wiring
    from eventwatch.app import silence as silences
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli.faults import refuse

    house = wiring.load(config)
    try:
        silences.can_be_ended(silence_id)
        with closing(opened(house)) as store:
            silences.end(store, silence_id, datetime.now(UTC))
    except Unclear as error:
        refuse(f"{error}; `eventwatch silence list --all` shows them")
    print("ended")


def _end(span: str, until: str, now: datetime) -> datetime:
    from eventwatch.app.silence import LONGEST
    from eventwatch.cli.faults import refuse
    from eventwatch.cli.instant import parse_coming
    from eventwatch.model.durations import format_duration, parse_duration

    if bool(span) == bool(until):
        refuse("say how long with --for, or until when with --until: one of the two")
    name = "--for" if span else "--until"
    try:
        ends_at = now + parse_duration(span) if span else parse_coming(until, now)
    except (ValueError, OverflowError) as error:
        refuse(f"{name}: {error}")
        raise
    if not now < ends_at <= now + LONGEST:
        refuse(
            f"{name} must be more than nothing and at most {format_duration(LONGEST)}; what is "
            "never to be told belongs into the contract or into checks/"
        )
    return ends_at


def _warn_of_unknown(house: House, event_types: Sequence[str]) -> None:
    from eventwatch.cli import selection
    from eventwatch.cli.console import complain

    for pattern in selection.unmatched(event_types, house.catalog.contracts):
        message = selection.no_match("declared event type", pattern, house.catalog.contracts)
        complain(f"warning: {message}")
