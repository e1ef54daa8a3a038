"""The HTTP endpoints: ``/livez``, ``/readyz``, ``/metrics``; GET and HEAD only, nothing changes state.

On the loopback interface everybody may read everything. On any other, all but the first two need the
token, and those two say yes or no and no more.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from eventwatch.model.errors import ConfigError, Fault
from eventwatch.model.settings import WebSettings
from eventwatch.web.metrics import CONTENT_TYPE, Metrics
from eventwatch.web.vitals import Vitals

log = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
_SECONDS = 10.0
"""For one request, from its first byte to its last."""
_AT_ONCE = 16
"""Requests served side by side; more are turned away."""


@dataclass(frozen=True)
class Sources:
    """What the endpoints ask."""

    alive: Callable[[], bool]
    """Scheduler and workers run."""
    vitals: Callable[[], Vitals]


@dataclass(frozen=True)
class Answer:
    """Status, content type and body of one reply."""

    status: int
    body: bytes
    content_type: str = PLAIN


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class WebServer:
    """Serves from threads of its own until it is stopped."""

    def __init__(self, settings: WebSettings, sources: Sources) -> None:
        if settings.token is None and not is_loopback(settings.host):
            raise ConfigError(
                (
                    Fault(
                        settings.location or "config.yaml",
                        None,
                        f"listens on {settings.host}, which others can reach, without a token; set "
                        "web.token, or listen on 127.0.0.1",
                        "web",
                    ),
                )
            )
        self._settings, self._sources = settings, sources
        self._metrics = Metrics(sources.vitals)
        self._open = is_loopback(settings.host)
        try:
            self._server = _Server((settings.host, settings.port), _handler(self))
        except OSError as error:
            reason = error.strerror or "the address cannot be used"
            raise ConfigError(
                (
                    Fault(
                        settings.location or "config.yaml",
                        None,
                        f"cannot listen on {settings.host}:{settings.port}: {reason}; choose "
                        "another port, or end the process that has it",
                        "web",
                    ),
                )
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="web", daemon=True
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Returns when no new request is taken."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)

    def answer(self, path: str, authorization: str) -> Answer:
        """The reply to one request."""
        allowed = self._open or self._authorized(authorization)
        match path.partition("?")[0]:
            case "/livez":
                return self._yes_or_no(self._sources.alive(), "")
            case "/readyz":
                why = self._why_not_ready()
                return self._yes_or_no(not why, why if allowed else "")
            case "/metrics" if allowed:
                return Answer(200, self._metrics.text(), CONTENT_TYPE)
            case "/metrics":
                return Answer(401, b"a token is needed\n")
        return Answer(
            404 if allowed else 401, b"not found\n" if allowed else b"a token is needed\n"
        )

    def _why_not_ready(self) -> str:
        if not self._sources.alive():
            return "the scheduler does not run"
        try:
            return self._sources.vitals().not_ready
        except Exception:
            log.warning("the state cannot be asked whether the daemon is ready", exc_info=True)
            return "the state cannot be read"

    @staticmethod
    def _yes_or_no(good: bool, why: str) -> Answer:
        text = "yes" if good else f"no: {why}" if why else "no"
        return Answer(200 if good else 503, f"{text}\n".encode("utf-8", "replace"))

    def _authorized(self, authorization: str) -> bool:
        token = self._settings.token
        if token is None:
            return False
        scheme, _, given = authorization.partition(" ")
        right = hmac.compare_digest(given.strip().encode(), token.reveal().encode())
        return scheme.lower() == "bearer" and right


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        # A slow reader must not cost the daemon its threads.
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        log.debug("a request broke off", exc_info=True)


def _handler(server: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS
        server_version = "eventwatch"
        sys_version = ""

        def do_GET(self) -> None:
            try:
                made = server.answer(self.path, self.headers.get("Authorization", ""))
            except Exception:
                log.exception("a request could not be answered")
                made = Answer(500, b"the daemon could not answer; its log says why\n")
            self.send_response(made.status)
            self.send_header("Content-Type", made.content_type)
            self.send_header("Content-Length", str(len(made.body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            if made.status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(made.body)

        do_HEAD = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, format: str, *args: Any) -> None:
            """A request is no event of the daemon's."""

    return Handler
