"""A saying made into a contract, every wrong value of it into a fault.

Pure. What only the config can know is not judged here: whether the owner's team has a channel, whether
an exposure of that name exists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from eventwatch.contracts.saying import Record, Saying
from eventwatch.model.contract import (
    Consumer,
    Contract,
    Direction,
    FieldContract,
    LifecycleState,
    Location,
    Owner,
    Pattern,
    Suppression,
    Tier,
)
from eventwatch.model.durations import parse_duration
from eventwatch.model.errors import Fault
from eventwatch.model.names import team_key

_E = TypeVar("_E", bound=StrEnum)

_CHANNEL = re.compile(r"""#[^\s#@<>&|,:;"'`*~\x00-\x1f\x7f]{1,80}|[CG][A-Z0-9]{8,}""")
_GROUP = re.compile(r"S[A-Z0-9]{8,}")
_URL = re.compile(r"""https?://[^\s<>|"'`\x00-\x20\x7f]+""")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CHECKS = ("all", "freshness", "volume", "payload", "platforms", "drift", "duplicates")
_NO_LIST: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Event:
    """What a contract is made of, beside its saying."""

    message_name: str
    location: Location
    default_name: str
    """The event type where the contract names none."""
    comment: str
    fields: tuple[FieldContract, ...]


class Reading:
    """Reads single values of a saying and collects what is wrong with them."""

    def __init__(self, saying: Saying, home: Location, subject: str) -> None:
        self._saying = saying
        self._home = home
        self._subject = subject
        self.faults: list[Fault] = []

    def at(self, path: str) -> Location:
        """Where a value stands; the home of the whole when it is not said."""
        said = self._saying.get(path)
        return self._home if said is None else said.at

    def fault(self, path: str, message: str) -> None:
        """One fault about the value at a path."""
        at = self.at(path)
        # A value of the file's defaults is one fault, not one per event: its line says enough.
        if path not in self._saying or at.line is None:
            message = f"{self._subject}: {message}"
        self.faults.append(Fault(at.path, at.line, message, path))

    def text(self, path: str) -> str:
        """Text without blanks around it; empty when not said."""
        value = self._one(path)
        return "" if value is None else str(value).strip()

    def texts(self, path: str) -> tuple[str, ...]:
        """A list of texts; a single one is a list of one. Each once, in the order written."""
        said = self._saying.get(path)
        if said is None:
            return ()
        values = said.value if isinstance(said.value, tuple) else (said.value,)
        named = [v.get("name", "") if isinstance(v, Mapping) else v for v in values]
        return tuple(dict.fromkeys(text for each in named if (text := str(each).strip())))

    def records(self, path: str) -> tuple[Record, ...]:
        """A list of messages; a list of texts is read as their names."""
        said = self._saying.get(path)
        values = said.value if said and isinstance(said.value, tuple) else self.texts(path)
        return tuple(v if isinstance(v, Mapping) else {"name": str(v)} for v in values)

    def word(self, path: str, words: type[_E], default: _E) -> _E:
        """One of an enumeration's words, in any of the usual spellings."""
        text = self.text(path)
        word = re.sub(r"[\s-]+", "_", text.lower())
        prefix = path.rsplit(".", 1)[-1] + "_"
        for candidate in (word, word.removeprefix(prefix)):
            if candidate in list(words):
                return words(candidate)
        if text and word.removeprefix(prefix) != "unspecified":
            choice = ", ".join(words)
            self.fault(path, f"{quoted(text)} is not one of: {choice}.")
        return default

    def day(self, path: str) -> date | None:
        """A day; None when not said."""
        text = self.text(path)
        day = day_of(text)
        if text and day is None:
            self.fault(path, f"{quoted(text)} is not a day: write it as YYYY-MM-DD.")
        return day

    def span(self, path: str) -> timedelta | None:
        """Seconds, or text with a unit; None when not said. Never zero or less."""
        value = self._one(path)
        if value is None or value == "":
            return None
        try:
            is_bare = not isinstance(value, str) or value.strip().replace(".", "", 1).isdigit()
            span = timedelta(seconds=float(value)) if is_bare else parse_duration(value)
        except (ValueError, OverflowError):
            self.fault(path, f"{quoted(value)} is not a span of time: write whole seconds.")
            return None
        if span <= timedelta(0):
            self.fault(path, "must be longer than zero seconds; leave it out to have it learned.")
            return None
        return span

    def number(self, path: str) -> float | None:
        """A finite number; None when not said."""
        value = self._one(path)
        if value is None or value == "":
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fault(path, f"{quoted(value)} is not a number.")
            return None
        return number

    def count(self, path: str) -> int | None:
        """A whole number from zero on; None when not said."""
        value = self._one(path)
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        # Not by way of a float, which cannot hold every 64-bit count.
        number = value if isinstance(value, int) else self.number(path)
        if number is None:
            return None
        if number < 0 or number != int(number):
            self.fault(path, f"{number:g} is not a count: write a whole number from 0 on.")
            return None
        return int(number)

    def channel(self, path: str) -> str:
        """A Slack channel; empty when not said or wrong."""
        text = self.text(path)
        if wrong := channel_fault(text):
            self.fault(path, wrong)
            return ""
        return text

    def group(self, path: str) -> str:
        """The id of a Slack user group; empty when not said or wrong."""
        text = self.text(path)
        if text and not _GROUP.fullmatch(text):
            hint = "it is an id like S0123ABCD, never a name; Slack shows it in the group's menu."
            self.fault(path, f"{quoted(text)} is not a Slack user group: {hint}")
            return ""
        return text

    def _one(self, path: str) -> str | int | float | bool | None:
        said = self._saying.get(path)
        if said is None:
            return None
        if not isinstance(said.value, tuple):
            return said.value
        only = said.value[0] if len(said.value) == 1 else None
        if isinstance(only, str | int | float):
            return only
        if said.value:
            self.fault(path, f"holds {len(said.value)} values where one is expected.")
        return None


