"""``eventwatch contracts``: what the catalog says and where it says it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption

if TYPE_CHECKING:
    from rich.console import RenderableType

    from eventwatch.app import House
    from eventwatch.model.contract import Contract, Team

app = typer.Typer(
    help="Look at the contracts.\n\nWhat they promise, who owns what, and where it is written.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_contracts(
    pattern: Annotated[
        str, typer.Argument(metavar="GLOB", help="Only event types that match, like 'user_*'.")
    ] = "*",
    team: Annotated[
        str, typer.Option("--team", metavar="NAME", help="Only what this team owns.")
    ] = "",
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """List the declared event types.

    Each with its owner, tier, state and place.

    Examples:

        eventwatch contracts list

        eventwatch contracts list 'user_*' --team growth
    """
    from eventwatch.cli import selection
    from eventwatch.cli.console import show
    from eventwatch.cli.faults import refuse
    from eventwatch.model.counting import counted
    from eventwatch.model.durations import format_duration

    house = _house(config)
    catalog = house.catalog
    owners = {c.owner.team for c in catalog.contracts.values()}
    try:
        teams = selection.teams([team], owners | set(house.directory().known())) if team else ()
    except selection.NoMatch as error:
        refuse(str(error))
    chosen = [
        c
        for c in catalog.contracts.values()
        if fnmatchcase(c.event_type, pattern) and (not team or c.owner.team in teams)
    ]
    if not chosen and not team:
        refuse(str(selection.no_match("declared event type", pattern, catalog.contracts)))
    show(
        _table(
            ("event type", "owner", "tier", "state", "max gap", "where"),
            (
                (
                    c.event_type,
                    c.owner.team or "nobody",
                    c.tier.value.replace("_", " "),
                    c.state.value,
                    "learned" if c.max_gap is None else format_duration(c.max_gap),
                    _place(house, c),
                )
                for c in chosen
            ),
        )
    )
    print(f"{counted(len(chosen), 'event type')} of {len(catalog.contracts):,}")


@app.command("show")
def show_contract(
    event_type: Annotated[str, typer.Argument(metavar="EVENT_TYPE", help="Its name, in full.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Show everything one contract says.

    What it promises, who is told, and which checks rule it.

    Example:

        eventwatch contracts show user_followed_user
    """
    from eventwatch.cli import selection
    from eventwatch.cli.console import show
    from eventwatch.cli.faults import refuse

    house = _house(config)
    contract = house.catalog.of(event_type)
    if contract is None:
        refuse(str(selection.no_match("declared event type", event_type, house.catalog.contracts)))
        return
    show(_table(None, _promises(house, contract)))
    if contract.fields:
        show(
            _table(
                ("field", "type", "required", "personal data", "description"),
                (
                    (
                        f.name,
                        f.type_name,
                        "yes" if f.required else "",
                        f.pii,
                        f.description,
                    )
                    for f in contract.fields
                ),
            )
        )


@app.command("owners")
def owners(config: ConfigOption = Path("config.yaml")) -> None:
    """List the teams.

    How each is reached and how many event types it owns.

    Example:

        eventwatch contracts owners
    """
    from eventwatch.alerting.routing import usable_channel
    from eventwatch.cli.console import show

    house = _house(config)
    directory = house.directory()
    counts: dict[str, int] = {}
    for contract in house.catalog.contracts.values():
        counts[contract.owner.team] = counts.get(contract.owner.team, 0) + 1
    rows = []
    for key in sorted({*directory.known(), *counts} - {""}):
        team = directory.team(key)
        channel = "" if team is None else team.slack_channel
        where = _place_of_team(house, team)
        if channel and not usable_channel(channel):
            channel += " (not usable)"
        fallback = "fallback" if key == directory.fallback_team else ""
        rows.append((key, channel or "no channel", f"{counts.get(key, 0):,}", fallback, where))
    if counts.get(""):
        rows.append(("nobody", "", f"{counts['']:,}", "", "contracts without owner.team"))
    show(_table(("team", "channel", "event types", "", "declared in"), rows))


def _house(config: Path) -> House:
    from eventwatch import app as wiring

    return wiring.load(config)


def _place(house: House, contract: Contract) -> str:
    from eventwatch.cli.places import below, contracts_root

    return below(contracts_root(house), str(contract.location))


def _place_of_team(house: House, team: Team | None) -> str:
    if team is None or team.location is None:
        return "nobody declared it" if team is None else ""
    if team.location.path.endswith((".yaml", ".yml")):
        return str(team.location)
    from eventwatch.cli.places import below, contracts_root

    return below(contracts_root(house), str(team.location))


def _promises(house: House, contract: Contract) -> Iterable[tuple[str, str]]:
    from eventwatch.kinds.definition import rules_for, severity_of
    from eventwatch.kinds.registry import KINDS
    from eventwatch.model.durations import format_duration

    directory = house.directory()
    team = directory.team(contract.owner.team)
    channel = contract.owner.slack_channel or ("" if team is None else team.slack_channel)
    yield "event type", contract.event_type
    yield "description", contract.description
    yield "message", contract.message_name
    yield "where", _place(house, contract)
    owner = contract.owner.team or "nobody: the fallback team is told"
    yield "owner", f"{owner} {channel}".rstrip()
    yield "tier", contract.tier.value.replace("_", " ")
    state = contract.state.value
    if contract.since is not None:
        state += f" since {contract.since}"
    if contract.sunset is not None:
        state += f" until {contract.sunset}"
    if contract.replaced_by:
        state += f", replaced by {contract.replaced_by}"
    yield "state", state
    yield "max gap", "learned" if contract.max_gap is None else format_duration(contract.max_gap)
    if contract.max_lag is not None:
        yield "max lag", format_duration(contract.max_lag)
    if contract.min_per_day is not None or contract.max_per_day is not None:
        low = "any" if contract.min_per_day is None else f"{contract.min_per_day:,}"
        high = "any" if contract.max_per_day is None else f"{contract.max_per_day:,}"
        yield "per day", f"{low} to {high}"
    yield "pattern", contract.pattern.value
    yield "alert on", contract.alert_on.value
    for dimension, values in contract.expected_values.items():
        yield dimension, ", ".join(values)
    yield "exposures", ", ".join(contract.exposures) or "any"
    if contract.consumers:
        yield "consumers", ", ".join(c.name for c in contract.consumers)
    if contract.tags:
        yield "tags", ", ".join(contract.tags)
    if contract.runbook_url:
        yield "runbook", contract.runbook_url
    for suppression in contract.suppressions:
        yield "switched off", f"{suppression.check} until {suppression.until}: {suppression.reason}"
    for exposure in house.settings.exposures:
        if not contract.lands_in(exposure.name):
            continue
        for name, kind in KINDS.items():
            rules = rules_for(kind.defaults, house.loaded.checks, exposure.name, house.catalog)
            check = rules.for_event_type(contract.event_type)
            said = severity_of(check, contract).value if check.enabled else "switched off"
            source = check.source or "built-in defaults"
            yield f"{name.value}", f"{said} in {exposure.name}, by {source}"


def _table(header: tuple[str, ...] | None, rows: Iterable[tuple[str, ...]]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch.alerting.escape import terminal, truncate

    if header is None:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for name in header:
            table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(terminal(truncate(cell, 1000))) for cell in row))
    return table
