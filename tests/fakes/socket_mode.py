"""Slack's Socket Mode on the loopback interface: the Web API beside it, and the websocket itself.

The standard library's HTTP server answers the calls and gives its connection to the websocket, whose
frames are read and written here. A test sends what it likes, also what Slack would never send, and
asks afterwards what was acknowledged.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

APP_TOKEN = "xapp-1-A0EVENTW-123-canary"
BOT_TOKEN = "xoxb-123-canary-token"
APP_ID = "A0EVENTW"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


@dataclass
class FakeSocketMode:
    """Use ``running()``. Everything public may be changed by a test while it runs."""

    groups: dict[str, list[str]] = field(default_factory=dict)
    """Group id → its members."""
    errors: dict[str, str] = field(default_factory=dict)
    """Method → the error code that it answers with."""
    redirects: dict[str, str] = field(default_factory=dict)
    """Method → where it redirects to."""
    address: str | None = None
    """Instead of the websocket's own, what ``apps.connections.open`` names."""
    handshake: int = 101
    """Status of the websocket's handshake."""
    calls: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Method, arguments and Authorization of every call of the Web API."""
    acknowledged: list[str] = field(default_factory=list)
    """Envelope ids, in their order."""
    connections: int = 0
    """Handshakes that succeeded."""
    port: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """For ``SlackSettings.base_url``."""
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def whispers(self) -> list[dict[str, str]]:
        """Messages that one user saw."""
        return [arguments for method, arguments, _ in self.calls if method == "chat.postEphemeral"]

    def wait(self, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Until something that is watched for is so. Fails when it does not come."""
        with self.changed:
            assert self.changed.wait_for(done, seconds), "it did not happen"

    def note(self, change: Callable[[], object]) -> None:
        """Changes something that a test may wait for."""
        with self.changed:
            change()
            self.changed.notify_all()

    def send(self, message: object) -> None:
        """One message to every open connection; text goes as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        self.frame(_TEXT, text.encode("utf-8", "surrogatepass"))

    def sent(self, message: object) -> bool:
        """As ``send``, for conditions that are waited for; always true."""
        self.send(message)
        return True

    def frame(self, opcode: int, data: bytes) -> None:
        """One frame to every open connection."""
        head = bytes([0x80 | opcode])
        if len(data) < 126:
            head += bytes([len(data)])
        elif len(data) < 65536:
            head += struct.pack("!BH", 126, len(data))
        else:
            head += struct.pack("!BQ", 127, len(data))
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.sendall(head + data)

    def refresh(self) -> None:
        """Slack asks for a new connection, as it does every few hours."""
        self.send({"type": "disconnect", "reason": "refresh_requested"})

    def drop(self) -> None:
        """Every connection ends without a word."""
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Every connection is closed as the protocol has it."""
        self.frame(_CLOSE, struct.pack("!H", 1000) + b"bye")

    @contextlib.contextmanager
    def running(self) -> Iterator[FakeSocketMode]:
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
            self.drop()
            server.shutdown()
            server.server_close()
            thread.join()

    def call(self, method: str, arguments: dict[str, str], token: str) -> dict[str, Any]:
        """The answer of one Web API method."""
        if method in self.errors:
            return {"ok": False, "error": self.errors[method]}
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if token != f"Bearer {wanted}":
            return {"ok": False, "error": "invalid_auth"}
        match method:
            case "apps.connections.open":
                own = f"ws://127.0.0.1:{self.port}/link/?ticket=canary"
                return {"ok": True, "url": own if self.address is None else self.address}
            case "usergroups.users.list":
                users = self.groups.get(arguments.get("usergroup", ""))
                if users is None:
                    return {"ok": False, "error": "no_such_subteam"}
                return {"ok": True, "users": users}
            case "chat.postEphemeral":
                return {"ok": True, "message_ts": "1790000000.000100"}
        return {"ok": False, "error": "unknown_method"}


def press(
    envelope_id: str = "e-1",
    *,
    action_id: str = "eventwatch_ack",
    value: object = "0123456789ab",
    user: str = "U0ANNA0001",
    name: str = "anna",
    app_id: str = APP_ID,
    thread: str = "",
) -> dict[str, Any]:
    """An envelope as Slack sends one when somebody presses a button."""
    container = {"type": "message", "message_ts": "1790000000.000001", "channel_id": "C0GROWTH01"}
    if thread:
        container["thread_ts"] = thread
    return {
        "envelope_id": envelope_id,
        "type": "interactive",
        "accepts_response_payload": True,
        "payload": {
            "type": "block_actions",
            "api_app_id": app_id,
            "team": {"id": "T0ACME0001", "domain": "acme"},
            "user": {"id": user, "username": name, "name": name, "team_id": "T0ACME0001"},
            "container": container,
            "channel": {"id": "C0GROWTH01", "name": "growth-alerts"},
            "response_url": "https://hooks.slack.com/actions/canary",
            "actions": [
                {
                    "action_id": action_id,
                    "block_id": "b",
                    "type": "button",
                    "value": value,
                    "action_ts": "1790000001.000001",
                }
            ],
        },
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    slack: FakeSocketMode

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        method = self.path.rpartition("/")[2]
        if "json" in self.headers.get("Content-Type", ""):
            arguments = json.loads(raw or "{}")
        else:
            arguments = {name: values[0] for name, values in parse_qs(raw).items()}
        token = self.headers.get("Authorization", "")
        answer = self.slack.call(method, arguments, token)
        self.slack.note(lambda: self.slack.calls.append((method, arguments, token)))
        if method in self.slack.redirects:
            self.send_response(302)
            self.send_header("Location", self.slack.redirects[method])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.close_connection = True
        if self.slack.handshake != 101:
            self.send_response(self.slack.handshake)
            self.send_header("Location", f"http://127.0.0.1:{self.slack.port}/elsewhere")
            self.end_headers()
            return
        key = self.headers["Sec-WebSocket-Key"] + _GUID
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self.wfile.flush()
        slack = self.slack
        slack._open.append(self.connection)

        def one_more() -> None:
            slack.connections += 1

        slack.note(one_more)
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP_ID}}
        try:
            slack.send(hello)
            while self._read():
                pass
        except OSError:
            pass
        finally:
            slack._open.remove(self.connection)

    def _read(self) -> bool:
        """One frame; False: the connection ended."""
        head = self.rfile.read(2)
        if len(head) < 2:
            return False
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.rfile.read(2))
        mask = self.rfile.read(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(length)))
        opcode = head[0] & 0x0F
        if opcode == _PING:
            self.slack.frame(_PONG, data)
        elif opcode == _TEXT:
            id_ = json.loads(data)["envelope_id"]
            self.slack.note(lambda: self.slack.acknowledged.append(id_))
        return opcode != _CLOSE
