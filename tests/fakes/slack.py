"""A Slack of our own on the loopback interface: its rules, its limits, its bad days.

It keeps what it accepted, so a test asks it and not the client what was posted. Faults are scripted
per request: each entry of ``faults`` is used up by one posting. ``stored`` says whether the message
was accepted before the fault showed, which no client can see. Nothing here sleeps: a hanging answer
waits for the end of the test.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.slack_rules import size_error

TOKEN = "xoxb-123-canary-token"
WEBHOOK_PATH = "/services/T000/B000/canary-webhook"
ALL_SCOPES = frozenset(
    ("chat:write", "channels:history", "groups:history", "channels:read", "groups:read")
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. With none of the fields set: nothing."""

    error: str = ""
    """``ok: false`` with this code (a webhook: 400 with it as text)."""
    status: int = 200
    retry_after: str | None = None
    stored: bool = False
    """The message was taken nevertheless."""
    closes: bool = False
    """Closes the connection without an answer."""
    truncated: bool = False
    """Announces more than it sends."""
    hangs: bool = False
    """Answers nothing until the test is over."""
    drips: bool = False
    """A byte now and then, for ever."""
    body: str | None = None
    """This instead of an answer."""
    content_type: str = "text/html"
    location: str = ""
    """Redirects there."""


@dataclass
class Channel:
    """A channel of the workspace."""

    id: str
    name: str
    member: bool = True
    archived: bool = False


@dataclass(frozen=True)
class Posted:
    """A message that was accepted."""

    channel: str
    """Its id; the webhook's is ``webhook``."""
    ts: str
    body: dict[str, Any]

    @property
    def key(self) -> str | None:
        """Our key in its metadata."""
        payload = self.body.get("metadata", {}).get("event_payload", {})
        return payload.get("key") if isinstance(payload, dict) else None


