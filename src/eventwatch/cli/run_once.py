"""``eventwatch run-once``: one audit now, or one full cycle with ``--send``."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
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
    from eventwatch.model.status import Severity
    from eventwatch.pipeline.report import Report


class Format(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    NEVER = "never"


def run_once(  # noqa: PLR0917 - each argument is an option of the command
    config: ConfigOption = Path("config.yaml"),
    exposure: ExposuresOption = None,
    check: ChecksOption = None,
    event_type: EventTypesOption = None,
    team: Annotated[
        list[str] | None,
        typer.Option(
            "--team", metavar="NAME", help="Only what this team would be told; repeatable."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="Audit as of a past instant: 2026-03-01T12:00, 2026-03-01, yesterday, '2h ago'. "
            "UTC unless it says otherwise.",
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", "-f", help="table for people, json and junit for machines."),
    ] = Format.TABLE,
    output: OutputOption = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also show the exact messages and their channels.")
    ] = False,
    send: Annotated[
        bool,
        typer.Option(
            "--send",
            help="Record what is found and send the messages, as the daemon does. For cron.",
        ),
    ] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Lowest severity that makes the exit code 1.")
    ] = FailOn.WARNING,
) -> None:
    """Audit once and print what is wrong.

    Reads every exposure of the config, judges it by the contracts and checks, and names the team
    that answers, worst first. Without --send nothing is sent and nothing is recorded; it may run
    beside the daemon. The options that restrict choose what is judged and shown.

    Examples:

        eventwatch run-once

        eventwatch run-once --team growth --preview

        eventwatch run-once --event-type 'user_*' --check volume --at yesterday

        eventwatch run-once --format junit --output report.xml --fail-on critical
    """
    from eventwatch import app
    from eventwatch.cli.faults import refuse, show_warnings
    from eventwatch.cli.instant import parse_instant
    from eventwatch.cli.progress import progress_line

    if send and at is not None:
        refuse("--at looks at the past and --send tells teams about now; use one of them")
    instant: datetime | None = None
    if at is not None:
        try:
            instant = parse_instant(at, datetime.now(UTC))
        except ValueError as error:
            refuse(f"--at: {error}")
    with progress_line(sys.stderr) as progress:
        progress(float("nan"), "reading config and contracts")
        house = app.load(config)
        options = _options(
            house,
            exposure=exposure or [],
            check=check or [],
            event_type=event_type or [],
            team=team or [],
            instant=instant,
            preview=preview,
        )
        options = replace(options, progress=progress)
        # What a notifier prints must not get into an answer for machines.
        elsewhere = nullcontext() if form is Format.TABLE else redirect_stdout(sys.stderr)
        with elsewhere:
            report = app.cycle(house, options) if send else app.audit(house, options)
    show_warnings(house.warnings)
    _refuse_unmatched(house, options, report)
    code = report.exit_code(_severity(fail_on))
    _answer(house, report, form, output, fail_on=fail_on, preview=preview)
    raise typer.Exit(code)


def _options(
    house: House,
    *,
    exposure: list[str],
    check: list[str],
    event_type: list[str],
    team: list[str],
    instant: datetime | None,
    preview: bool,
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
            kinds=selection.kinds(check),
            event_types=tuple(event_type),
            teams=selection.teams(team, known_teams),
            at=instant,
            preview=preview,
        )
    except selection.NoMatch as error:
        refuse(str(error))
        raise


def _refuse_unmatched(house: House, options: RunOptions, report: Report) -> None:
    """A pattern on event types may mean one that nobody declared, so it is held against what the data
    holds too. Where nothing at all was judged, the pattern was a mistake; else it is only said."""
    from eventwatch.cli import selection
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import refuse

    if any(e.error for e in report.exposures):
        return
    results = [
        *(f.result for e in report.exposures for f in e.findings),
        *(r for e in report.exposures for r in (*e.errors, *e.learning)),
    ]
    names = {*house.catalog.contracts, *(r.event_type for r in results if r.event_type is not None)}
    judged = sum(sum(e.status_counts.values()) for e in report.exposures)
    for pattern in selection.unmatched(options.event_types, names):
        message = str(selection.no_match("event type", pattern, names))
        if judged:
            complain(f"warning: {message}")
        else:
            refuse(message)


def _severity(fail_on: FailOn) -> Severity | None:
    from eventwatch.model.status import Severity

    return None if fail_on is FailOn.NEVER else Severity(fail_on.value)


def _answer(
    house: House,
    report: Report,
    form: Format,
    output: Path | None,
    *,
    fail_on: FailOn,
    preview: bool,
) -> None:
    from eventwatch.cli.output import write_answer

    severity = _severity(fail_on)
    if form is Format.JSON:
        from eventwatch.cli.json_report import json_text

        write_answer(
            json_text(report, fail_on=severity, messages=preview or report.recorded), output
        )
        return
    if form is Format.JUNIT:
        from eventwatch.cli.junit import junit_text

        write_answer(junit_text(report, fail_on=severity), output)
        return
    from eventwatch.cli.console import PIPE_WIDTH
    from eventwatch.cli.places import contracts_root
    from eventwatch.cli.table import Page, print_table, table_text
    from eventwatch.model.errors import path_text

    page = Page(
        contracts_root=contracts_root(house),
        folder=path_text(house.settings.path.parent),
        messages=preview,
        fail_on=severity,
    )
    if output is None:
        print_table(report, page)
    else:
        write_answer(table_text(report, page, PIPE_WIDTH), output)
