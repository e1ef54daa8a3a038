"""``eventwatch incidents``: what is wrong, who was told what, and what people do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption, ExposuresOption, OutputOption
from eventwatch.cli.remembered import must_exist, opened

if TYPE_CHECKING:
    from eventwatch.app import House
    from eventwatch.model.incident import Incident
    from eventwatch.ports.store import StateReader, Store

app = typer.Typer(
    help="What is wrong, who was told what, and what is done about it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As in messages and `incidents list`, or how it begins.")
]
TeamsOption = Annotated[
    list[str] | None,
    typer.Option("--team", metavar="NAME", help="Owned by or affecting this team; repeatable."),
]


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[
    Format, typer.Option("--format", "-f", help="table for people, json for machines.")
]


@app.command("list")
def list_incidents(  # noqa: PLR0917 - each argument is an option of the command
    teams: TeamsOption = None,
    exposures: ExposuresOption = None,
    closed: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")
    ] = 50,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """List incidents, open ones first.

    Examples:

        eventwatch incidents list

        eventwatch incidents list --team growth --all
    """
    from eventwatch.app import incidents
    from eventwatch.cli import incidents_view as view
    from eventwatch.cli.output import write_answer
    from eventwatch.model.names import team_key

    with _reading(config) as (house, reader):
        _known(house, exposures or [])
        wanted = [team_key(t) for t in teams or ()]
        found: Sequence[Incident] = ()
        if reader is not None:
            found = incidents.listed(
                reader, teams=wanted, exposures=exposures or (), closed=closed, limit=limit
            )
        if not found:
            _known_teams(house, teams or [])
        alerts = {} if reader is None else incidents.alerts_of(reader, found)
        now = datetime.now(UTC)
    text = view.list_json(found) if form is Format.JSON else view.list_table(found, alerts, now)
    write_answer(text, output)


@app.command("show")
def show(
    incident_id: IdArgument,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Show one incident: its life, its alerts, who was told.

    Example:

        eventwatch incidents show 3f9a01c2
    """
    from eventwatch.app import incidents
    from eventwatch.cli import incidents_view as view
    from eventwatch.cli.output import write_answer

    with _reading(config) as (house, found):
        reader = must_exist(house, found)
        story = incidents.story(reader, incidents.find(reader, incident_id))
        now = datetime.now(UTC)
    text = view.story_json(story) if form is Format.JSON else view.story_text(story, now)
    write_answer(text, output)


@app.command("explain")
def explain(
    incident_id: IdArgument,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Say why: what was decided on which numbers, and why each message went out or not.

    Beside each number stands the one that comes out when the stored measurements of then are judged
    again with today's settings, and where the two differ, why. `eventwatch explain EVENT_TYPE --at T`
    reads the rows themselves again, with a chart.

    Example:

        eventwatch incidents explain 3f9a01c2
    """
    from eventwatch.app import incidents
    from eventwatch.app.rejudged import rejudged
    from eventwatch.cli.incidents_why import explanation
    from eventwatch.cli.incidents_why_json import explanation_json
    from eventwatch.cli.output import write_answer

    with _reading(config) as (house, found):
        reader = must_exist(house, found)
        story = incidents.story(reader, incidents.find(reader, incident_id))
        again = rejudged(house, reader, story.alerts)
        now = datetime.now(UTC)
    if form is Format.JSON:
        write_answer(explanation_json(story, again), output)
    else:
        write_answer(explanation(story, again, now), output)


@app.command("ack")
def ack(incident_id: IdArgument, config: ConfigOption = Path("config.yaml")) -> None:
    """Say that you look at it: no more reminders, no escalation.

    Example:

        eventwatch incidents ack 3f9a01c2
    """
    from eventwatch.app import incidents

    with _opened(config) as (_, store):
        found = incidents.find(store, incident_id)
        incidents.acknowledge(store, found.id, _author(), datetime.now(UTC))
    print(f"acknowledged {found.id}; its messages say so within a minute of a running daemon")


@app.command("resolve")
def resolve(
    incident_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is over.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Say that it is over.

    If what it is about still fails in the next cycle, it opens again: silence it, or say with
    `eventwatch feedback` that it is no problem.

    Example:

        eventwatch incidents resolve 3f9a01c2 --reason 'release 4.3 mended it'
    """
    from eventwatch.app import incidents

    with _opened(config) as (_, store):
        found = incidents.find(store, incident_id)
        incidents.resolve(store, found.id, _author(), reason, datetime.now(UTC))
    print(f"resolved {found.id}")


@app.command("note")
def note(
    incident_id: IdArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A word for its thread.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Write a word into its thread.

    Example:

        eventwatch incidents note 3f9a01c2 'the CDN lost requests, ticket 812'
    """
    from eventwatch.app import incidents

    with _opened(config) as (_, store):
        found = incidents.find(store, incident_id)
        incidents.note(store, found.id, _author(), text, datetime.now(UTC))
    print(f"noted in {found.id}")


@contextmanager
def _reading(config: Path) -> Iterator[tuple[House, StateReader | None]]:
    """Config, and the state for looking; what is unclear ends the command with the reason."""
    from eventwatch import app as wiring
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli.faults import refuse

    house = wiring.load(config)
    reader = wiring.reader(house)
    try:
        yield house, reader
    except Unclear as error:
        refuse(str(error))
    finally:
        if reader is not None:
            reader.close()


@contextmanager
def _opened(config: Path) -> Iterator[tuple[House, Store]]:
    """Config and state; what is unclear ends the command with the reason."""
    from eventwatch import app as wiring
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli.faults import refuse

    house = wiring.load(config)
    try:
        with closing(opened(house)) as store:
            yield house, store
    except Unclear as error:
        refuse(str(error))


def _known(house: House, exposures: list[str]) -> None:
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    try:
        selection.exposures(exposures, [e.name for e in house.settings.exposures])
    except selection.NoMatch as error:
        refuse(str(error))


def _known_teams(house: House, teams: list[str]) -> None:
    """Asked only where nothing is found: a team may have gone since its incident."""
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    directory = house.directory()
    try:
        selection.teams(teams, {*directory.known(), directory.fallback_team})
    except selection.NoMatch as error:
        refuse(str(error))


def _author() -> str:
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"
