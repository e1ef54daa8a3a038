"""The types of the settings about messages: tokens, addresses, times of day, weekdays.

As in ``fields``, a validator's sentence never quotes the value. A name of a host is not looked up
here: whoever sends does that, each time, because what it resolves to may change.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from eventwatch.config.fields import SECRET, between, check_team, secretly, secure_url
from eventwatch.kinds.definition import Duration

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_TEAM = "*"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,29})://[!-~]+")
_METADATA = frozenset(("metadata", "metadata.google.internal", "metadata.goog", "instance-data"))
"""Names under which clouds hand credentials to whoever asks from inside."""
_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*")
_GENERIC = ("json", "xml", "form")
"""Apprise's plugins that post to any address, in the clear."""


def public_host(host: str) -> None:
    """Raises ValueError for an address of a private network, of the link or of a cloud's metadata,
    in any spelling. This machine itself is allowed: that is where relays and fakes live."""
    name = host.lower().rstrip(".")
    if name in _METADATA:
        raise ValueError("must not be the metadata service of a cloud")
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        if _NUMBERS.fullmatch(name):
            # 0x7f.1 and 2130706433 are addresses to some readers and names to others.
            raise ValueError("must name its host by name, or by an address as usual") from None
        return
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    if not address.is_loopback and (not address.is_global or address.is_multicast):
        raise ValueError("must not be an address of a private network or of this link")


def _webhook(value: str) -> None:
    secure_url(value)
    public_host(urlsplit(value).hostname or "")


def _app_token(value: str) -> None:
    if not re.fullmatch(r"xapp-[!-~]{4,395}", value):
        raise ValueError(
            "must be an app-level token, which begins with xapp- (the bot token belongs in token)"
        )


def _signing_key(value: str) -> None:
    if not re.fullmatch(r"[!-~]{16,400}", value):
        raise ValueError("must be 16 to 400 characters without blanks and line breaks")


def _apprise_url(value: str) -> None:
    found = _SCHEME.fullmatch(value)
    if found is None:
        raise ValueError(
            "must be an Apprise URL: a service, :// and what it needs, as in msteams://…"
        )
    scheme = found[1]
    if scheme in ("http", "https"):
        raise ValueError("is the address of a page; write json(s)://… to post JSON to it")
    if scheme.rstrip("s") in _GENERIC:
        try:
            host = urlsplit(value).hostname or ""
        except ValueError:
            raise ValueError("is not a URL") from None
        public_host(host)
        if scheme in _GENERIC and not _is_here(host):
            raise ValueError(f"would send in the clear; write {scheme}s://")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _time(value: str) -> str:
    if not _TIME.fullmatch(value):
        hint = "; midnight is 00:00" if value == "24:00" else ""
        raise ValueError(f"must be a time of day like 02:30 or 14:00{hint}")
    return value


def time_of(text: str) -> time:
    """The time of a text that has passed the check."""
    return time.fromisoformat(text)


def _instant(value: str) -> str:
    try:
        instant_of(value)
    except ValueError:
        raise ValueError(
            "must be an instant like 2026-03-01T02:00 (in time_zone), 2026-03-01T02:00+01:00, or a "
            "day like 2026-03-01"
        ) from None
    return value


def instant_of(text: str) -> datetime:
    """The instant of a text; without a zone where the text names none. Raises ValueError."""
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or not 1970 <= int(text[:4]) <= 9000:
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _weekday(value: str) -> str:
    short = value.strip().lower()
    full = {
        "monday": "mon",
        "tuesday": "tue",
        "wednesday": "wed",
        "thursday": "thu",
        "friday": "fri",
        "saturday": "sat",
        "sunday": "sun",
    }
    short = full.get(short, short)
    if short not in WEEKDAYS:
        raise ValueError(f"must be one of {', '.join(WEEKDAYS)}")
    return short


def _team_or_all(value: str) -> str:
    return value if value == EVERY_TEAM else check_team(value)


AppToken = Annotated[
    SecretStr,
    secretly(_app_token),
    Field(examples=["${SLACK_APP_TOKEN}"], json_schema_extra=SECRET),
]
WebhookUrl = Annotated[
    SecretStr, secretly(_webhook), Field(examples=["${WEBHOOK_URL}"], json_schema_extra=SECRET)
]
SigningKey = Annotated[
    SecretStr, secretly(_signing_key), Field(examples=["${WEBHOOK_KEY}"], json_schema_extra=SECRET)
]
AppriseUrl = Annotated[
    SecretStr, secretly(_apprise_url), Field(examples=["${TEAMS_URL}"], json_schema_extra=SECRET)
]
AppriseUrls = Annotated[
    list[AppriseUrl],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    Field(min_length=1, max_length=50),
]
TeamOrAll = Annotated[str, AfterValidator(_team_or_all)]
TimeOfDay = Annotated[
    str,
    AfterValidator(_time),
    Field(examples=["09:00"], json_schema_extra={"pattern": f"^{_TIME.pattern}$"}),
]
Instant = Annotated[str, AfterValidator(_instant), Field(examples=["2026-03-01T02:00"])]
Weekday = Annotated[
    str, AfterValidator(_weekday), Field(examples=["sat"], json_schema_extra={"enum": [*WEEKDAYS]})
]
_S, _M, _D = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
ResolveAfter = Annotated[Duration, between(0 * _S, 7 * _D)]
ReopenWithin = Annotated[Duration, between(0 * _S, 30 * _D)]
Flush = Annotated[Duration, between(_S, timedelta(hours=6))]
Refresh = Annotated[Duration, between(_S, _D)]
EscalateAfter = Annotated[Duration, between(_M, 30 * _D)]
