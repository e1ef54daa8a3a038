"""What is put into the outbox, and what must have come of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.model.alert import Action, Delivery, Message
from eventwatch.model.incident import Board, Changes, Post
from eventwatch.ports.notifier import WEBHOOK_CHANNEL
from eventwatch.ports.store import Store
from tests.delivery_proof.slack_process import channel_names


@dataclass(frozen=True)
class Tally:
    """How the end compares with what was fed."""

    expected: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]


@dataclass
class Feed:
    """Posts with edits, replies and charts, all by chance of one seed."""

    channels: int
    seed: int = 1
    webhooks: bool = True
    """Whether some rows are for the JSON webhook."""
    hooks_share: float = 0.02
    """Of the posts. All documents go one by one, and each fault costs a quarter of a minute."""
    edits: bool = True
    made: int = 0
    keys: set[str] = field(default_factory=set)
    """Of posts and replies: each is to be there once."""
    hooks: set[str] = field(default_factory=set)
    newest: dict[str, str] = field(default_factory=dict)
    """Key of the post → the text that it must have at the end."""
    _posts: list[Post] = field(default_factory=list)
    _charted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._names = channel_names(self.channels)

    def add(self, store: Store, count: int) -> None:
        """So many new posts, each with some of what follows one; and more about some older ones."""
        now = datetime.now(UTC)
        posts, rows = [], []
        for _ in range(count):
            post, row = self._post(now)
            posts.append(post)
            rows.append(row)
            if self.webhooks and self._random.random() < self.hooks_share:
                rows.append(self._hook(now))
            if self.edits:
                rows += self._after(post, now)
        if self.edits:
            for post in self._random.sample(self._posts, min(len(self._posts), count // 2)):
                rows += self._after(post, now)
        closed = [_closed(post, now) for post in self._posts]
        self._posts = posts
        self.made += len(rows)

        def decide(_: Board) -> Changes:
            return Changes(posts=(*posts, *closed), deliveries=tuple(rows))

        store.tell(now, decide)

    def tally(self, dump: dict[str, Any]) -> Tally:
        """Compares with everything that a fake Slack took by token."""
        times: dict[str, int] = {}
        text: dict[str, str] = {}
        for message in dump["messages"]:
            times[message["key"]] = times.get(message["key"], 0) + 1
            text[message["key"]] = message["text"]
        lost = [key for key in self.keys if key not in times]
        lost += [
            f"{key} reads {text[key]!r}, not {wanted!r}"
            for key, wanted in self.newest.items()
            if key in text and text[key] != wanted
        ]
        hooked = {one["key"] for one in dump["hooked"]}
        lost += sorted(self.hooks - hooked)
        charts = [str(f["shared"]) for f in dump["files"] if f["shared"]]
        twice = [key for key, n in times.items() if n > 1]
        twice += [chart for chart in set(charts) if charts.count(chart) > 1]
        expected = len(self.keys) + len(self.newest) + len(self.hooks)
        return Tally(expected, tuple(lost), tuple(twice))

    def _post(self, now: datetime) -> tuple[Post, Delivery]:
        n = len(self.newest)
        key, channel = f"post-{n}", self._names[n % len(self._names)]
        self.keys.add(key)
        self.newest[key] = f"{key} v0"
        post = Post(key, channel, channel[1:], (), now)
        return post, self._row(post, key, Action.POST, self.newest[key], now)

    def _after(self, post: Post, now: datetime) -> list[Delivery]:
        rows = []
        if self._random.random() < 0.5:
            version = int(self.newest[post.id].rpartition("v")[2]) + 1
            self.newest[post.id] = f"{post.id} v{version}"
            key = f"{post.id}-edit-{version}"
            rows.append(self._row(post, key, Action.UPDATE, self.newest[post.id], now))
        if self._random.random() < 0.4:
            key = f"{post.id}-reply-{len(self.keys)}"
            self.keys.add(key)
            rows.append(self._row(post, key, Action.REPLY, key, now))
        if self._random.random() < 0.1 and post.id not in self._charted:
            # One of each post, so that two in its thread are one too many.
            self._charted.add(post.id)
            rows.append(self._row(post, f"{post.id}-chart", Action.CHART, "chart", now))
        return rows

    def _hook(self, now: datetime) -> Delivery:
        key = f"hook-{len(self.hooks)}"
        self.hooks.add(key)
        post = Post("", WEBHOOK_CHANNEL, "owner", (), now)
        return self._row(post, key, Action.POST, key, now)

    def _row(self, post: Post, key: str, action: Action, text: str, now: datetime) -> Delivery:
        block = f'[{{"type":"section","text":{{"type":"mrkdwn","text":"{text}"}}}}]'
        # Rows of one moment are said in the order in which they were made.
        at = now + timedelta(microseconds=len(self.keys) % 1_000)
        return Delivery(
            key=key,
            channel=post.channel,
            team=post.team,
            message=Message(text, block, text),
            alert_ids=(),
            created_at=at,
            action=action,
            post_id=post.id,
        )


def _closed(post: Post, now: datetime) -> Post:
    # Only so that the board stays small; what is on its way is sent all the same.
    return Post(
        post.id, post.channel, post.team, (), post.created_at, shown=post.shown, closed_at=now
    )
