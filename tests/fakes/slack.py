"""A Slack of our own on the loopback interface: its rules, its limits, its bad days.

It keeps what it accepted, so a test asks it and not the client what was posted; ``/_dump`` gives the
same to another process. Faults are scripted per request (each entry of ``faults`` is used up by one
posting) or come by chance. ``stored`` says whether the message was accepted before the fault showed,
which no client can see. Nothing here sleeps: a hanging answer waits for the end of the test.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_http import serving
from tests.fakes.slack_limits import Bucket, Chance, Fault
from tests.fakes.slack_rules import size_error

__all__ = ["ALL_SCOPES", "TOKEN", "WEBHOOK_PATH", "Chance", "Channel", "FakeSlack", "Fault"]

TOKEN = "xoxb-123-canary-token"
WEBHOOK_PATH = "/services/T000/B000/canary-webhook"
HOOK_PATH = "/hook/canary"
"""Where any JSON may be posted to."""
ALL_SCOPES = frozenset(
    (
        *("chat:write", "channels:history", "groups:history", "channels:read", "groups:read"),
        "files:write",
    )
)
PER_MINUTE = {"chat.update": 50, "conversations.history": 50, "conversations.replies": 50}
"""Tier 3, per workspace."""


@dataclass
class Channel:
    """A channel of the workspace."""

    id: str
    name: str
    member: bool = True
    archived: bool = False


@dataclass
class Posted:
    """A message that was accepted, as it reads now."""

    channel: str
    """Its id; the webhook's is ``webhook``."""
    ts: str
    body: dict[str, Any]
    edits: int = 0

    @property
    def key(self) -> str | None:
        """Our key in its metadata."""
        payload = self.body.get("metadata", {}).get("event_payload", {})
        return payload.get("key") if isinstance(payload, dict) else None

    @property
    def thread_ts(self) -> str | None:
        """Of a reply: the message it answers."""
        return self.body.get("thread_ts")


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
    ticks: bool = False
    """The clock is the machine's instead."""
    limited: bool = False
    """Enforces its rates: per channel one message each ``every`` seconds, and the tiers."""
    every: float = 1.0
    burst: int = 1
    per_minute: dict[str, int] = field(default_factory=lambda: dict(PER_MINUTE))
    history_lag: int = 0
    """How many of the newest messages history does not show yet."""
    page: int = 200
    """Largest page of history."""
    channel_page: int = 2
    """Largest page of channels; Slack's is 999."""
    auth_error: str = ""
    faults: list[Fault] = field(default_factory=list)
    """Used up by postings and edits, first to last."""
    read_faults: list[Fault] = field(default_factory=list)
    """Used up by every other method."""
    chance: Chance | None = None
    methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    """Further methods of the Web API, by name."""
    upload_url: str = ""
    """Where files are to be sent, instead of here; ``{id}`` is the file's."""
    messages: list[Posted] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id: name, bytes and where it was shared."""
    hooked: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Headers and document of everything that HOOK_PATH took."""
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Path, headers and raw body of every request, also refused ones."""
    keeps_requests: bool = True
    rejected: list[str] = field(default_factory=list)
    """Codes of the size rules that were broken."""
    asked: int = 0
    pestered: int = 0
    """Postings to a channel that had said 429 and whose time was not over."""
    port: int = 0
    _in: dict[str, list[Posted]] = field(default_factory=dict)
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    _refused_until: dict[str, float] = field(default_factory=dict)
    _closed_until: dict[str, float] = field(default_factory=dict)
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

    @property
    def hook_url(self) -> str:
        """For ``WebhookSettings.url``."""
        return f"http://127.0.0.1:{self.port}{HOOK_PATH}"

    def keys(self) -> list[str | None]:
        """The keys of all accepted messages, in their order."""
        return [message.key for message in self.messages]

    def replies(self, of: Posted) -> list[Posted]:
        """What was answered in its thread."""
        return [m for m in self._in.get(of.channel, ()) if m.thread_ts == of.ts]

    def delete(self, of: Posted) -> None:
        """As a person does it."""
        with self._lock:
            self.messages.remove(of)
            self._in[of.channel].remove(of)

    def now(self) -> float:
        """Slack's clock."""
        return time.time() if self.ticks else self.clock

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[FakeSlack]:
        """Serves on a free port for as long as the block lasts."""
        with serving(self, port) as self.port:
            try:
                yield self
            finally:
                self._over.set()

    # The methods

    def call(self, method: str, arguments: dict[str, Any], token: str) -> dict[str, Any]:
        """The answer of one Web API method."""
        with self._lock:
            if self.auth_error:
                return _no(self.auth_error)
            if token != f"Bearer {self.token}":
                return _no("invalid_auth" if token else "not_authed")
            if method in self.methods:
                return self.methods[method](arguments)
            if method in self.per_minute and (wait := self._tier(method)):
                return {**_no("ratelimited"), "retry_after": wait}
            match method:
                case "chat.postMessage":
                    return self._post(arguments)
                case "chat.update":
                    return self._update(arguments)
                case "conversations.history" | "conversations.replies":
                    return self._history(arguments, replies=method.endswith("replies"))
                case "users.conversations":
                    return self._conversations(arguments)
                case "conversations.info":
                    return self._info(str(arguments.get("channel", "")))
                case "files.getUploadURLExternal":
                    return self._reserve(arguments)
                case "files.completeUploadExternal":
                    return self._share(arguments)
                case "auth.test":
                    return {"ok": True, "team": "Acme", "user": "eventwatch", "bot_id": "B01"}
            return _no("unknown_method")

    def channel_of(self, body: dict[str, Any]) -> Channel | None:
        """The channel that is named, by id or name."""
        wanted = str(body.get("channel", ""))
        name = wanted.removeprefix("#")
        return next((c for c in self.channels if wanted == c.id or name == c.name), None)

    def limit(self, channel: Channel, retry_after: float) -> None:
        """The channel said 429: whoever posts before the time is over pesters."""
        self._closed_until[channel.id] = self.now() + retry_after

    def refuse(self, channel: Channel, seconds: float) -> None:
        """The channel says 429 to everybody for so long, by the machine's clock."""
        self._refused_until[channel.id] = time.time() + seconds

    def _tier(self, method: str) -> float:
        if not self.limited:
            return 0.0
        each = 60 * self.every / self.per_minute[method]
        return self._bucket(method, each, 10).wait(self.now())

    def _bucket(self, name: str, every: float, burst: int) -> Bucket:
        return self._buckets.setdefault(name, Bucket(every, burst))

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        if "chat:write" not in self.scopes:
            return _no("missing_scope")
        channel = self.channel_of(body)
        refused = _closed(channel)
        if channel is None or refused:
            return _no(refused)
        self.asked += 1
        self.pestered += self.now() < self._closed_until.get(channel.id, 0.0) - 0.05 * self.every
        if "thread_ts" in body and self._message(channel.id, body["thread_ts"]) is None:
            return _no("thread_not_found")
        broken = size_error(body)
        if broken:
            self.rejected.append(broken)
            return _no(broken)
        refused_for = self._refused_until.get(channel.id, 0.0) - time.time()
        if refused_for > 0:
            self.limit(channel, refused_for)
            return {**_no("ratelimited"), "retry_after": refused_for}
        if self.limited and (
            wait := self._bucket(channel.id, self.every, self.burst).wait(self.now())
        ):
            self.limit(channel, wait)
            return {**_no("ratelimited"), "retry_after": wait}
        posted = self.store(channel.id, body)
        return {"ok": True, "channel": channel.id, "ts": posted.ts, "message": {"ts": posted.ts}}

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        if "chat:write" not in self.scopes:
            return _no("missing_scope")
        # Unlike posting, editing takes ids only.
        channel = next((c for c in self.channels if c.id == body.get("channel")), None)
        refused = _closed(channel)
        if channel is None or refused:
            return _no(refused)
        if self._message(channel.id, str(body.get("ts"))) is None:
            return _no("message_not_found")
        broken = size_error(body)
        if broken:
            self.rejected.append(broken)
            return _no(broken)
        self.edit(body)
        return {"ok": True, "channel": channel.id, "ts": body["ts"], "text": body.get("text")}

    def edit(self, body: dict[str, Any]) -> None:
        """Takes new content for a message; what is not named stays."""
        with self._lock:
            of = self._message(str(body.get("channel")), str(body.get("ts")))
            if of is not None:
                of.body = {
                    **of.body,
                    **{k: v for k, v in body.items() if k not in ("ts", "channel")},
                }
                of.edits += 1

    def store(self, channel: str, body: dict[str, Any]) -> Posted:
        """Takes a message as accepted."""
        with self._lock:
            self.clock = max(self.clock + 0.001, self.now())
            posted = Posted(channel, f"{self.clock:.6f}", body)
            self.messages.append(posted)
            self._in.setdefault(channel, []).append(posted)
            return posted

    def _message(self, channel: str, ts: str) -> Posted | None:
        return next((m for m in self._in.get(channel, ()) if m.ts == ts), None)

    def _history(self, arguments: dict[str, Any], *, replies: bool) -> dict[str, Any]:
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
        found = self._in.get(channel.id, [])
        if replies:
            parent = str(arguments.get("ts"))
            if self._message(channel.id, parent) is None:
                return _no("thread_not_found")
            found = [m for m in found if parent in (m.ts, m.thread_ts)]
        else:
            found = [m for m in found if m.thread_ts is None]
        if self.history_lag:
            found = found[: -self.history_lag]
        oldest = float(arguments.get("oldest") or 0)
        recent = [m for m in found if float(m.ts) >= oldest]
        # A thread is read from its beginning, a channel from its end.
        return self._page(recent if replies else recent[::-1], arguments)

    def _page(self, found: list[Posted], arguments: dict[str, Any]) -> dict[str, Any]:
        start = int(arguments.get("cursor") or 0)
        limit = min(int(arguments.get("limit") or 100), self.page)
        more = start + limit < len(found)
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
                for m in found[start : start + limit]
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
        size = min(int(arguments.get("limit") or 100), self.channel_page)
        more = start + size < len(mine)
        return {
            "ok": True,
            "channels": [{"id": c.id, "name": c.name} for c in mine[start : start + size]],
            "response_metadata": {"next_cursor": str(start + size) if more else ""},
        }

    def _info(self, wanted: str) -> dict[str, Any]:
        if "channels:read" not in self.scopes:
            return _no("missing_scope")
        channel = next((c for c in self.channels if c.id == wanted), None)
        if channel is None:
            return _no("channel_not_found")
        of = {"id": channel.id, "name": channel.name}
        is_what = {"is_member": channel.member, "is_archived": channel.archived}
        return {"ok": True, "channel": {**of, **is_what}}

    # Files

    def _reserve(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if "files:write" not in self.scopes:
            return _no("missing_scope")
        file_id = f"F{len(self.files):010}"
        self.files[file_id] = {"name": arguments.get("filename"), "bytes": b"", "shared": None}
        url = self.upload_url or f"http://127.0.0.1:{self.port}/upload/{{id}}"
        return {"ok": True, "upload_url": url.format(id=file_id), "file_id": file_id}

    def _share(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = arguments.get("files") or []
        channel = next((c for c in self.channels if c.id == arguments.get("channel_id")), None)
        refused = _closed(channel)
        if refused:
            return _no(refused)
        for one in wanted:
            if not self.files.get(one.get("id"), {}).get("bytes"):
                return _no("file_not_found")
            self.files[one["id"]]["shared"] = (arguments["channel_id"], arguments.get("thread_ts"))
        return {"ok": True, "files": [{"id": one["id"]} for one in wanted]}


def _closed(channel: Channel | None) -> str:
    """Why nothing can be put into a channel; empty: it can."""
    if channel is None:
        return "channel_not_found"
    if channel.archived:
        return "is_archived"
    return "" if channel.member else "not_in_channel"


def _no(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}
