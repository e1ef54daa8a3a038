"""Links in messages: https only, and nothing in them that Slack or HTML would read as markup."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from eventwatch.alerting.spans import Line, Link, Text
from eventwatch.model.contract import Contract, Location

_SAFE = re.compile(r"https://[A-Za-z0-9\[][!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]*")
_LONGEST = 400


def https_url(url: str) -> str:
    """The URL when it is an https one of moderate length, with a host and without a user or any
    character that would have to be escaped; else the empty string."""
    if len(url) > _LONGEST or not _SAFE.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return ""
    return url if parts.hostname and "@" not in parts.netloc else ""


def contract_url(template: str, location: Location) -> str:
    """The template with path and line put in, both URL-escaped; empty where it makes no link."""
    if not template:
        return ""
    path = quote(location.path.encode("utf-8", "replace"), safe="/")
    line = str(1 if location.line is None else location.line)
    # One pass, so that a path called "{line}" stays one.
    made = re.sub(r"\{(path|line)\}", lambda m: path if m[1] == "path" else line, template)
    return https_url(made)


def contract_place(template: str, contract: Contract) -> Line:
    """Where the contract stands: a link when the config makes one, else file and line."""
    url = contract_url(template, contract.location)
    label = str(contract.location)
    return (Link(url, label),) if url else (Text(label),)


def runbook(contract: Contract) -> Line:
    """The runbook, when its address can be trusted to be one; else nothing."""
    url = https_url(contract.runbook_url)
    return (Link(url, "Runbook"),) if url else ()
