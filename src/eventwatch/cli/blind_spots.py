"""``eventwatch blind-spots``: what would be told of each event type, and what would not."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import (
    ConfigOption,
    EventTypesOption,
    ExposuresOption,
    OutputOption,
)

if TYPE_CHECKING:
    from eventwatch.app import House, RunOptions
    from eventwatch.app.blind_spots import BlindSpots

EPILOG = (
    "Exit codes: 0 the question was answered; 1 --fail-on-blind was given and so many event types are "
    "blind; 2 the configuration, the contracts or the command line are wrong; 3 something could not be "
    "measured. 1 wins over 3."
)


class BlindFormat(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


class Within(StrEnum):
    """Times in which a stop should be told."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"


def blind_spots(  # noqa: PLR0917 - each argument is an option of the command
    config: ConfigOption = Path("config.yaml"),
    within: Annotated[
        Within,
        typer.Option(
            "--within",
            "-w",
            help="An event type is blind when a drop to zero would not be told within this time.",
        ),
    ] = Within.DAY,
    exposure: ExposuresOption = None,
    event_type: EventTypesOption = None,
    team: Annotated[
        list[str] | None,
        typer.Option("--team", metavar="NAME", help="Only what this team owns; repeatable."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="As of a past instant: 2026-03-01T12:00, 2026-03-01, yesterday, '2h ago'. UTC "
            "unless it says otherwise.",
        ),
    ] = None,
    form: Annotated[
        BlindFormat, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = BlindFormat.TABLE,
    output: OutputOption = None,
    fail_on_blind: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Exit code 1 when N or more event types are blind; --fail-on-blind 1 for any.",
        ),
    ] = None,
) -> None:
    """Say how large a change must be before it is told.

    For each event type: the smallest drop and the smallest rise that would be told within an hour,
    six hours and a day of their beginning, nine times in ten, whatever hour they begin; and after how
    long a stop would be told. Those of which not even a stop would be told come first, with what to
    do. It rests on the counts so far, the checks and the contracts as they are; nothing is sent.

    Examples:

        eventwatch blind-spots

        eventwatch blind-spots --team growth --within 6h

        eventwatch blind-spots --format json --fail-on-blind 1
    """
    from eventwatch import app
    from eventwatch.app.blind_spots import blind_spots as look_for
    from eventwatch.cli.faults import refuse, show_warnings
    from eventwatch.cli.instant import parse_instant
    from eventwatch.cli.progress import progress_bar

    instant: datetime | None = None
    if at is not None:
        try:
            instant = parse_instant(at, datetime.now(UTC))
        except ValueError as error:
            refuse(f"--at: {error}")
    with progress_bar(sys.stderr) as progress:
        progress(float("nan"), "reading config and contracts")
        house = app.load(config)
        options = replace(
            _options(house, exposure or [], event_type or [], team or []),
            at=instant,
            progress=progress,
        )
        found = look_for(house, options, list(Within).index(within))
    show_warnings(house.warnings)
    _refuse_unmatched(house, options, found)
    _answer(found, form, output, fail_on_blind)
    raise typer.Exit(found.exit_code(fail_on_blind))


def _options(
    house: House, exposure: list[str], event_type: list[str], team: list[str]
) -> RunOptions:
    from eventwatch import app
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    directory = house.directory()
    owners = {c.owner.team for c in house.catalog.contracts.values() if c.owner.team}
    known_teams = {*directory.known(), directory.fallback_team, *owners}
    try:
        return app.RunOptions(
            exposures=selection.exposures(exposure, [e.name for e in house.settings.exposures]),
            event_types=tuple(event_type),
            teams=selection.teams(team, known_teams),
        )
    except selection.NoMatch as error:
        refuse(str(error))
        raise


def _refuse_unmatched(house: House, options: RunOptions, found: BlindSpots) -> None:
    """A pattern may mean an event type that nobody declared, so it is held against the data too."""
    from eventwatch.cli import selection
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import refuse

    if any(e.error for e in found.exposures):
        return
    seen = {s.event_type for e in found.exposures for s in e.event_types}
    names = {*house.catalog.contracts, *seen}
    for pattern in selection.unmatched(options.event_types, names):
        message = str(selection.no_match("event type", pattern, names))
        if found.total:
            complain(f"warning: {message}")
        else:
            refuse(message)


def _answer(
    found: BlindSpots, form: BlindFormat, output: Path | None, fail_on_blind: int | None
) -> None:
    from eventwatch.cli.output import write_answer

    if form is BlindFormat.JSON:
        from eventwatch.cli.blind_spots_json import json_text

        write_answer(json_text(found, fail_on_blind), output)
        return
    from eventwatch.cli.blind_spots_table import print_table, table_text
    from eventwatch.cli.console import PIPE_WIDTH

    if output is None:
        print_table(found)
    else:
        write_answer(table_text(found, PIPE_WIDTH), output)
