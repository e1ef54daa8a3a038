"""``eventwatch explain``: why one event type is judged as it is, with its chart."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import (
    ConfigOption,
    OutputOption,
)

if TYPE_CHECKING:
    from eventwatch.app.explain import About, Answer, Explained

EPILOG = (
    "Exit codes: 0 the question was answered, whatever the answer is; 2 the configuration, the contracts "
    "or the command line are wrong, or nobody knows the event type; 3 something could not be measured, "
    "or there is nothing to draw yet."
)
FORMS = ("png", "svg", "json")


class ExplainFormat(StrEnum):
    """Forms of the answer."""

    TABLE = "table"
    JSON = "json"


class Theme(StrEnum):
    """Grounds of a chart."""

    LIGHT = "light"
    DARK = "dark"


def explain(  # noqa: PLR0917 - each argument is an option of the command
    event_type: Annotated[
        str | None,
        typer.Argument(
            metavar="EVENT_TYPE",
            show_default=False,
            help="The event type, spelled as in the data.",
        ),
    ] = None,
    config: ConfigOption = Path("config.yaml"),
    exposure: Annotated[
        str | None,
        typer.Option(
            "--exposure",
            "-e",
            metavar="NAME",
            help="The exposure that is meant, where several have the event type.",
        ),
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
    only: Annotated[
        str,
        typer.Option(
            "--only",
            metavar="DIMENSION=VALUE",
            help="Its rows with this value of a watched dimension: platform=android.",
        ),
    ] = "",
    null_type: Annotated[
        bool,
        typer.Option("--null-type", help="The rows without an event type, instead of one."),
    ] = False,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart",
            metavar="FILE",
            help="Write the chart to this file instead of plotting it: .png, .svg, or .json for "
            "its Vega-Lite specification.",
        ),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(
            "--days",
            metavar="N",
            min=1,
            max=120,
            help="Days the chart shows. If left out 7, 3 of what just began, 28 where days are judged.",
        ),
    ] = None,
    theme: Annotated[
        Theme,
        typer.Option("--theme", help="Ground of the chart; light can be read on both."),
    ] = Theme.LIGHT,
    form: Annotated[
        ExplainFormat, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = ExplainFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Say why an event type is judged as it is, or one value of a dimension within it.

    What was seen, what was expected and how far that is in units of its own spread; the season, the
    level, what all other event types did, how complete the newest bucket is, what each window said
    and which one spoke, and the threshold with where it comes from. Below, what the other kinds of
    checks say. Nothing is sent.

    Examples:

        eventwatch explain user_followed_user

        eventwatch explain user_followed_user --at '2h ago' --chart drop.png

        eventwatch explain invoice_sent --format json --days 28

        eventwatch explain user_followed_user --only platform=android

        eventwatch explain --null-type --chart nameless.png
    """
    from eventwatch import app
    from eventwatch.app.explain import explain as ask
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse, show_warnings
    from eventwatch.cli.instant import parse_instant
    from eventwatch.cli.places import contracts_root
    from eventwatch.cli.progress import progress_line

    about = _asked(event_type, only, days, null_type=null_type)
    instant: datetime | None = None
    if at is not None:
        try:
            instant = parse_instant(at, datetime.now(UTC))
        except ValueError as error:
            refuse(f"--at: {error}")
    if chart is not None:
        if _suffix(chart) not in FORMS:
            refuse(f"--chart: {chart}: the name must end in .png, .svg or .json")
        app.adapter("charts_ready")()
    with progress_line(sys.stderr) as progress:
        progress(float("nan"), "reading config and contracts")
        house = app.load(config)
        names = [e.name for e in house.settings.exposures]
        try:
            chosen = selection.exposures([] if exposure is None else [exposure], names)
        except selection.NoMatch as error:
            refuse(str(error))
            raise
        options = app.RunOptions(
            exposures=chosen if exposure is not None else (), at=instant, progress=progress
        )
        try:
            answer = ask(house, options, about)
        except Unclear as error:
            refuse(f"--only: {error}")
            raise
    show_warnings(house.warnings)
    one = _the_one(answer, about)
    _say(one, form, output, root=contracts_root(house), plot=chart is None)
    if chart is not None:
        _draw(one, chart, theme)


def _suffix(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def _asked(event_type: str | None, only: str, days: float | None, *, null_type: bool) -> About:
    """What is asked for; ends the command where that is unclear."""
    from eventwatch.app.explain import About
    from eventwatch.cli.faults import refuse
    from eventwatch.model.result import Cut

    if null_type and (event_type is not None or only):
        refuse("--null-type is about rows without an event type: leave out EVENT_TYPE and --only")
    if event_type is None and not null_type:
        refuse("say which EVENT_TYPE, or --null-type for the rows without one")
    dimension, _, value = only.partition("=")
    if only and not dimension:
        refuse("--only must be DIMENSION=VALUE, like platform=android")
    if only and "=" not in only:
        refuse("--only must be DIMENSION=VALUE, like platform=android")
    return About(event_type, Cut(dimension, value) if only else None, days)


def _the_one(answer: Answer, about: About) -> Explained:
    """The exposure that is meant; ends the command where there is none or more than one."""
    from eventwatch.cli import selection
    from eventwatch.cli.codes import UNMEASURED
    from eventwatch.cli.console import complain
    from eventwatch.cli.faults import refuse

    for name, reason in answer.unmeasured:
        complain(f"{name} could not be measured: {reason.removeprefix(f'{name}: ')}")
    # Where it came says more than where it was declared and never came.
    found = [each for each in answer.found if each.volume is not None] or list(answer.found)
    name = "a row without an event type" if about.event_type is None else repr(about.event_type)
    if len(found) > 1:
        names = ", ".join(each.exposure for each in found)
        refuse(f"{name} is in {names}: choose one with --exposure")
    if not found:
        if answer.unmeasured:
            raise typer.Exit(UNMEASURED)
        if about.event_type is None:
            refuse("no row without an event type came in the look-back")
        if about.cut is not None and about.event_type in answer.known:
            what = f"{about.cut.dimension} of {about.event_type}"
            refuse(str(selection.no_match(what, about.cut.value, answer.values)))
        refuse(str(selection.no_match("event type", about.event_type or "", answer.known)))
    return found[0]


def _say(
    one: Explained, form: ExplainFormat, output: Path | None, *, root: str, plot: bool
) -> None:
    from eventwatch.cli.output import write_answer

    if form is ExplainFormat.JSON:
        from eventwatch.cli.explain_json import json_text

        write_answer(json_text(one), output)
        return
    from eventwatch.cli.explain_table import print_table, table_text

    if output is None:
        print_table(one, root, plot=plot)
    else:
        write_answer(table_text(one, root, plot=plot), output)


def _draw(one: Explained, path: Path, theme: Theme) -> None:
    from eventwatch.app import adapter
    from eventwatch.cli.codes import UNMEASURED
    from eventwatch.cli.console import complain
    from eventwatch.cli.output import write_bytes

    trace = one.trace
    if trace is None:
        complain(f"{path}: not written, there is nothing to draw yet")
        raise typer.Exit(UNMEASURED)
    made = adapter(f"chart_{_suffix(path)}")(trace, dark=theme is Theme.DARK)
    write_bytes(path, made if isinstance(made, bytes) else made.encode("utf-8"))
    complain(f"the chart is in {path}")
