"""Which addresses a Slack secret may be sent to.

https to Slack's own hosts; anything, also plain http, on the loopback interface, where fakes and
local relays live. The host is compared as a whole and the URL may carry neither user nor fragment,
so that ``https://slack.com@evil.example`` and ``https://slack.com.evil.example`` are refused. A name
that resolves to somewhere else does not get the secret either: TLS proves the host.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from eventwatch.model.errors import DeliveryError

HOSTS = frozenset(("slack.com", "hooks.slack.com", "slack-gov.com", "hooks.slack-gov.com"))
_PRINTABLE = re.compile(r"[!-~]+")


def checked_url(url: str, setting: str) -> str:
    """The URL, when a secret may be sent there. Raises DeliveryError, which names the setting and
    never the URL: a webhook's URL is a secret itself."""
    parts = _split(url, setting)
    host = (parts.hostname or "").lower()
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise DeliveryError(f"{setting} must not hold a user, a password or a fragment")
    if is_loopback(host) and parts.scheme in ("http", "https"):
        return url
    if parts.scheme != "https":
        raise DeliveryError(f"{setting} must begin with https://")
    if host not in HOSTS:
        raise DeliveryError(
            f"{setting} must be an address of Slack; allowed hosts: {', '.join(sorted(HOSTS))}"
        )
    if parts.port not in (None, 443):
        raise DeliveryError(f"{setting} must not name a port")
    return url


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name or address, written in the usual way."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str, setting: str) -> SplitResult:
    # urlsplit drops blanks and line ends that other readers of the URL would keep.
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise DeliveryError(f"{setting} is not a URL")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise DeliveryError(f"{setting} is not a URL") from None
    return parts
