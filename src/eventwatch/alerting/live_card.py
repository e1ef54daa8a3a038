"""One incident in full, for who answers for it: what, since when, why, what hangs on it, what to do.

Commands stand in small letters below, so that a name that needs much room never pushes them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from eventwatch.alerting import links, words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.live_todo import actions, why_here
from eventwatch.alerting.live_view import Shown, outcome, what
from eventwatch.alerting.office import Office
from eventwatch.alerting.spans import Bold, Line, Name, Text, joined
from eventwatch.alerting.trouble import is_trouble
from eventwatch.model.cause import CauseKind
from eventwatch.model.contract import Contract
from eventwatch.model.durations import format_duration
from eventwatch.model.incident import IncidentState
from eventwatch.model.result import Result

_SPOKEN = 3
"""Alerts that are told in a sentence each."""
_NAMED = 10
_FACTS = 4
_DESCRIPTION = 160
_REASONS = 4
_NOT_FOR_PEOPLE = frozenset(("spoke", "by its own past", "change"))
"""Facts that explain the arithmetic (``eventwatch explain`` shows them) or are said already."""
_LABELS = {"explained by": "Where", "the others": "Meanwhile"}
"""Labels of checks, in other words: "explained by" would be taken for the likely cause."""


@dataclass(frozen=True)
class Card:
    """The lines of one incident. What comes first matters most."""

    body: tuple[Line, ...]
    about: tuple[Line, ...] = ()
    """What it is about, in small letters."""
    actions: tuple[Line, ...] = ()
    """What can be done, one command each, in small letters."""


def card(one: Shown, office: Office, now: datetime) -> Card:
    """All that is told of one incident."""
    body = _open(one, office, now) if one.incident.open else _over(one, office, now)
    return Card(
        _kept([*body, why_here(one)]),
        _kept(_about(one, office)),
        _kept(actions(one, full=not office.abilities.buttons)),
    )


def brief(one: Shown, office: Office, now: datetime) -> Card:
    """What is told of one incident in a message about several."""
    incident = one.incident
    # The header of the message names all of them, so each has a title of its own.
    title: Line = (Text(f"{one.sign} "), Name(truncate(one.subject, 100)), Text(_state(one)))
    body: list[Line] = [title]
    if one.speaking:
        first = one.speaking[0].result
        body.append((Text(words.sentence(first, now, zone_of(first, office))),))
    body += [_since(one, now), _cause(one), _explains(one)]
    if incident.state is IncidentState.ACKNOWLEDGED:
        body.append(_acknowledged(one, now))
    elif not incident.open:
        body = [title]
    # Where there are buttons, they stand below and do the rest.
    told = actions(one, full=False)
    return Card(
        _kept(body),
        _kept(_about(one, office)[-1:]),
        _kept(told[:1] if office.abilities.buttons else told),
    )


def names(found: Iterable[str], most: int = _NAMED) -> Line:
    """Names one after the other, the rest counted."""
    known = list(found)
    listed: list[Line] = [(Name(truncate(name, 60)),) for name in known[:most]]
    more: Line = (Text(f"and {len(known) - most:,} more"),) if len(known) > most else ()
    return joined([*listed, more], ", ")


def named(result: Result) -> Line:
    """What an alert is about, with the dimension's value where it is about one."""
    cut = result.cut
    name: Line = (Name(words.subject(result)),)
    return name if cut is None else (*name, Text(f" on {cut.dimension} "), Name(cut.value))


def back(one: Shown) -> list[Line]:
    """What came back, and how late, as far as the reason of the end does not say it."""
    incident = one.incident
    if incident.late is not None:
        how = format_duration(incident.late)
        return [(Text(f"All rows came after all, up to {how} late: nothing is lost."),)]
    reasons: dict[str, set[str]] = {}
    for alert in one.current:
        if not alert.open:
            found = reasons.setdefault(alert.end_reason or "over", set())
            found.add(words.subject(alert.result))
    if set(reasons) == {incident.end_reason} and reasons[incident.end_reason] == {one.subject}:
        return []
    ordered = sorted(reasons.items(), key=lambda r: (-len(r[1]), r[0]))[:_REASONS]
    return [
        (Text(f"{truncate(reason[:1].upper() + reason[1:], 80)}: "), *names(sorted(found)))
        for reason, found in ordered
    ]


