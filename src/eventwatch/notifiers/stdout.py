"""Says messages on a stream: for no Slack at all, and for looking at what would be said."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TextIO

from eventwatch.alerting.escape import terminal
from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Abilities


class StdoutNotifier:
    """Writes the plain form, each message under a line that says to whom."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    @property
    def abilities(self) -> Abilities:
        """None: what was written stays written."""
        return Abilities()

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """Writes and flushes. A stream that is closed or full gives RETRY."""
        if delivery.action in (Action.UPDATE, Action.CHART):
            return Outcome(Verdict.REFUSED, f"{NOT_SENT}: a stream takes new messages only")
        to = terminal(delivery.channel) or "no channel"
        team = f" ({terminal(delivery.team)})" if delivery.team else ""
        text = f"--- to {to}{team} ---\n{delivery.message.plain}\n\n"
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        writable = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            with self._lock:
                self._stream.write(writable)
                self._stream.flush()
        except (OSError, ValueError) as error:
            reason = f"standard output cannot be written: {type(error).__name__}"
            return Outcome(Verdict.RETRY, reason, retry_at=now + timedelta(minutes=1))
        return Outcome(Verdict.SENT, reference="stdout")

    def reconcile(self, _delivery: Delivery, now: datetime) -> Outcome:
        """A stream cannot be asked; better said twice than never."""
        return Outcome(Verdict.RETRY, f"{MAY_REPEAT}: a stream cannot be asked", retry_at=now)
