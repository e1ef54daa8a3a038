"""slack_sdk's websocket client, held to our rules: where it may connect, when, and how it ends.

By itself it connects anew every few seconds for ever, reads a connection that the peer has closed in a
loop without a pause, takes any address that it is given, and speaks in the clear to any port but 443.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.socket_mode.builtin.client import SocketModeClient

from eventwatch.model.errors import DeliveryError
from eventwatch.notifiers.address import is_loopback
from eventwatch.notifiers.slack_client import SlackClient

_SOCKET_HOSTS = (".slack.com", ".slack-gov.com")
_OPENS = 10
"""Connections a minute, whatever the peer asks for."""


class Wire(SocketModeClient):
    """slack_sdk's client, which connects when it is told to and where it may. Its threads start with
    it and end with ``close``."""

    def __init__(self, web: SlackClient, hear: Callable[[dict[str, Any]], None]) -> None:
        self._web, self._hear = web, hear
        self._opened: deque[float] = deque(maxlen=_OPENS)
        super().__init__(
            app_token="",
            logger=web._logger,
            web_client=web,
            auto_reconnect_enabled=False,
            # The SDK reads a message by recursion, one level per piece.
            receive_buffer_size=65536,
            concurrency=2,
            proxy=web.proxy,
        )
        self._from_environment = self.proxy
        self.message_listeners.append(self._listen)

    def issue_new_wss_url(self) -> str:
        """An address of Slack's to connect to. Raises DeliveryError, Answered, or what the exchange
        broke with."""
        now = time.monotonic()
        if len(self._opened) == _OPENS and now - self._opened[0] < 60:
            raise DeliveryError("too many connections within a minute")
        self._opened.append(now)
        data = self._web.call("apps.connections.open", {})
        url = checked_socket(data.get("url"), self._web.base_url)
        here = is_loopback(urlsplit(url).hostname or "")
        self.proxy = None if here else self._from_environment
        return url

    def connect(self) -> None:
        """As the SDK, with a socket whose end is an error."""
        super().connect()
        session = self.current_session
        if session is not None and session.sock is not None:
            session.sock = _Ending(session.sock)  # type: ignore[assignment]

    def is_whole(self) -> bool:
        """Whether the SDK's threads live: without one of them it would be deaf and not say so."""
        return self.current_session_runner.is_alive() and self.message_processor.is_alive()

    def close(self) -> None:
        """Ends every thread of the SDK."""
        self.closed = True
        # One of them waits for a message, up to a second.
        self.enqueue_message("")
        self.hang_up()
        super().close()

    def hang_up(self) -> None:
        """Ends the connection from any thread; whoever reads it sees the end at once."""
        session = self.current_session
        held = None if session is None else session.sock
        if isinstance(held, _Ending):
            held.shut()

    def _listen(self, _: Any, message: dict[str, Any], __: str | None = None) -> None:
        self._hear(message)


class _Ending:
    """A socket that raises where a plain one reads nothing: the SDK takes nothing for a pause."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)

    def recv(self, size: int) -> bytes:
        """At least one byte."""
        data: bytes = self._held.recv(size)
        if not data:
            raise ConnectionResetError("the peer closed the connection")
        return data

    def send(self, data: bytes) -> int:
        """All of it; a plain socket may take a part."""
        self._held.sendall(data)
        return len(data)

    def shut(self) -> None:
        """Both directions, whatever another thread does with it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._held, socket.SHUT_RDWR)


def checked_socket(url: object, base_url: str) -> str:
    """The address that Slack named, when it is one of its own and encrypted; on the loopback
    interface only where Slack itself is there. Raises DeliveryError."""
    refused = DeliveryError("Slack named an address for its events that is not its own")
    if not isinstance(url, str) or not all("!" <= c <= "~" for c in url) or "\\" in url:
        raise refused
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise refused from None
    if parts.username is not None or parts.password is not None:
        raise refused
    if parts.scheme == "ws" and is_loopback(host):
        if is_loopback(urlsplit(base_url).hostname or ""):
            return url
        raise refused
    # The SDK would speak in the clear to any port but 443.
    if parts.scheme != "wss" or port not in (None, 443) or not host.endswith(_SOCKET_HOSTS):
        raise refused
    return url