def _open(one: Shown, office: Office, now: datetime) -> list[Line]:
    incident = one.incident
    body: list[Line] = []
    if incident.good_since is not None:
        text = (
            f"Good again since {words.instant(incident.good_since, now)}; "
            "watched a little longer before it is over."
        )
        body += [(Text(text),), _was(one, office, now)]
    else:
        body += _seen(one, office, now)
    body.append(_since(one, now))
    if incident.state is IncidentState.ACKNOWLEDGED:
        body.append(_acknowledged(one, now))
    if incident.muted_by:
        body.append((Bold("Muted"), Text(f" {incident.muted_because}")))
    body.append(_cause(one))
    body += _facts(one)
    body += [_explains(one), _also_told(one), _picture(one)]
    if all(is_trouble(alert.result) for alert in one.speaking) and one.speaking:
        body.append((Text("This is about the monitoring and says nothing of the data."),))
    return body


def _over(one: Shown, office: Office, now: datetime) -> list[Line]:
    incident = one.incident
    ended = one.ended_at or now
    spell = words.spell(incident.began_at, ended)
    span = f"{words.instant(incident.began_at, now)} to {words.instant(ended, now)}"
    body: list[Line] = [(Bold("Lasted"), Text(f" {spell}, from {span}")), *back(one)]
    body.append(_was(one, office, now))
    if incident.acknowledged_by:
        body.append(_acknowledged(one, now))
    return [*body, _cause(one), _explains(one)]


def _was(one: Shown, office: Office, now: datetime) -> Line:
    """What it was like, of the worst."""
    if not one.speaking:
        return ()
    first = one.speaking[0].result
    said = words.ended(words.said(first, now, zone_of(first, office)))
    return (Bold("What it was"), Text(" "), *named(first), Text(f": {said}"))


def _seen(one: Shown, office: Office, now: datetime) -> list[Line]:
    """Expected against seen, of what speaks; what says the same is said once."""
    spoken = one.speaking
    told: dict[tuple[str, str], list[Result]] = {}
    for alert in spoken:
        result = alert.result
        said = words.ended(words.said(result, now, zone_of(result, office)))
        told.setdefault((words.phrase(result), said), []).append(result)
    lines: list[Line] = []
    shown = 0
    for (phrase, said), results in list(told.items())[:_SPOKEN]:
        shown += len(results)
        known = sorted({words.subject(r) for r in results})
        name = named(results[0]) if len(known) == 1 else names(known)
        mark: Line = (Text("• "),) if len(told) > 1 else ()
        # The header says it where there is one thing only, and some checks say it themselves.
        plain = len(told) == 1 or said.startswith(phrase)
        lines.append((*mark, *name, Text(f": {said}" if plain else f" {phrase}: {said}")))
    if len(spoken) > shown:
        rest = {words.subject(r) for results in list(told.values())[_SPOKEN:] for r in results}
        lines.append((Text(f"• {len(spoken) - shown:,} more: "), *names(sorted(rest))))
    return lines


def _since(one: Shown, now: datetime) -> Line:
    incident = one.incident
    passed = f" ({words.spell(incident.began_at, now)} so far)" if one.running else ""
    again = f"; it came back {words.times(incident.reopened)}" if incident.reopened else ""
    return (
        Bold("Since"),
        Text(f" {words.instant(incident.began_at, now)}{passed}{again}"),
    )


def _acknowledged(one: Shown, now: datetime) -> Line:
    incident = one.incident
    at = incident.acknowledged_at
    when = "" if at is None else f", {words.instant(at, now)}"
    return (Bold("Acknowledged"), Text(f" by {incident.acknowledged_by or 'somebody'}{when}"))