@dataclass
class FakeSlack:
    """Use ``running()``. Everything public may be changed by a test while it runs."""

    channels: list[Channel] = field(
        default_factory=lambda: [
            Channel("C0GROWTH01", "growth-alerts"),
            Channel("C0DATA0001", "data-platform"),
        ]
    )
    token: str = TOKEN
    scopes: frozenset[str] = ALL_SCOPES
    clock: float = 1_790_000_000.0
    """Epoch seconds of Slack's own clock; each accepted message moves it by a millisecond."""
    limited: bool = False
    """Enforces one message per second and channel, by ``clock``."""
    history_lag: int = 0
    """How many of the newest messages history does not show yet."""
    page: int = 200
    """Largest page of history."""
    auth_error: str = ""
    faults: list[Fault] = field(default_factory=list)
    """Used up by postings, first to last."""
    read_faults: list[Fault] = field(default_factory=list)
    """Used up by every other method."""
    messages: list[Posted] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Path, headers and raw body of every request, also refused ones."""
    rejected: list[str] = field(default_factory=list)
    """Codes of the size rules that were broken."""
    port: int = 0
    _last: dict[str, float] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        """For ``SlackSettings.base_url``."""
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def webhook_url(self) -> str:
        """For ``SlackSettings.webhook_url``."""
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"

    def keys(self) -> list[str | None]:
        """The keys of all accepted messages, in their order."""
        return [message.key for message in self.messages]

    @contextlib.contextmanager
    def running(self) -> Iterator[FakeSlack]:
        """Serves on a free port for as long as the block lasts."""
        fake = self

        class Handler(_Handler):
            slack = fake

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            server.shutdown()
            server.server_close()
            thread.join()

    # The methods

    def call(self, method: str, arguments: dict[str, Any], token: str) -> dict[str, Any]:
        """The answer of one Web API method."""
        with self._lock:
            if self.auth_error:
                return _no(self.auth_error)
            if token != f"Bearer {self.token}":
                return _no("invalid_auth" if token else "not_authed")
            match method:
                case "chat.postMessage":
                    return self._post(arguments)
                case "conversations.history":
                    return self._history(arguments)
                case "users.conversations":
                    return self._conversations(arguments)
                case "auth.test":
                    return {"ok": True, "team": "Acme", "user": "eventwatch", "bot_id": "B01"}
            return _no("unknown_method")

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        if "chat:write" not in self.scopes:
            return _no("missing_scope")
        channel = self._channel(str(body.get("channel", "")))
        if channel is None:
            return _no("channel_not_found")
        if channel.archived:
            return _no("is_archived")
        if not channel.member:
            return _no("not_in_channel")
        broken = size_error(body)
        if broken:
            self.rejected.append(broken)
            return _no(broken)
        last = self._last.get(channel.id)
        if self.limited and last is not None and self.clock - last < 1.0:
            return _no("ratelimited")
        posted = self.store(channel.id, body)
        return {"ok": True, "channel": channel.id, "ts": posted.ts, "message": {"ts": posted.ts}}

    def store(self, channel: str, body: dict[str, Any]) -> Posted:
        """Takes a message as accepted."""
        with self._lock:
            self._last[channel] = self.clock
            self.clock += 0.001
            posted = Posted(channel, f"{self.clock:.6f}", body)
            self.messages.append(posted)
            return posted

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = str(arguments.get("channel", ""))
        # Unlike posting, history takes ids only.
        channel = next((c for c in self.channels if c.id == wanted), None)
        if channel is None:
            return _no("channel_not_found")
        scope = "groups:history" if channel.id.startswith("G") else "channels:history"
        if scope not in self.scopes:
            return _no("missing_scope")
        if not channel.member:
            return _no("not_in_channel")
        oldest = float(arguments.get("oldest") or 0)
        found = [m for m in self.messages if m.channel == channel.id]
        if self.history_lag:
            found = found[: -self.history_lag]
        newest_first = [m for m in reversed(found) if float(m.ts) >= oldest]
        start = int(arguments.get("cursor") or 0)
        limit = min(int(arguments.get("limit") or 100), self.page)
        page = newest_first[start : start + limit]
        more = start + limit < len(newest_first)
        with_metadata = str(arguments.get("include_all_metadata")).lower() in ("true", "1")
        return {
            "ok": True,
            "messages": [
                {
                    "type": "message",
                    "ts": m.ts,
                    "text": m.body.get("text", ""),
                    **({"metadata": m.body["metadata"]} if with_metadata and m.key else {}),
                }
                for m in page
            ],
            "has_more": more,
            "response_metadata": {"next_cursor": str(start + limit) if more else ""},
        }

    def _conversations(self, arguments: dict[str, Any]) -> dict[str, Any]:
        types = str(arguments.get("types", "public_channel")).split(",")
        for kind, scope in (
            ("public_channel", "channels:read"),
            ("private_channel", "groups:read"),
        ):
            if kind in types and scope not in self.scopes:
                return _no("missing_scope")
        mine = [c for c in self.channels if c.member and not c.archived]
        start = int(arguments.get("cursor") or 0)
        page = mine[start : start + 2]
        more = start + 2 < len(mine)
        return {
            "ok": True,
            "channels": [{"id": c.id, "name": c.name} for c in page],
            "response_metadata": {"next_cursor": str(start + 2) if more else ""},
        }

    def _channel(self, wanted: str) -> Channel | None:
        name = wanted.removeprefix("#")
        return next((c for c in self.channels if wanted == c.id or name == c.name), None)


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    slack: FakeSlack

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """Only redirected clients ask by GET; that they did is recorded."""
        self.slack.requests.append((self.path, dict(self.headers.items()), ""))
        self._reply(200, json.dumps({"ok": True}), "application/json")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        slack = self.slack
        slack.requests.append((self.path, dict(self.headers.items()), raw))
        is_webhook = self.path == WEBHOOK_PATH
        method = self.path.rpartition("/")[2]
        posts = is_webhook or method == "chat.postMessage"
        with slack._lock:
            queue = slack.faults if posts else slack.read_faults
            fault = queue.pop(0) if queue else Fault()
        if fault.stored:
            body = json.loads(raw)
            channel = None if is_webhook else slack._channel(str(body.get("channel")))
            slack.store(channel.id if channel else "webhook", body)
        if self._fails(fault, is_webhook):
            return
        if is_webhook:
            self._webhook(raw)
            return
        kind = self.headers.get("Content-Type", "")
        arguments = (
            json.loads(raw or "{}")
            if "json" in kind
            else {name: values[0] for name, values in parse_qs(raw).items()}
        )
        answer = slack.call(method, arguments, self.headers.get("Authorization", ""))
        limited = answer.get("error") == "ratelimited"
        headers = {"Retry-After": "1"} if limited else {}
        self._reply(429 if limited else 200, json.dumps(answer), "application/json", headers)

    def _webhook(self, raw: str) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            self._reply(400, "invalid_payload")
            return
        broken = size_error(body)
        if broken:
            self.slack.rejected.append(broken)
            self._reply(400, broken)
            return
        self.slack.store("webhook", body)
        self._reply(200, "ok")

    def _fails(self, fault: Fault, is_webhook: bool) -> bool:
        """Plays the fault; False: there is none."""
        if fault.hangs:
            self.slack._over.wait(30)
            self.close_connection = True
        elif fault.drips:
            self._drip()
        elif fault.closes:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.truncated:
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            self.wfile.write(b'{"ok": tr')
            self.close_connection = True
        elif fault.location:
            self._reply(fault.status, "", "text/html", {"Location": fault.location})
        elif fault.error:
            if is_webhook:
                self._reply(fault.status if fault.status != 200 else 400, fault.error)
            else:
                self._reply(fault.status, json.dumps(_no(fault.error)), "application/json")
        elif fault.body is not None:
            self._reply(fault.status, fault.body, fault.content_type)
        elif fault.status != 200:
            headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            self._reply(fault.status, "", "text/plain", headers)
        else:
            return False
        return True

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.slack._over.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()
        self.close_connection = True

    def _reply(
        self,
        status: int,
        body: str,
        content_type: str = "text/plain",
        headers: dict[str, str] | None = None,
    ) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)
