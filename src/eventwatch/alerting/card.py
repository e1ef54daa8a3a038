"""One alert as lines: what, since when, expected against seen, whose promise, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eventwatch.alerting import commands, links, words
from eventwatch.alerting.escape import truncate
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Bold, Command, Line, Name, Text, joined
from eventwatch.alerting.trouble import is_trouble
from eventwatch.model.alert import Alert, Change
from eventwatch.model.contract import Contract
from eventwatch.model.durations import format_duration
from eventwatch.model.result import Result

_FACTS = 5
_DESCRIPTION = 160


@dataclass(frozen=True)
class News:
    """One alert that is to be told, with what the telling needs."""

    alert: Alert
    change: Change
    route: Route
    contract: Contract | None = None

    @property
    def is_over(self) -> bool:
        """It ended; else it is bad now."""
        return self.change is Change.RESOLVED


@dataclass(frozen=True)
class Card:
    """The lines of one alert: the first is the title, ``actions`` are the commands."""

    body: tuple[Line, ...]
    actions: tuple[Line, ...]


def card(news: News, now: datetime, contract_link: str) -> Card:
    """All that is told of one alert that is bad now."""
    result = news.alert.result
    body: list[Line] = [title(news)]
    if result.summary:
        body.append((Text(_sentence(result.summary)),))
    body.append(_since(news.alert, now))
    body.append(_amount(result, now))
    for fact in result.facts[:_FACTS]:
        body.append((Bold(_label(fact.label)), Text(f" {fact.text}")))
    bars = "" if result.spark is None else words.sparkline(result.spark)
    if bars and result.spark is not None:
        step = format_duration(result.spark.step)
        body.append((Name(bars), Text(f" per {step}, up to now")))
    if is_trouble(result):
        body.append((Text("This is about the monitoring and says nothing of the data."),))
    if news.contract is not None and news.contract.description:
        about = " ".join(news.contract.description.split())
        body.append((Bold("What it is"), Text(f" {truncate(about, _DESCRIPTION)}")))
    body.append(_promise(news, contract_link))
    if news.route.is_fallback and not is_trouble(result):
        body.append((Text("Sent here because "), Text(news.route.reason), Text(".")))
    actions: list[Line] = [(Text("See it: "), Command(commands.see(result)))]
    actions.append((Text("Mute it for 4 h: "), Command(commands.silence(result))))
    return Card(tuple(line for line in body if line), tuple(actions))


def title(news: News) -> Line:
    """The one line that must be read: which, what, how loud, whether it is new."""
    result = news.alert.result
    loud = result.severity.value
    if news.change is Change.WORSE and news.alert.notified_severity is not None:
        loud = f"worse, now {loud}, was {news.alert.notified_severity.value}"
    elif news.change is Change.REMIND:
        loud = f"still open, {loud}"
    return (
        Text(words.icon(result.severity, news.change) + " "),
        *named(result),
        Text(f" {words.phrase(result)} ({loud})"),
    )


def one_line(news: News, now: datetime) -> Line:
    """An alert in a list of many."""
    alert = news.alert
    if news.is_over:
        return _over(news, now)
    since = alert.started_at if alert.result.since is None else alert.result.since
    what = f": {alert.result.summary}" if alert.result.summary else ""
    return (*title(news), Text(f" since {words.instant(since, now)}"), Text(what))


def _over(news: News, now: datetime) -> Line:
    alert = news.alert
    began = alert.started_at if alert.result.since is None else alert.result.since
    ended = now if alert.ended_at is None else alert.ended_at
    spell = f" for {format_duration(ended - began)}" if ended > began else ""
    return (
        Text(f"{words.icon(alert.result.severity, news.change)} "),
        *named(alert.result),
        Text(f" {words.phrase(alert.result, over=True)}{spell}: "),
        Text(f"{alert.end_reason or 'over'} (it began {words.instant(began, now)})"),
    )


def named(result: Result) -> Line:
    """The name, with the dimension's value where it is about one."""
    cut = result.cut
    name: Line = (Name(words.subject(result)),)
    return name if cut is None else (*name, Text(f" on {cut.dimension} "), Name(cut.value))


def _since(alert: Alert, now: datetime) -> Line:
    since = alert.result.since
    if since is None:
        return (Bold("Since"), Text(f" {words.instant(alert.started_at, now)} (noticed)"))
    passed = words.ago(since, now)
    return (
        Bold("Since"),
        Text(f" {words.instant(since, now)}" + (f" ({passed})" if passed else "")),
    )


def _amount(result: Result, now: datetime) -> Line:
    amount = result.amount
    if amount is None:
        return ()
    unit = f" {amount.unit}" if amount.unit in ("events", "values") else ""
    wanted = words.expected(amount)
    span = words.judged_span(amount, now)
    return joined(
        (
            (Bold("Seen"), Text(f" {words.number(amount.observed, amount.unit)}{unit}")),
            (Bold("Expected"), Text(f" {wanted}")) if wanted else (),
            (Text(span),) if span else (),
        ),
        "  ",
    )


def _promise(news: News, contract_link: str) -> Line:
    contract = news.contract
    parts: list[Line] = []
    if contract is not None:
        parts.append((Text("Contract "), *links.contract_place(contract_link, contract)))
        parts.append(links.runbook(contract))
    if news.alert.result.check:
        parts.append((Text(f"Check {news.alert.result.check}"),))
    return joined(parts)


def _label(text: str) -> str:
    return truncate(text[:1].upper() + text[1:], 40) or "Also"


def _sentence(text: str) -> str:
    """Capital at the start, so that it reads as a sentence of its own."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")
