"""``eventwatch silence``: mute something for a while."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption

if TYPE_CHECKING:
    from eventwatch.app import House
    from eventwatch.model.alert import Silence

LONGEST = timedelta(days=90)
app = typer.Typer(
    help="Mute something for a while.\n\nIt is still shown, but nobody is told.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("add")
def add(  # noqa: PLR0917 - each argument is an option of the command
    span: Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 2d.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; shown to whoever asks.")],
    event_type: Annotated[
        str, typer.Option("--event-type", metavar="GLOB", help="Event types that match.")
    ] = "",
    exposure: Annotated[str, typer.Option("--exposure", help="This exposure.")] = "",
    kind: Annotated[
        str, typer.Option("--kind", help="This check: freshness, drift, volume or duplicates.")
    ] = "",
    team: Annotated[str, typer.Option("--team", help="What this team would be told.")] = "",
    dimension: Annotated[
        str, typer.Option("--dimension", help="Values of this watched dimension.")
    ] = "",
    value: Annotated[str, typer.Option("--value", help="This value of the dimension.")] = "",
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Mute something from now on.

    What matches every option given is muted.

    Examples:

        eventwatch silence add --event-type 'user_followed_*' --for 4h --reason 'migration tonight'

        eventwatch silence add --team growth --kind volume --for 1d --reason 'campaign'
    """
    from eventwatch import app as wiring
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse
    from eventwatch.model.names import team_key

    if not (event_type or exposure or kind or team or dimension or value):
        refuse("say what to mute: --event-type, --exposure, --kind, --team or --dimension")
    now = datetime.now(UTC)
    ends_at = now + _span(span)
    if not reason.strip():
        refuse("--reason must not be empty")
    house = wiring.load(config)
    try:
        if kind:
            kind = selection.kinds([kind])[0].value
        if exposure:
            selection.exposures([exposure], [e.name for e in house.settings.exposures])
        if team:
            directory = house.directory()
            selection.teams([team], {*directory.known(), directory.fallback_team})
        if dimension:
            watched = sorted({d.name for e in house.settings.exposures for d in e.dimensions})
            if selection.unmatched([dimension], watched):
                raise selection.no_match("watched dimension", dimension, watched)
    except selection.NoMatch as error:
        refuse(str(error))
    silence = _silence(
        event_type=event_type,
        exposure=exposure,
        kind=kind,
        team=team_key(team),
        dimension=dimension,
        value=value,
        reason=reason,
        starts_at=now,
        ends_at=ends_at,
    )
    _warn_of_unknown(house, event_type)
    store = wiring.store(house)
    try:
        store.add_silence(silence)
    finally:
        store.close()
    print(f"muted {_scope(silence)} until {_until(silence)}")
    print(f"to end it: eventwatch silence end {silence.id}")


@app.command("list")
def list_silences(config: ConfigOption = Path("config.yaml")) -> None:
    """List what is muted now.

    Until when, by whom and why.

    Example:

        eventwatch silence list
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch import app as wiring
    from eventwatch.alerting.escape import terminal, truncate
    from eventwatch.cli.console import show

    store = wiring.store(wiring.load(config))
    try:
        silences = store.silences(datetime.now(UTC))
    finally:
        store.close()
    if not silences:
        print("nothing is muted")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("id", "mutes", "until", "by", "reason"):
        table.add_column(name, overflow="fold")
    for silence in sorted(silences, key=lambda s: (s.ends_at, s.id)):
        cells = (silence.id, _scope(silence), _until(silence), silence.author, silence.reason)
        table.add_row(*(Text(terminal(truncate(cell, 500))) for cell in cells))
    show(table)


@app.command("end")
def end(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="As shown by `silence list`.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """End a silence now.

    Example:

        eventwatch silence end 5f3a9c02
    """
    from eventwatch import app as wiring
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    store = wiring.store(wiring.load(config))
    now = datetime.now(UTC)
    try:
        known = [silence.id for silence in store.silences(now)]
        ended = silence_id in known and store.end_silence(silence_id, now)
    finally:
        store.close()
    if not ended:
        refuse(str(selection.no_match("silence", silence_id, known)))
    print("ended")


def _silence(
    *,
    event_type: str,
    exposure: str,
    kind: str,
    team: str,
    dimension: str,
    value: str,
    reason: str,
    starts_at: datetime,
    ends_at: datetime,
) -> Silence:
    import secrets

    from eventwatch.model.alert import Silence

    return Silence(
        id=secrets.token_hex(4),
        event_type=event_type,
        exposure=exposure,
        kind=kind,
        team=team,
        reason=reason,
        author=os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody",
        starts_at=starts_at,
        ends_at=ends_at,
        dimension=dimension,
        value=value,
    )


def _span(text: str) -> timedelta:
    from eventwatch.cli.faults import refuse
    from eventwatch.model.durations import format_duration, parse_duration

    try:
        span = parse_duration(text)
    except ValueError as error:
        refuse(f"--for: {error}")
        raise
    if not timedelta(0) < span <= LONGEST:
        refuse(
            f"--for must be more than nothing and at most {format_duration(LONGEST)}; what is "
            "never to be told belongs into the contract or into checks/"
        )
    return span


def _warn_of_unknown(house: House, event_type: str) -> None:
    from eventwatch.cli import selection
    from eventwatch.cli.console import complain

    if event_type and selection.unmatched([event_type], house.catalog.contracts):
        message = selection.no_match("declared event type", event_type, house.catalog.contracts)
        complain(f"warning: {message}")


def _scope(silence: Silence) -> str:
    named = (
        ("event type", silence.event_type),
        ("exposure", silence.exposure),
        ("check", silence.kind),
        ("team", silence.team),
        ("dimension", silence.dimension),
        ("value", silence.value),
    )
    from eventwatch.alerting.escape import terminal

    return ", ".join(f"{name} {terminal(pattern)}" for name, pattern in named if pattern)


def _until(silence: Silence) -> str:
    return f"{silence.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
