"""``eventwatch backtest``: what the checks would have told in the past, and what other ones would."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import (
    ChecksOption,
    ConfigOption,
    EventTypesOption,
    ExposuresOption,
    OutputOption,
)

if TYPE_CHECKING:
    from eventwatch.app import House, RunOptions
    from eventwatch.backtest.report import Backtest, Limits
    from eventwatch.backtest.span import Span

EPILOG = (
    "Exit codes: 0 the replay ran and no limit was passed; 1 a limit (--fail-on-more, --fail-on-added, "
    "--fail-on-removed) was passed; 2 the configuration, the checks or the command line are wrong; "
    "3 something could not be measured or judged. 1 wins over 3."
)


class BacktestFormat(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


def backtest(  # noqa: PLR0917 - each argument is an option of the command
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="INSTANT",
            help="First cycle: 2026-03-01T12:00, 2026-03-01, yesterday, '60d ago'. UTC unless it "
            "says otherwise.",
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="INSTANT", help="Last cycle, written alike.")
    ] = "now",
    config: ConfigOption = Path("config.yaml"),
    step: Annotated[
        str,
        typer.Option(
            "--step", metavar="SPAN", help="From one cycle to the next: a multiple of 5 minutes."
        ),
    ] = "1h",
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            metavar="CHECKS",
            help="Another folder or file of checks: says what it would add and remove.",
        ),
    ] = None,
    exposure: ExposuresOption = None,
    check: ChecksOption = None,
    event_type: EventTypesOption = None,
    team: Annotated[
        list[str] | None,
        typer.Option(
            "--team", metavar="NAME", help="Only what this team would be told; repeatable."
        ),
    ] = None,
    form: Annotated[
        BacktestFormat, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = BacktestFormat.TABLE,
    output: OutputOption = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Also write a page with a chart of each incident."
        ),
    ] = None,
    fail_on_more: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Exit code 1 when a team has more than N incidents in a week; with --against, under "
            "the other checks.",
        ),
    ] = None,
    fail_on_added: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="With --against: exit code 1 when more than N incidents are added.",
        ),
    ] = None,
    fail_on_removed: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="With --against: exit code 1 when more than N incidents are removed.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, max=256, metavar="N", help="Processes; else one per processor."
        ),
    ] = None,
) -> None:
    """Replay the past and list what would have been told.

    Runs the checks cycle by cycle over rows as they were loaded, carries alerts from one cycle to
    the next as the daemon does, and lists the incidents by team and week. Nothing is sent and
    nothing is recorded.

    Examples:

        eventwatch backtest --from '30d ago'

        eventwatch backtest --from 2026-01-01 --to 2026-03-01 --team growth --html growth.html

        eventwatch backtest --from '60d ago' --against checks-new --fail-on-more 2
    """
    from eventwatch import app
    from eventwatch.app.backtest import BacktestOptions
    from eventwatch.app.backtest import backtest as run
    from eventwatch.backtest.pool import processors
    from eventwatch.backtest.report import Limits
    from eventwatch.cli.faults import show_warnings
    from eventwatch.cli.progress import progress_bar

    span = _span(from_, to, step, against, (fail_on_added, fail_on_removed))
    limits = Limits(fail_on_more, fail_on_added, fail_on_removed)
    with progress_bar(sys.stderr) as progress:
        progress(float("nan"), "reading config and contracts")
        house = app.load(config)
        options = BacktestOptions(
            run=_chosen(house, exposure or [], check or [], event_type or [], team or []),
            span=span,
            against=against,
            jobs=processors() if jobs is None else jobs,
            pictures=html is not None,
        )
        options = replace(options, run=replace(options.run, progress=progress))
        made = run(house, options)
        if html is not None:
            progress(float("nan"), "writing the page")
            _write_page(made, limits, html)
    show_warnings(house.warnings)
    _refuse_unmatched(house, options.run, made)
    _answer(made, limits, form, output)
    raise typer.Exit(made.exit_code(limits))


def _span(
    from_: str,
    to: str,
    step: str,
    against: Path | None,
    compared: tuple[int | None, int | None],
) -> Span:
    """The cycles; refuses with everything that is wrong with the options at once."""
    from eventwatch.backtest.span import Span
    from eventwatch.cli.faults import refuse
    from eventwatch.cli.instant import parse_instant
    from eventwatch.model.durations import parse_duration

    faults: list[str] = []
    now = datetime.now(UTC)
    instants: list[datetime] = []
    for name, text in (("--from", from_), ("--to", to)):
        try:
            instants.append(parse_instant(text, now))
        except ValueError as error:
            faults.append(f"{name}: {error}")
    made = None
    try:
        every = parse_duration(step)
        if len(instants) == 2:
            made = Span.of(instants[0], instants[1], every)
    except ValueError as error:
        text = str(error)
        faults.append(text if text.startswith("--") else f"--step: {text}")
    if against is None and any(limit is not None for limit in compared):
        faults.append(
            "--fail-on-added and --fail-on-removed compare two sets of checks: name the "
            "other one with --against"
        )
    if against is not None and not against.exists():
        faults.append(f"--against: there is no file or folder {against}")
    if faults or made is None:
        refuse("\n".join(faults))
    assert made is not None
    return made


def _chosen(
    house: House,
    exposure: list[str],
    check: list[str],
    event_type: list[str],
    team: list[str],
) -> RunOptions:
    from eventwatch import app
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    directory = house.directory()
    owners = {c.owner.team for c in house.catalog.contracts.values() if c.owner.team}
    teams = {*directory.known(), directory.fallback_team, *owners}
    found = app.RunOptions(event_types=tuple(event_type))
    faults = []
    try:
        names = selection.exposures(exposure, [e.name for e in house.settings.exposures])
        found = replace(found, exposures=names)
    except selection.NoMatch as error:
        faults.append(str(error))
    try:
        found = replace(found, kinds=selection.kinds(check))
    except selection.NoMatch as error:
        faults.append(str(error))
    try:
        found = replace(found, teams=selection.teams(team, teams))
    except selection.NoMatch as error:
        faults.append(str(error))
    if faults:
        refuse("\n".join(faults))
    return found


def _refuse_unmatched(house: House, options: RunOptions, made: Backtest) -> None:
    """A pattern that matches no contract may mean an event type that nobody declared."""
    from eventwatch.cli import selection
    from eventwatch.cli.console import complain

    names = {
        *house.catalog.contracts,
        *(i.opened.event_type for i in made.incidents() if i.opened.event_type is not None),
    }
    for pattern in selection.unmatched(options.event_types, names):
        complain(f"warning: {selection.no_match('event type', pattern, names)}")


def _write_page(made: Backtest, limits: Limits, path: Path) -> None:
    from eventwatch.app.backtest import page_charts
    from eventwatch.backtest.page import page
    from eventwatch.cli.output import write_file

    write_file(path, page(made, limits, page_charts()))


def _answer(made: Backtest, limits: Limits, form: BacktestFormat, output: Path | None) -> None:
    from eventwatch.cli.output import write_answer

    if form is BacktestFormat.JSON:
        from eventwatch.cli.backtest_json import json_text

        write_answer(json_text(made, limits), output)
        return
    from eventwatch.cli.backtest_table import print_table, table_text
    from eventwatch.cli.console import PIPE_WIDTH

    if output is None:
        print_table(made, limits)
    else:
        write_answer(table_text(made, limits, PIPE_WIDTH), output)
