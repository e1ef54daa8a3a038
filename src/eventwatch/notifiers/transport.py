"""One HTTP request, and an end that says what may have happened.

Three things that urllib and slack_sdk do not do by themselves: redirects are never followed (the
bearer token would go with them), an end before the connection stood is told from one after it (only
the first proves that nothing was accepted), and the whole exchange has one deadline, so that a peer
that drips bytes cannot hold the sender.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from eventwatch.notifiers.address import is_loopback

LARGEST = 16 * 1024 * 1024
"""Bytes of an answer that are read; a page of history with blocks is a few MB at most."""


class NotConnected(OSError):  # noqa: N818 - a state of the world, named as one
    """No connection was made, so nothing was accepted."""


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    headers: Message
    body: str

    @property
    def retry_after(self) -> str | None:
        """The header as it came."""
        value: str | None = self.headers.get("Retry-After")
        return value


def exchange(
    request: urllib.request.Request,
    timeout: float,
    *,
    proxy: str | None = None,
    context: ssl.SSLContext | None = None,
    peer: Callable[[str], bool] = lambda _: True,
) -> Reply:
    """Sends and reads the whole answer within ``timeout`` seconds. ``peer`` says of the address that
    was connected to whether anything may be sent there; a proxy's is not asked about.

    Raises NotConnected when nothing was sent; any other OSError, HTTPException or ValueError leaves
    open whether it was accepted.
    """
    if is_loopback(request.host.split(":")[0]):
        proxy = None
    watch = _Deadline(peer if proxy is None else lambda _: True)
    opener = _opener(watch, proxy, context)
    with watch.within(timeout):
        try:
            answer = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = error
        except urllib.error.URLError as error:
            if isinstance(error.reason, OSError):
                raise error.reason from None
            raise OSError("the request failed") from None
        with answer:
            body = answer.read(LARGEST + 1)
            if len(body) > LARGEST:
                raise http.client.HTTPException("the answer is too long")
            length = answer.headers.get("Content-Length", "")
            if length.isdigit() and len(body) < int(length):
                raise http.client.IncompleteRead(b"")
            return Reply(int(answer.status or 0), answer.headers, body.decode("utf-8", "replace"))


class _Deadline:
    """Closes the connection under way when time is up; the reader then sees it end."""

    def __init__(self, peer: Callable[[str], bool]) -> None:
        self._peer = peer
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False

    def check(self, connected: socket.socket) -> None:
        # Asked of the connection itself: a name may resolve to something else the next time.
        if not self._peer(str(connected.getpeername()[0])):
            connected.close()
            raise NotConnected("the host's name leads to an address that is not allowed")

    def watch(self, connected: socket.socket) -> None:
        self.check(connected)
        with self._lock:
            self._socket = connected
            if self._over:
                self._cut()
                raise NotConnected("no connection in time")

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        with self._lock:
            self._over = True
            self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # The plain socket's shutdown: an SSLSocket's own would tear its state from under
                # the thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(
    watch: _Deadline, proxy: str | None, context: ssl.SSLContext | None
) -> urllib.request.OpenerDirector:
    def guarded(*args: Any, **kwargs: Any) -> socket.socket:
        made = socket.create_connection(*args, **kwargs)
        watch.check(made)
        return made

    # The address is judged before a byte is sent, TLS's included; should a later Python not have
    # this hook any more, ``watch`` still judges it before the request is.
    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            self._create_connection = guarded
            _connect(super().connect)
            watch.watch(self.sock)

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            self._create_connection = guarded
            _connect(super().connect)
            watch.watch(self.sock)

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req, context=context or ssl.create_default_context())

    proxies = {} if proxy is None else {"https": proxy, "http": proxy}
    return urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), _NoRedirect(), PlainHandler(), SecureHandler()
    )


def _connect(connect: Any) -> None:
    try:
        connect()
    except (OSError, http.client.HTTPException) as error:
        raise NotConnected(_words(error)) from None


def _words(error: BaseException) -> str:
    """What went wrong, without addresses: a proxy's URL may hold a password."""
    match error:
        case NotConnected():
            return str(error)
        case TimeoutError():
            return "no connection in time"
        case ConnectionRefusedError():
            return "connection refused"
        case socket.gaierror():
            return "the host's name cannot be resolved"
        case ssl.SSLCertVerificationError():
            return "the server's certificate is not trusted"
    return f"no connection ({type(error).__name__})"
