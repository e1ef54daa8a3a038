"""``eventwatch feedback``: say of an incident whether it was one."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption
from eventwatch.cli.remembered import opened

if TYPE_CHECKING:
    from eventwatch.app import House
    from eventwatch.app.feedback import Subject
    from eventwatch.model.label import Label
    from eventwatch.model.settings import Exposure
    from eventwatch.ports.store import Store

app = typer.Typer(
    help="Say of an incident whether it was one.\n\nThe volume check learns from it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Verdict(StrEnum):
    """What can be said."""

    NOT_A_PROBLEM = "not-a-problem"
    WAS_REAL = "was-real"


@app.command("add")
def add(  # noqa: PLR0917 - each argument is an option of the command
    about: Annotated[
        str,
        typer.Argument(
            metavar="ALERT_OR_EVENT_TYPE",
            help="An alert by its id or fingerprint (or how it begins), or an event type.",
        ),
    ],
    verdict: Annotated[Verdict, typer.Option("--verdict", help="What it was.", show_default=False)],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever asks.")
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="The bucket that holds this instant."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="Where it began in the data."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="INSTANT", help="Where it ended; now if absent."),
    ] = None,
    exposure: Annotated[
        str,
        typer.Option(
            "--exposure",
            "-e",
            metavar="NAME",
            help="The exposure, where several have the event type.",
        ),
    ] = "",
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Say what an incident was.

    not-a-problem: such counts are usual here. They are learned from, the same at the same hour of
    the week is no news, and the open alert ends in the next cycle. was-real: nothing is learned from
    them.

    Of an alert, the span is the alert's own. Of an event type, it is that of its open alert, or what
    --at or --from and --to say. Instants are UTC unless they say otherwise.

    Examples:

        eventwatch feedback add 3f9a01c2 --verdict was-real --reason 'release 4.2 lost the event'

        eventwatch feedback add invoice_sent --verdict not-a-problem --at yesterday --reason weekly
    """
    from eventwatch import app as wiring
    from eventwatch.app import feedback
    from eventwatch.cli.faults import refuse
    from eventwatch.model.label import Opinion

    house = wiring.load(config)
    store = wiring.store(house)
    now = datetime.now(UTC)
    try:
        if exposure:
            _known_exposure(house, exposure)
        subject = _subject(
            house, store, about, exposure=exposure, at=at, since=since, until=until, now=now
        )
        label = feedback.give(
            store, subject, Opinion(verdict.value), reason=reason, author=_author(), now=now
        )
    except feedback.Unclear as error:
        refuse(str(error))
        raise
    finally:
        store.close()
    print(f"{_said(label)}: {_about(label)}, {_span(label)}")
    print(f"to take it back: eventwatch feedback end {label.id}")


@app.command("list")
def list_labels(config: ConfigOption = Path("config.yaml")) -> None:
    """List what people said.

    Newest first, without what was taken back.

    Example:

        eventwatch feedback list
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from eventwatch import app as wiring
    from eventwatch.alerting.escape import terminal, truncate
    from eventwatch.cli.console import show

    reader = wiring.reader(wiring.load(config))
    try:
        labels = () if reader is None else reader.labels(datetime.now(UTC))
    finally:
        if reader is not None:
            reader.close()
    if not labels:
        print("nobody said anything yet")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("id", "about", "when (UTC)", "said", "by", "reason"):
        table.add_column(name, overflow="fold")
    for label in labels:
        cells = (
            label.id,
            _about(label),
            _span(label),
            _said(label),
            label.author,
            label.reason,
        )
        table.add_row(*(Text(terminal(truncate(cell, 500))) for cell in cells))
    show(table)


@app.command("end")
def end(
    label_id: Annotated[str, typer.Argument(metavar="ID", help="As shown by `feedback list`.")],
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Take back what was said.

    From the next cycle on it is as if it had never been said.

    Example:

        eventwatch feedback end 5f3a9c02
    """
    from eventwatch import app as wiring
    from eventwatch.app.feedback import Unclear
    from eventwatch.cli import selection
    from eventwatch.cli.faults import refuse

    house = wiring.load(config)
    now = datetime.now(UTC)
    try:
        with closing(opened(house)) as store:
            known = [label.id for label in store.labels(now)]
            ended = store.withdraw_label(label_id, now)
    except Unclear as error:
        refuse(str(error))
        raise
    if not ended:
        refuse(str(selection.no_match("label", label_id, known)))
    print("taken back")


