"""Which addresses a secret may be sent to: Slack's, and those of webhooks of one's own.

https to Slack's own hosts; anything, also plain http, on the loopback interface, where fakes and
local relays live. The host is compared as a whole and the URL may carry neither user nor fragment,
so that ``https://slack.com@evil.example`` and ``https://slack.com.evil.example`` are refused. A name
that resolves to somewhere else does not get the secret either: TLS proves the host.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from eventwatch.model.errors import DeliveryError

HOSTS = frozenset(("slack.com", "hooks.slack.com", "slack-gov.com", "hooks.slack-gov.com"))
FILE_HOSTS = frozenset(("files.slack.com", "slack-files.com", "files.slack-gov.com"))
_METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200"))
)
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


def checked_upload(url: str, base_url: str) -> str:
    """The URL that Slack named for a file, when a picture may go there: one of Slack's own hosts for
    files; on the loopback interface only where Slack itself is there. Raises DeliveryError."""
    parts = _split(url, "the upload address")
    host = (parts.hostname or "").lower()
    here = is_loopback(urlsplit(base_url).hostname or "")
    plain = parts.username is None and parts.password is None and not parts.fragment
    if plain and here and is_loopback(host) and parts.scheme in ("http", "https"):
        return url
    if plain and parts.scheme == "https" and host in FILE_HOSTS and parts.port in (None, 443):
        return url
    raise DeliveryError("Slack named an upload address that is not its own")


def checked_hook(url: str, setting: str) -> str:
    """The URL, when an operator's own webhook may be there: https to any host, http to this machine
    only. Raises DeliveryError, which never holds the URL. Where the host's name leads to is
    ``may_be_hook``'s to say, once connected."""
    parts = _split(url, setting)
    host = (parts.hostname or "").lower()
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise DeliveryError(f"{setting} must not hold a user, a password or a fragment")
    if not host or parts.scheme not in ("http", "https"):
        raise DeliveryError(f"{setting} must begin with https:// and name a host")
    if is_loopback(host):
        return url
    if parts.scheme != "https":
        raise DeliveryError(f"{setting} must begin with https:// (http:// only to this machine)")
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_private or not _may_be_called(address):
            raise DeliveryError(f"{setting} names an address that no webhook has")
    return url


def may_be_hook(url: str) -> Callable[[str], bool]:
    """Says of the address that a webhook's host led to whether it is sent there. A name that leads to
    this machine or to a cloud's metadata is refused. One that leads into a private network is where
    webhooks of a company live, and TLS proves that it is the host that was meant."""
    here = is_loopback((urlsplit(url).hostname or "").lower())

    def allowed(address: str) -> bool:
        found = ipaddress.ip_address(address.partition("%")[0])
        return found.is_loopback if here else _may_be_called(found)

    return allowed


def _may_be_called(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return not (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
        or address in _METADATA
    )


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