def contract_of(event: Event, saying: Saying) -> tuple[Contract, list[Fault]]:
    """The contract, complete as far as its values are right, and what is wrong with it."""
    read = Reading(saying, event.location, event.message_name.rsplit(".", 1)[-1])
    event_type = read.text("event_type")
    if "event_type" in saying and not event_type:
        read.fault(
            "event_type", "is blank: leave it out, or write what the exposure's column holds."
        )
    contract = Contract(
        event_type=event_type or event.default_name,
        message_name=event.message_name,
        location=event.location,
        owner=Owner(
            team=team_key(read.text("owner.team")),
            slack_channel=read.channel("owner.slack_channel"),
            oncall=read.text("owner.oncall"),
            email=read.text("owner.email"),
        ),
        description=read.text("description") or event.comment,
        tier=read.word("tier", Tier, Tier.STANDARD),
        state=read.word("lifecycle.state", LifecycleState, LifecycleState.ACTIVE),
        since=read.day("lifecycle.since"),
        sunset=read.day("lifecycle.sunset"),
        replaced_by=read.text("lifecycle.replaced_by"),
        max_gap=read.span("freshness.max_gap_seconds"),
        max_lag=read.span("freshness.max_lag_seconds"),
        min_per_day=read.count("volume.min_per_day"),
        max_per_day=read.count("volume.max_per_day"),
        z_threshold=read.number("volume.z_threshold"),
        pattern=read.word("volume.pattern", Pattern, Pattern.LEARNED),
        alert_on=read.word("volume.alert_on", Direction, Direction.BOTH),
        expected_values=_expected(read, saying),
        consumers=_consumers(read),
        tags=read.texts("tags"),
        runbook_url=_url(read),
        exposures=read.texts("exposures"),
        suppressions=_suppressions(read),
        fields=event.fields,
    )
    _judge(contract, read)
    return contract, read.faults