def _subject(
    house: House,
    store: Store,
    about: str,
    *,
    exposure: str,
    at: str | None,
    since: str | None,
    until: str | None,
    now: datetime,
) -> Subject:
    """What is meant. Raises Unclear."""
    from dataclasses import replace

    from eventwatch.app import feedback

    if at is not None and (since is not None or until is not None):
        raise feedback.Unclear("use either --at or --from and --to")
    alert = None
    known = feedback.known_event_types(house, store, now)
    if about not in known:
        alert = feedback.alert_named(store, about)
        if alert is None:
            from eventwatch.cli import selection

            raise feedback.Unclear(str(selection.no_match("alert and no event type", about, known)))
    table = _table(house, store, about, exposure, now) if alert is None else None
    if alert is None and table is not None and (at, since, until) == (None, None, None):
        alert = feedback.open_volume_alert(store, table.name, about, now)
        if alert is None:
            raise feedback.Unclear(
                f"no alert about the counts of {about} is open; say when it was: --at, or --from "
                "and --to"
            )
    if alert is not None:
        subject = feedback.about_alert(alert, now)
        table = house.settings.exposure(subject.exposure)
    else:
        assert table is not None
        subject = feedback.Subject(table.name, about, now - timedelta(hours=1), now)
    if at is not None and table is not None:
        begin, end = feedback.bucket_around(table, _instant("--at", at, now))
        return replace(subject, starts_at=begin, ends_at=end)
    if since is None and until is not None and alert is None:
        raise feedback.Unclear("--to needs --from")
    if since is not None:
        ends = now if alert is None else subject.ends_at
        subject = replace(subject, starts_at=_instant("--from", since, now), ends_at=ends)
    if until is not None:
        subject = replace(subject, ends_at=_instant("--to", until, now))
    return subject


def _table(house: House, store: Store, event_type: str, exposure: str, now: datetime) -> Exposure:
    from eventwatch.app import feedback

    if exposure:
        named = house.settings.exposure(exposure)
        assert named is not None
        return named
    found = feedback.exposures_with(house, store, event_type, now)
    if len(found) != 1:
        names = ", ".join(each.name for each in found or house.settings.exposures)
        raise feedback.Unclear(f"say which exposure: --exposure, one of {names}")
    return found[0]


def _known_exposure(house: House, name: str) -> None:
    from eventwatch.app import feedback
    from eventwatch.cli import selection

    names = [each.name for each in house.settings.exposures]
    if name not in names:
        raise feedback.Unclear(str(selection.no_match("exposure", name, names)))


def _instant(option: str, text: str, now: datetime) -> datetime:
    from eventwatch.app import feedback
    from eventwatch.cli.instant import parse_instant

    try:
        return parse_instant(text, now)
    except ValueError as error:
        raise feedback.Unclear(f"{option}: {error}") from None


def _author() -> str:
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"


def _said(label: Label) -> str:
    return label.opinion.value.replace("-", " ")


def _about(label: Label) -> str:
    from eventwatch.alerting.escape import terminal

    name = "all event types" if label.event_type is None else label.event_type
    cut = f", {label.dimension} {label.value}" if label.dimension else ""
    return f"{terminal(name + cut)} in {terminal(label.exposure)}"


def _span(label: Label) -> str:
    begin, end = label.starts_at.astimezone(UTC), label.ends_at.astimezone(UTC)
    tail = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} to {tail}"
