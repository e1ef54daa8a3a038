"""The types of the single settings: what each accepts, and what it says to what it does not.

Validators raise ValueError with a sentence that never quotes the value: it may be a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from eventwatch.alerting.routing import usable_channel, usable_group
from eventwatch.config.holidays import check_place
from eventwatch.kinds.definition import Duration
from eventwatch.model.cron import parse_cron
from eventwatch.model.durations import format_duration
from eventwatch.model.names import team_key

EXPOSURE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
_ALSO = ("postgresql",)
BUCKETS = tuple(
    timedelta(minutes=m) for m in (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
)
"""Whole numbers of them make a day, and each is made of whole cells of the measurements."""


def between(low: timedelta, high: timedelta) -> AfterValidator:
    """Accepts spans from ``low`` to ``high``, both included."""

    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise ValueError(f"must be between {format_duration(low)} and {format_duration(high)}")
        return value

    return AfterValidator(check)


def _bucket(value: timedelta) -> timedelta:
    if value not in BUCKETS:
        raise ValueError("must be 5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h or 1d")
    return value


def _no_cron(value: object) -> object:
    if isinstance(value, str) and (value.startswith("@") or len(value.split()) == 5):
        raise ValueError("is for spans like 15m; cron fields go under cron, in place of every")
    return value


def _cron(text: str) -> str:
    return parse_cron(text).text


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        known = available_timezones()
        # A short name is near to others that are hours away: PST to MST.
        close = get_close_matches(name[:60], known, n=1, cutoff=0.6) if "/" in name else []
        tails = [zone for zone in sorted(known) if zone.split("/")[-1].lower() == name.lower()]
        meant = tails[0] if tails else (close[0] if close else "Europe/Berlin")
        raise ValueError(f"is not a time zone of the tz database, like {meant}")
    ZoneInfo(name)
    return name


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if "\0" in value:
        raise ValueError("must not hold a NUL character")
    return value


def check_team(value: str) -> str:
    """The team's key. Raises ValueError."""
    key = team_key(value)
    if not key:
        raise ValueError("must not be empty")
    return key


def _channel(value: str) -> str:
    if not usable_channel(value):
        raise ValueError(
            'must be "#channel-name" in lower case and in quotes (# begins a comment), or a '
            "channel id like C0123ABCDEF"
        )
    return value


def _group(value: str) -> str:
    if not usable_group(value):
        raise ValueError("must be the id of a Slack user group, like S0123ABCD; never its name")
    return value