def _judge(contract: Contract, read: Reading) -> None:
    """What single values cannot tell."""
    if not contract.owner.team:
        read.fault(
            "owner.team",
            'no team owns it: set owner.team in its option, e.g. owner: {team: "growth"}, or for '
            "the whole file with option (eventwatch.contract.v1.event_defaults).",
        )
    if contract.state is LifecycleState.DEPRECATED and not read.text("lifecycle.sunset"):
        read.fault("lifecycle.state", "is deprecated: say its last day in lifecycle.sunset.")
    if contract.since and contract.sunset and contract.sunset < contract.since:
        read.fault("lifecycle.sunset", f"{contract.sunset} lies before since, {contract.since}.")
    if contract.replaced_by and contract.replaced_by == contract.event_type:
        read.fault("lifecycle.replaced_by", "names the event type itself.")
    low, high = contract.min_per_day, contract.max_per_day
    if low is not None and high is not None and low > high:
        read.fault("volume.min_per_day", f"{low:,} is more than max_per_day, {high:,}.")
    if contract.z_threshold is not None and contract.z_threshold <= 0:
        read.fault("volume.z_threshold", "must be above 0; 3 to 6 is usual.")

    for field in contract.fields:
        if field.max_null_ratio is not None and not 0 <= field.max_null_ratio <= 1:
            wrong = f"max_null_ratio is {field.max_null_ratio:g}, and must lie from 0 to 1."
            read.fault(f"fields.{field.name}", wrong)


def _expected(read: Reading, saying: Saying) -> Mapping[str, tuple[str, ...]]:
    """Expected values by dimension; ``platforms`` is the dimension "platform"."""
    found: dict[str, tuple[str, ...]] = {}
    if platforms := read.texts("platforms"):
        found["platform"] = platforms
    for record in read.records("expected"):
        dimension = str(record.get("dimension", "")).strip()
        listed = record.get("values", ())
        values = tuple(str(v) for v in listed) if isinstance(listed, tuple) else (str(listed),)
        if not dimension:
            read.fault("expected", "an entry names no dimension.")
        elif not any(values):
            read.fault("expected", f"dimension {quoted(dimension)} has no values.")
        else:
            known = found.get(dimension, ())
            found[dimension] = tuple(dict.fromkeys([*known, *(v for v in values if v)]))
    for path in saying:
        if path.startswith("expected."):
            dimension = path.removeprefix("expected.")
            found[dimension] = tuple(dict.fromkeys([*found.get(dimension, ()), *read.texts(path)]))
    return MappingProxyType(found) if found else _NO_LIST


def _consumers(read: Reading) -> tuple[Consumer, ...]:
    found = []
    for record in read.records("consumers"):
        name = str(record.get("name", "")).strip()
        channel = str(record.get("slack_channel", "")).strip()
        if not name:
            read.fault("consumers", "an entry has no name.")
        elif wrong := channel_fault(channel):
            read.fault("consumers", f"{quoted(name)}: {wrong}")
        else:
            found.append(Consumer(name, channel))
    return tuple(found)


def _suppressions(read: Reading) -> tuple[Suppression, ...]:
    found = []
    for record in read.records("suppressions"):
        check = str(record.get("check", "all"))
        reason = str(record.get("reason", "")).strip()
        text = str(record.get("until", "")).strip()
        until = day_of(text)
        subject = f"the suppression of {quoted(check)}"
        if check not in _CHECKS:
            read.fault("suppressions", f"{subject} is of no check: {', '.join(_CHECKS)}.")
        if not reason:
            read.fault("suppressions", f"{subject} has no reason: say why it is switched off.")
        if until is None:
            wrong = f"{quoted(text)} is no day" if text else "has no last day"
            read.fault("suppressions", f"{subject}: {wrong}: write until as YYYY-MM-DD.")
        if check in _CHECKS and reason and until:
            found.append(Suppression(check, reason, until))
    return tuple(found)


def _url(read: Reading) -> str:
    text = read.text("runbook_url")
    if text and not _URL.fullmatch(text):
        read.fault("runbook_url", f"{quoted(text)} is not a web address: https://…, no blanks.")
        return ""
    return text


def channel_fault(text: str) -> str:
    """What is wrong with a channel's name; empty when nothing is. Never quotes an address: webhook
    URLs are secrets."""
    if not text or _CHANNEL.fullmatch(text):
        return ""
    if "://" in text:
        return "a channel is named here, never a URL; a webhook's address is a secret: revoke it."
    return f'{quoted(text)} is not a Slack channel: write its name with "#", like "#growth-alerts".'


def day_of(text: str) -> date | None:
    """A day written as YYYY-MM-DD; None for anything else."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def quoted(value: object) -> str:
    """A value as it stands in a fault: on one line, not too long."""
    text = str(value)
    return repr(text if len(text) <= 80 else text[:77] + "…")
