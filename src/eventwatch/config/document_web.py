"""What config.yaml may hold about being watched itself: ``web`` and ``heartbeat_url``."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from eventwatch.config.fields import SECRET, secretly, secure_url
from eventwatch.config.fields_notify import public_host
from eventwatch.config.strict import Section

DEFAULT_LISTEN = "127.0.0.1:9464"
_LISTEN = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+)):([0-9]{1,5})")


def address_of(listen: str) -> tuple[str, int]:
    """Host and port. A name other than localhost is refused: what it resolves to may change, and with
    it who can reach us. Raises ValueError."""
    found = _LISTEN.fullmatch(listen)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise ValueError(
            'must be an address and a port from 1 to 65535, like "127.0.0.1:9464" or "[::1]:9464"'
        )
    host = found[1] or found[2]
    host = "127.0.0.1" if host == "localhost" else host
    try:
        right = ipaddress.ip_address(host).version == (6 if found[1] else 4)
    except ValueError:
        right = False
    if not right:
        raise ValueError("must name an address of this machine, or localhost; no other name")
    return host, int(found[3])


def is_here(host: str) -> bool:
    """Whether only this machine reaches a host that ``address_of`` gave."""
    return ipaddress.ip_address(host).is_loopback


def _listen(value: str) -> str:
    address_of(value)
    return value


def _web_token(value: str) -> None:
    if not re.fullmatch(r"[!-~]{16,400}", value):
        raise ValueError("must be 16 to 400 characters without blanks and line breaks")


def _heartbeat_url(value: str) -> None:
    secure_url(value)
    public_host(urlsplit(value).hostname or "")


Listen = Annotated[str, AfterValidator(_listen), Field(examples=[DEFAULT_LISTEN, "[::1]:9464"])]
WebToken = Annotated[
    SecretStr,
    secretly(_web_token),
    Field(examples=["${EVENTWATCH_WEB_TOKEN}"], json_schema_extra=SECRET),
]
HeartbeatUrl = Annotated[
    SecretStr,
    secretly(_heartbeat_url),
    Field(examples=["${HEARTBEAT_URL}"], json_schema_extra=SECRET),
]


class WebSection(Section):
    """Where the daemon shows /livez, /readyz and /metrics. Without this section nothing listens."""

    listen: Listen = Field(
        DEFAULT_LISTEN,
        description="Address and port. Beyond this machine (0.0.0.0, [::]) token is needed.",
    )
    token: WebToken | None = Field(
        None,
        description="Bearer token for everything but yes-or-no health: ${EVENTWATCH_WEB_TOKEN}. On "
        "this machine alone nobody is asked for it.",
    )