def _link(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    odd = sorted(set(re.findall(r"\{[^{}]*\}?", value)) - {"{path}", "{line}"})
    if odd or "}" in value.replace("{path}", "").replace("{line}", ""):
        raise ValueError("may hold {path} and {line} and no other braces")
    if any(c.isspace() or c in '<>|"' or not c.isprintable() for c in value):
        raise ValueError("must not hold blanks, quotes or any of < > |")
    return value


def secretly(check: Callable[[str], None]) -> AfterValidator:
    """Checks the text inside a secret."""

    def apply(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(apply)


def _token(value: str) -> None:
    if not re.fullmatch(r"[!-~]{8,400}", value):
        raise ValueError("must be a token: no blanks, no line breaks")
    if value.startswith(("https://", "http://")):
        raise ValueError("is a URL, not a token; an incoming webhook belongs in webhook_url")
    if value.startswith("xapp-"):
        raise ValueError("is an app-level token, which belongs in app_token; a bot token is needed")


def secure_url(value: str) -> None:
    """Raises ValueError unless it is https, or http to this machine, without user and password."""
    if not re.fullmatch(r"[!-~]+", value) or "\\" in value:
        raise ValueError("must be a URL that begins with https://")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    loopback = host == "localhost"
    with suppress(ValueError):
        loopback = loopback or ipaddress.ip_address(host).is_loopback
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("must not hold a user, a password or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("must begin with https:// (http:// only to this machine itself)")
    if not host:
        raise ValueError("must name a host")


def _base_url(value: str) -> str:
    secure_url(value)
    return value if value.endswith("/") else value + "/"


def engines() -> frozenset[str]:
    """URL schemes that the installed Ibis knows, without importing it."""
    return frozenset(point.name for point in entry_points(group="ibis.backends")) | set(_ALSO)


def _connection(value: str) -> None:
    found = _SCHEME.match(value)
    if found is None:
        raise ValueError(
            "must be a connection URL, like duckdb://warehouse.duckdb or "
            "postgresql://user:${PG_PASSWORD}@host/database"
        )
    known = engines()
    # The scheme is shown only where it looks like one that is known: anything else may be a secret.
    if found[1] not in known:
        close = get_close_matches(found[1], known, n=1, cutoff=0.6)
        meant = f"; did you mean {close[0]}://?" if close else ""
        raise ValueError(f"is for an engine that Ibis does not know{meant}")
    try:
        parts = urlsplit(value)
        _ = parts.port, parts.hostname
    except ValueError:
        raise ValueError(
            "is not a URL: its port is no number, or a special character of the user or the password "
            "is not percent-encoded (@ is %40, / is %2F)"
        ) from None


def _state(value: str) -> None:
    scheme = value.partition("://")[0]
    if scheme == "sqlite":
        path = value.partition("://")[2].partition("?")[0]
        if not path.startswith("/"):
            raise ValueError(
                "must have three slashes before a path: sqlite:///var/eventwatch/state.db"
            )
        if path in ("/", "/:memory:"):
            raise ValueError("must name a file: what is kept in memory is forgotten at the end")
    elif scheme not in ("postgresql", "postgresql+psycopg", "postgres"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    else:
        try:
            _ = urlsplit(value).port
        except ValueError:
            raise ValueError(
                "is not a URL: a special character of the password is not percent-encoded"
            ) from None


SECRET = {"format": "password", "writeOnly": True}
Text = Annotated[str, AfterValidator(_filled)]
TeamKey = Annotated[str, AfterValidator(check_team), Field(examples=["growth"])]
Channel = Annotated[str, AfterValidator(_channel), Field(examples=["#growth-alerts"])]
GroupId = Annotated[str, AfterValidator(_group), Field(examples=["S0123ABCD"])]
Zone = Annotated[str, AfterValidator(_time_zone), Field(examples=["America/Los_Angeles", "UTC"])]
Place = Annotated[str, AfterValidator(check_place), Field(examples=["DE", "US-CA"])]
Link = Annotated[
    str,
    AfterValidator(_link),
    Field(examples=["https://git.example.com/events/blob/main/{path}#L{line}"]),
]
Cron = Annotated[str, AfterValidator(_cron), Field(examples=["*/5 * * * *"])]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Token = Annotated[
    SecretStr, secretly(_token), Field(examples=["${SLACK_BOT_TOKEN}"], json_schema_extra=SECRET)
]
Webhook = Annotated[
    SecretStr,
    secretly(secure_url),
    Field(examples=["${SLACK_WEBHOOK_URL}"], json_schema_extra=SECRET),
]
Connection = Annotated[
    SecretStr,
    secretly(_connection),
    Field(
        examples=["duckdb://warehouse.duckdb", "postgresql://user:${PG_PASSWORD}@host/database"],
        json_schema_extra=SECRET,
    ),
]
StateUrl = Annotated[
    SecretStr,
    secretly(_state),
    Field(
        examples=["sqlite:///var/eventwatch/state.db", "postgresql://user:${PG_PASSWORD}@host/db"],
        json_schema_extra=SECRET,
    ),
]
_S, _H, _D = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
Every = Annotated[Duration, between(10 * _S, 7 * _D), BeforeValidator(_no_cron)]
Bucket = Annotated[Duration, AfterValidator(_bucket)]
LookBack = Annotated[Duration, between(_D, 3650 * _D)]
Overlap = Annotated[Duration, between(0 * _S, 7 * _D)]
LateWindow = Annotated[Duration, between(_H, 60 * _D)]
QueryTimeout = Annotated[Duration, between(_S, 6 * _H)]
LockWait = Annotated[Duration, between(0 * _S, _H)]
SlackTimeout = Annotated[Duration, between(_S, 120 * _S)]
Reminder = Annotated[Duration, between(timedelta(minutes=1), 90 * _D)]
