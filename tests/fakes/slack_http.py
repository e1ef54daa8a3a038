"""The fake Slack's door: requests in, answers out, and the ways in which answers go wrong."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.fakes.slack_limits import Fault
from tests.fakes.slack_rules import size_error

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack

_POSTING = ("chat.postMessage", "chat.update")


@contextlib.contextmanager
def serving(slack: FakeSlack, port: int) -> Iterator[int]:
    """Serves on a port (0: a free one) and gives it."""

    class Handler(_Handler):
        fake = slack

    class Server(ThreadingHTTPServer):
        request_queue_size = 512
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that went away is no news."""

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeSlack

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """``/_dump``; else only redirected clients ask by GET, and that they did is recorded."""
        if self.path == "/_dump":
            self._reply(200, json.dumps(dump(self.fake)), "application/json")
            return
        self.fake.requests.append((self.path, dict(self.headers.items()), ""))
        self._reply(200, json.dumps({"ok": True}), "application/json")

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        raw = data.decode("utf-8", "replace")
        slack = self.fake
        if slack.keeps_requests:
            slack.requests.append((self.path, dict(self.headers.items()), raw))
        method = self.path.rpartition("/")[2]
        is_webhook, is_hook = self.path.startswith("/services/"), self.path.startswith("/hook/")
        posts = is_webhook or is_hook or method in _POSTING
        with slack._lock:
            queue = slack.faults if posts else slack.read_faults
            fault = queue.pop(0) if queue else None
            if fault is None and slack.chance is not None:
                fault = slack.chance.fault(posts=posts)
                if fault is not None and method == "chat.postMessage":
                    met = slack.channel_of(json.loads(raw))
                    slack.chance.met |= {met.id} if met else set()
            fault = fault or Fault()
            if fault.stored:
                self._store(method, raw, is_webhook=is_webhook, is_hook=is_hook)
            if fault.status == 429 and method == "chat.postMessage":
                self._limit(raw, fault.retry_after)
        if self._fails(fault, is_webhook or is_hook):
            return
        if is_webhook:
            self._webhook(raw)
        elif is_hook:
            slack.hooked.append((dict(self.headers.items()), json.loads(raw)))
            self._reply(200, "")
        elif self.path.startswith("/upload/"):
            known = slack.files.get(method)
            if known is not None:
                known["bytes"] = data
            self._reply(200 if known is not None else 404, f"OK - {len(data)}")
        else:
            self._api(method, raw)

    def _api(self, method: str, raw: str) -> None:
        answer = self.fake.call(method, self._arguments(raw), self.headers.get("Authorization", ""))
        limited = answer.get("error") == "ratelimited"
        headers = {"Retry-After": f"{answer.get('retry_after', 1):.3f}"} if limited else {}
        headers["X-OAuth-Scopes"] = ",".join(sorted(self.fake.scopes))
        self._reply(429 if limited else 200, json.dumps(answer), "application/json", headers)

    def _arguments(self, raw: str) -> dict[str, Any]:
        if "json" in self.headers.get("Content-Type", ""):
            return dict(json.loads(raw or "{}"))
        found: dict[str, Any] = {name: values[0] for name, values in parse_qs(raw).items()}
        if found.get("files"):
            found["files"] = json.loads(found["files"])
        return found

    def _store(self, method: str, raw: str, *, is_webhook: bool, is_hook: bool) -> None:
        slack, body = self.fake, json.loads(raw)
        if is_hook:
            slack.hooked.append((dict(self.headers.items()), body))
        elif method == "chat.update":
            slack.edit(body)
        else:
            channel = None if is_webhook else slack.channel_of(body)
            slack.asked += not is_webhook
            slack.store(channel.id if channel else "webhook", body)

    def _limit(self, raw: str, retry_after: str | None) -> None:
        channel = self.fake.channel_of(json.loads(raw))
        if channel is not None:
            with contextlib.suppress(TypeError, ValueError):
                self.fake.limit(channel, max(float(retry_after or "x"), 1.0))

    def _webhook(self, raw: str) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            self._reply(400, "invalid_payload")
            return
        broken = size_error(body)
        if broken:
            self.fake.rejected.append(broken)
            self._reply(400, broken)
            return
        self.fake.store("webhook", body)
        self._reply(200, "ok")

    def _fails(self, fault: Fault, is_webhook: bool) -> bool:
        """Plays the fault; False: there is none."""
        if fault.hangs:
            self.fake._over.wait(30)
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
                refusal = {"ok": False, "error": fault.error}
                self._reply(fault.status, json.dumps(refusal), "application/json")
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
            while not self.fake._over.wait(0.02):
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
        with contextlib.suppress(OSError):
            self.end_headers()
            self.wfile.write(data)


def dump(slack: FakeSlack) -> dict[str, Any]:
    """All that was accepted, and what was counted, for another process."""
    with slack._lock:
        return {
            "messages": [
                {
                    "channel": m.channel,
                    "ts": m.ts,
                    "key": m.key,
                    "thread_ts": m.thread_ts,
                    "text": m.body.get("text", ""),
                    "edits": m.edits,
                }
                for m in slack.messages
            ],
            "files": [
                {"id": i, "bytes": len(f["bytes"]), "shared": f["shared"]}
                for i, f in slack.files.items()
            ],
            "hooked": [
                {"key": headers.get("Idempotency-Key"), "document": document}
                for headers, document in slack.hooked
            ],
            "rejected": list(slack.rejected),
            "met": sorted(slack.chance.met) if slack.chance else [],
            "faults": dict(slack.chance.happened) if slack.chance else {},
            "asked": slack.asked,
            "pestered": slack.pestered,
        }
