"""What Slack's answers mean for a message: taken, later, never as it is, never at all, or unknown.

The rule that decides every doubtful case: only an answer that proves that nothing was posted allows
another attempt without asking; everything else is UNKNOWN. Slack documents of ``internal_error`` and
``fatal_error`` that part of the work may have been done, so these are unknown as any 5xx is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http.client import HTTPException

from eventwatch.alerting.escape import plain, truncate
from eventwatch.model.alert import Outcome, Verdict
from eventwatch.notifiers.retry_after import backoff, retry_at
from eventwatch.notifiers.transport import NotConnected

_UNKNOWN = frozenset(("internal_error", "fatal_error", "service_unavailable"))
_LATER = frozenset(
    (
        "ratelimited",
        "rate_limited",
        "message_limit_exceeded",
        "team_added_to_org",
        "request_timeout",
    )
)
_HALT = frozenset(
    (
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("missing_scope", "no_permission", "not_allowed_token_type", "org_login_required"),
        *("ekm_access_denied", "access_denied", "accesslimited", "enterprise_is_restricted"),
        *("team_access_not_granted", "two_factor_setup_required", "invalid_token"),
        *("no_service", "no_service_id", "no_team", "no_active_hooks", "team_disabled"),
        *("method_deprecated", "deprecated_endpoint"),
    )
)
_SHORTEN = frozenset(
    (
        *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
        *("metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema"),
        *("no_text", "invalid_payload", "invalid_json", "json_not_object"),
    )
)
_REACHABLE_AGAIN = timedelta(minutes=5)
"""Longest wait for a service that cannot be reached: when it is back, the messages are late enough."""
_FORM = re.compile(r"[a-z0-9_]{1,60}")


class Answer(StrEnum):
    """What an error code asks for."""

    UNKNOWN = "unknown"
    LATER = "later"
    HALT = "halt"
    SHORTEN = "shorten"
    """Refused for its form: the plain form may pass."""
    REFUSED = "refused"


def answer(code: str) -> Answer:
    """The meaning of an error code. One that nobody knows is a refusal: Slack says ``ok: false``
    for what it did not do, and the fallback route is told."""
    for codes, meaning in (
        (_UNKNOWN, Answer.UNKNOWN),
        (_LATER, Answer.LATER),
        (_HALT, Answer.HALT),
        (_SHORTEN, Answer.SHORTEN),
    ):
        if code in codes:
            return meaning
    return Answer.REFUSED


def code_of(data: object) -> str:
    """The error code of an answer's JSON; empty where it holds none of the known form."""
    code = data.get("error") if isinstance(data, Mapping) else None
    return code if isinstance(code, str) and _FORM.fullmatch(code) else ""


def detail_of(data: object) -> str:
    """What Slack adds in words, shortened and made visible, or empty."""
    inner = data.get("response_metadata") if isinstance(data, Mapping) else None
    messages = inner.get("messages") if isinstance(inner, Mapping) else None
    if not isinstance(messages, list):
        return ""
    return plain(truncate("; ".join(str(m) for m in messages[:3]), 200))


def by_code(
    code: str, now: datetime, attempts: int, detail: str = "", header: str | None = None
) -> Outcome:
    """The outcome of an error code; SHORTEN counts as refused here."""
    reason = f"Slack says {code}" + (f" ({detail})" if detail else "")
    match answer(code):
        case Answer.UNKNOWN:
            return Outcome(Verdict.UNKNOWN, reason, retry_at=backoff(attempts, now))
        case Answer.LATER:
            return Outcome(Verdict.RETRY, reason, retry_at=retry_at(header, now))
        case Answer.HALT:
            # Whoever mends the token needs minutes; the rows wait.
            return Outcome(Verdict.HALT, reason, retry_at=now + timedelta(minutes=5))
    return Outcome(Verdict.REFUSED, reason)


@dataclass(frozen=True)
class Ended:
    """The outcome of an answer, and the error code in it, if any."""

    outcome: Outcome
    code: str = ""
    limited: bool = False
    """There were too many requests."""


def by_answer(status: int, data: object, header: str | None, now: datetime, attempts: int) -> Ended:
    """The outcome of an answer of the Web API that is no success; ``header`` is Retry-After."""
    code = code_of(data)
    if status == 429 or not code or status >= 500:
        return Ended(by_status(status, header, now, attempts), limited=status == 429)
    outcome = by_code(code, now, attempts, detail_of(data), header)
    return Ended(outcome, code, answer(code) is Answer.LATER)


def by_status(status: int, header: str | None, now: datetime, attempts: int) -> Outcome:
    """The outcome of an answer without a usable body."""
    later = backoff(attempts, now)
    if status == 429:
        reason = "Slack says there are too many messages (429)"
        return Outcome(Verdict.RETRY, reason, retry_at=retry_at(header, now))
    if 300 <= status < 400:
        reason = f"redirected (HTTP {status}), which is not followed; check the address and proxies"
        return Outcome(Verdict.UNKNOWN, reason, retry_at=later)
    if 400 <= status < 500 and status != 408:
        return Outcome(
            Verdict.RETRY, f"refused before Slack saw it (HTTP {status})", retry_at=later
        )
    if status == 200:
        reason = "an answer that is not Slack's (HTTP 200 without JSON)"
        return Outcome(Verdict.UNKNOWN, reason, retry_at=later)
    return Outcome(Verdict.UNKNOWN, f"a server error (HTTP {status})", retry_at=later)


def by_exception(
    error: BaseException, now: datetime, attempts: int, service: str = "Slack"
) -> Outcome:
    """The outcome of an exchange that broke. Only the kind of error is told: its text may hold an
    address, and an address may be a secret."""
    later = backoff(attempts, now)
    if isinstance(error, NotConnected):
        soon = backoff(attempts, now, _REACHABLE_AGAIN)
        return Outcome(Verdict.RETRY, f"{service} cannot be reached: {error}", retry_at=soon)
    if isinstance(error, TimeoutError):
        return Outcome(Verdict.UNKNOWN, "no answer in time", retry_at=later)
    if isinstance(error, OSError | HTTPException):
        reason = f"the connection ended before the answer did ({type(error).__name__})"
        return Outcome(Verdict.UNKNOWN, reason, retry_at=later)
    reason = f"an answer that could not be read ({type(error).__name__})"
    return Outcome(Verdict.UNKNOWN, reason, retry_at=later)


BROKEN = (
    OSError,
    HTTPException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
)
"""What an exchange and the reading of a hostile answer may raise."""