def _cause(one: Shown) -> Line:
    detail = one.incident.cause.detail
    for alert in one.speaking[:_SPOKEN]:
        # Where it begins with the check's own sentence, that was just said.
        if alert.result.summary and detail.startswith(alert.result.summary):
            detail = detail.removeprefix(alert.result.summary).lstrip("; ")
            break
    if not detail or detail.startswith("it explains"):
        return ()
    return (Bold("Likely cause"), Text(f" {detail}"))


def _facts(one: Shown) -> list[Line]:
    """What the check found besides, of the worst."""
    if not one.speaking:
        return []
    found: dict[str, list[str]] = {}
    for fact in one.speaking[0].result.facts:
        if fact.label not in _NOT_FOR_PEOPLE:
            found.setdefault(fact.label, []).append(fact.text)
    return [
        (Bold(_label(label)), Text(f" {', '.join(texts)}"))
        for label, texts in list(found.items())[:_FACTS]
    ]


def _explains(one: Shown) -> Line:
    """What is a part of it and not told by itself."""
    kind = one.incident.cause.kind
    if kind is CauseKind.SOURCE:
        return ()
    if kind is CauseKind.CUT:
        found = list(one.event_types)
    else:
        spoken = {words.subject(a.result) for a in one.speaking}
        told = {words.subject(a.result) for a in one.explained}
        found = sorted(told.union(one.incident.cause.affected) - spoken)
    if not found:
        return ()
    return (
        Bold("Explains"),
        Text(f" {words.count(len(found), 'event type', 'event types')}: "),
        *names(found),
    )


def _also_told(one: Shown) -> Line:
    others = [who for who in one.incident.others if who.team]
    teams = sorted({who.team for who in others if who.team != one.recipient.team})
    return (Bold("Told as well"), Text(" "), *names(teams, 5)) if teams else ()


def _picture(one: Shown) -> Line:
    """The last hours in one line, for who sees no chart."""
    spark = one.speaking[0].result.spark if one.speaking else None
    bars = "" if spark is None else words.sparkline(spark)
    if spark is None or not bars:
        return ()
    return (Name(bars), Text(f" {words.per(spark.step)}, up to now"))


def _about(one: Shown, office: Office) -> list[Line]:
    """Whose promise it is, and where it stands."""
    first = _result(one)
    contract = None if first is None else office.catalog.of(first.event_type)
    parts: list[Line] = []
    lines: list[Line] = []
    if contract is not None:
        parts.append((Text("Contract "), *_place(office, contract)))
        parts.append(links.runbook(contract))
        about = " ".join(contract.description.split())
        if about:
            lines.append((Text(truncate(about, _DESCRIPTION)),))
    if first is not None and first.check:
        parts.append((Text(f"Check {first.check}"),))
    return [*lines, joined(parts)]


def _result(one: Shown) -> Result | None:
    """Whose contract is shown: of the one event type that it is about."""
    kind = one.incident.cause.kind
    if kind in (CauseKind.SOURCE, CauseKind.EXPOSURE, CauseKind.CUT) or not one.speaking:
        return one.speaking[0].result if one.speaking else None
    wanted = one.incident.cause.event_type
    found = [a.result for a in one.speaking if a.result.event_type == wanted]
    return (found or [one.speaking[0].result])[0]


def _place(office: Office, contract: Contract) -> Line:
    return links.contract_place(office.notify.contract_link, contract)


def zone_of(result: Result, office: Office) -> tzinfo:
    """Of its exposure."""
    exposure = office.exposures.get(result.exposure)
    return UTC if exposure is None else exposure.time_zone


def _state(one: Shown) -> str:
    return f" {what(one)}" if one.incident.open else f" {outcome(one)}"


def _label(text: str) -> str:
    text = _LABELS.get(text, text.replace("_", " "))
    return truncate(text[:1].upper() + text[1:], 40) or "Also"


def _kept(lines: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if line)
