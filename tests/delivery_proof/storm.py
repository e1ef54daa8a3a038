"""Ten thousand messages at once: none too large, none lost, and nobody waits for another's limit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from eventwatch.model.alert import Delivery, Message
from eventwatch.model.incident import Board, Changes
from tests.delivery_proof import proof
from tests.delivery_proof.sender import Job
from tests.delivery_proof.slack_process import channel_names, running
from tests.fakes.hostile_names import HOSTILE

OWNERS = 40


@dataclass
class StormFigures:
    """What is printed."""

    size: int
    owners: int
    rejected: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    misrouted: int = 0
    asked: int = 0
    while_limited: int = 0
    """Requests to a channel that had said 429 and whose time was not over."""
    limited_for: float = 0.0
    slowest: float = 0.0
    """While one channel was limited: the slowest other's share of the others' mean, of those that
    met no fault of their own."""
    calm: int = 0
    """How many those are."""
    seconds: float = 0.0


def storm(
    state: str,
    size: int,
    *,
    owners: int = OWNERS,
    limited_for: float = 20.0,
    say: Callable[[str], None] = print,
) -> StormFigures:
    """All rows wait when the sender starts; the first channel is closed for a while."""
    figures, began = StormFigures(size, owners, limited_for=limited_for), time.monotonic()
    # Few enough that most channels meet none, so that what they wait for would be another's.
    chance = {"dropped": 0.0005, "limited": 0.001, "unread": 0.01}
    names = channel_names(owners)
    rows = [_row(n, names[n % owners]) for n in range(size)]
    with proof.opened(state) as store:

        def decide(_: Board) -> Changes:
            return Changes(deliveries=tuple(rows))

        store.tell(datetime.now(UTC), decide)
        say(f"  {size:,} rows wait, {time.monotonic() - began:.0f} s")
        with running(owners, chance, resting=limited_for) as slack:
            since = time.time()
            proof.finish(Job(state, slack), store, 600.0)
            dump = slack.dump()
    _count(figures, rows, dump, since)
    figures.seconds = time.monotonic() - began
    return figures


def _count(figures: StormFigures, rows: list[Delivery], dump: dict[str, Any], since: float) -> None:
    meant = {row.key: f"C0OWNER{int(row.channel[-3:]):03}" for row in rows}
    times: dict[str, int] = {}
    for message in dump["messages"]:
        times[message["key"]] = times.get(message["key"], 0) + 1
        figures.misrouted += meant.get(message["key"]) != message["channel"]
    figures.lost = [key for key in meant if key not in times]
    figures.duplicated = [key for key, n in times.items() if n > 1]
    figures.rejected = len(dump["rejected"])
    figures.asked, figures.while_limited = dump["asked"], dump["pestered"]
    others = {f"C0OWNER{n:03}": 0 for n in range(1, figures.owners)}
    for message in dump["messages"]:
        early = float(message["ts"]) < since + figures.limited_for
        if early and message["channel"] in others:
            others[message["channel"]] += 1
    calm = [n for channel, n in others.items() if channel not in dump["met"]]
    figures.calm = len(calm)
    mean = sum(others.values()) / len(others)
    figures.slowest = min(calm) / mean if mean and calm else 0.0


def _row(n: int, channel: str) -> Delivery:
    """A message as large as they come, with a hostile name in it."""
    name = HOSTILE[n % len(HOSTILE)].encode("utf-8", "replace").decode()
    text = f"{n}: " + "x" * (n * 7 % 2_900)
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": f"{n} {name}"[:140]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}},
    ]
    message = Message(f"storm {n}", json.dumps(blocks), f"storm {n}")
    return Delivery(f"storm-{n}", channel, channel[1:], message, (), datetime.now(UTC))
