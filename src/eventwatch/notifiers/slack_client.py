"""slack_sdk's client with our own transport under it, and silent.

The SDK follows redirects with the token, posts again by itself after a lost answer and logs whole
bodies at DEBUG. Its retry handlers are off, its logger is a mute one, and the one method through
which it reaches the network is replaced. Should a later SDK no longer have that method, the client
refuses to be made rather than fall back to the SDK's own way.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.request import Request

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret
from eventwatch.notifiers.address import checked_url
from eventwatch.notifiers.transport import Reply, exchange

_HOOK = "_perform_urllib_http_request_internal"


def mute_logger() -> logging.Logger:
    """A logger for the SDK that writes nothing, whatever the process logs."""
    logger = logging.getLogger("eventwatch.notifiers.slack_sdk")
    # A level, because the SDK compares the level itself; NOTSET would count as DEBUG.
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    return logger


class Answered(Exception):  # noqa: N818 - not an error of ours
    """An answer other than a success: status, ``Retry-After`` and the JSON, if it was any."""

    def __init__(self, status: int, retry_after: str | None, data: object) -> None:
        self.status, self.retry_after, self.data = status, retry_after, data
        super().__init__(f"HTTP {status}")


class SlackClient(WebClient):
    """Web API calls with a bot token."""

    def __init__(
        self,
        token: Secret,
        base_url: str,
        timeout: timedelta,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if not callable(getattr(WebClient, _HOOK, None)):
            raise DeliveryError(
                "this version of slack_sdk cannot be used safely: its transport cannot be "
                "replaced; install slack-sdk>=3.40,<4"
            )
        value = token.reveal().strip()
        if not value or not all("!" <= c <= "~" for c in value):
            raise DeliveryError("notify.slack.token is empty or holds characters that no token has")
        super().__init__(
            token=value,
            base_url=checked_url(base_url, "notify.slack.base_url"),
            timeout=30,
            retry_handlers=[],
            logger=mute_logger(),
        )
        self._limit = timeout.total_seconds()
        self._seconds = threading.local()
        self._context = context

    def __repr__(self) -> str:
        return "SlackClient(********)"

    def _perform_urllib_http_request_internal(
        self,
        url: str,  # noqa: ARG002 - the request knows it
        req: Request,
    ) -> dict[str, Any]:
        seconds = getattr(self._seconds, "left", None)
        reply = exchange(
            req,
            self._limit if seconds is None else seconds,
            proxy=self.proxy,
            context=self._context,
        )
        return {"status": reply.status, "headers": reply.headers, "body": reply.body}

    def call(
        self, method: str, arguments: dict[str, str], seconds: float | None = None
    ) -> dict[str, Any]:
        """One call; arguments go form-encoded, which every method takes. Raises Answered,
        NotConnected, or whatever the exchange broke with."""
        return self._data(lambda: self.api_call(method, params=arguments), seconds)

    def post(self, method: str, body: dict[str, Any], seconds: float) -> dict[str, Any]:
        """One call whose arguments go as JSON, within a time. Raises as ``call``."""
        return self._data(lambda: self.api_call(method, json=body), seconds)

    def upload(self, url: str, data: bytes, seconds: float) -> Reply:
        """Hands bytes to an address that Slack named, without the token. Raises as ``exchange``."""
        request = Request(
            url, data=data, headers={"Content-Type": "application/octet-stream"}, method="POST"
        )
        return exchange(request, seconds, proxy=self.proxy, context=self._context)

    def _data(self, ask: Callable[[], Any], seconds: float | None = None) -> dict[str, Any]:
        # By thread: several may send at once, each with its own time.
        self._seconds.left = seconds
        try:
            data: dict[str, Any] = ask().data
        except SlackApiError as error:
            response = error.response
            headers = {str(k).lower(): v for k, v in response.headers.items()}
            raise Answered(
                response.status_code, headers.get("retry-after"), response.data
            ) from None
        return data


class Stopwatch:
    """How much of one send's time is left: a second request must not take the first one's again."""

    def __init__(self, limit: timedelta) -> None:
        self._ends = time.monotonic() + limit.total_seconds()

    @property
    def left(self) -> float:
        """Seconds, at least a tenth."""
        return max(self._ends - time.monotonic(), 0.1)
