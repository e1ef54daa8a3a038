"""What happens to a message that is refused for good: somebody else hears it, and why.

A new message goes to the fallback route as it is, since nobody else would tell of its incident, and
becomes the live message there. An edit, a reply or a webhook's document is not repeated; that they
are refused is told once per cause (channel and reason) and day, which the key of the row sees to in
every process at once. Everything further is counted.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, date, datetime

from eventwatch.alerting import spans
from eventwatch.alerting.route import Route
from eventwatch.alerting.spans import Line, Name, Text
from eventwatch.model.alert import Action, Delivery, DeliveryState, Message
from eventwatch.ports.notifier import NOT_SENT, WEBHOOK_CHANNEL

_NOTICE = 420
_SUMMARY = 300


class DeadLetters:
    """One for the life of a process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[date, int]] = {}

    def letter(
        self, delivery: Delivery, reason: str, route: Route, now: datetime
    ) -> Delivery | None:
        """The row for the fallback route; None: there is nothing further to say, or nowhere."""
        if (
            reason.startswith(NOT_SENT)
            or delivery.is_fallback
            or not route.channel
            or route.channel == delivery.channel
        ):
            return None
        moves = delivery.action is Action.POST and delivery.channel != WEBHOOK_CHANNEL
        cause = f"{delivery.channel} {re.sub(r'[0-9]+', '#', reason)[:120]}"
        count = self._count(cause, now)
        line = _notice(delivery, reason, count, moves=moves)
        made = replace(
            delivery,
            channel=route.channel,
            team=route.team,
            created_at=now,
            state=DeliveryState.PENDING,
            attempts=0,
            not_before=None,
            claimed_at=None,
            sent_at=None,
            reference="",
            last_error="",
            is_fallback=True,
        )
        if moves:
            return replace(
                made, key=_key("fallback", delivery.key), message=_above(line, delivery.message)
            )
        return replace(
            made,
            key=_key("refused", cause, now.astimezone(UTC).date().isoformat()),
            message=_above(line, Message("", "", "")),
            action=Action.POST,
            post_id="",
            parent="",
        )

    def _count(self, cause: str, now: datetime) -> int:
        """The how-manieth of its cause this is today."""
        today = now.astimezone(UTC).date()
        with self._lock:
            if len(self._counts) > 1_000:
                self._counts = {c: of for c, of in self._counts.items() if of[0] == today}
            day, count = self._counts.get(cause, (today, 0))
            count = count + 1 if day == today else 1
            self._counts[cause] = (today, count)
            return count


def _notice(delivery: Delivery, reason: str, count: int, *, moves: bool) -> Line:
    where = delivery.channel or "a team without a channel"
    team = f" (team {delivery.team})" if delivery.team else ""
    if delivery.channel == WEBHOOK_CHANNEL:
        return (
            Text(f"The JSON webhook refuses what it is sent: {reason}. "),
            Text("Said once a day; `eventwatch doctor` shows whether it was mended."),
        )
    if not moves:
        what = "Edits" if delivery.action is Action.UPDATE else "Replies"
        return (
            Text(f"{what} of messages in "),
            Name(where),
            Text(f"{team} are refused: {reason}. Mend the channel, or invite the app to it."),
        )
    if count > 1:
        return (
            Text("Meant for "),
            Name(where),
            Text(f"{team}, which still refuses messages: {count:,} today."),
        )
    return (
        Text("This message could not be delivered to "),
        Name(where),
        Text(f"{team}: {reason}. Mend the channel of this owner, or invite the app to it."),
    )


def _above(line: Line, message: Message) -> Message:
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": spans.slack(line, _NOTICE), "verbatim": True},
    }
    blocks = [block, *json.loads(message.blocks or "[]")]
    return Message(
        text=f"{spans.slack(line, _SUMMARY)}\n{message.text}".strip(),
        blocks=json.dumps(blocks, ensure_ascii=False, separators=(",", ":")),
        plain=f"{spans.on_terminal(line)}\n{message.plain}".rstrip(),
    )


def _key(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
