"""A notifier that answers as it is told to and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from eventwatch.model.alert import Delivery, Outcome, Verdict
from eventwatch.ports.notifier import Abilities

Answer = Outcome | Exception | Callable[[Delivery, datetime], Outcome]


class FakeNotifier:
    """Answers by channel; SENT where nothing was scripted. Answers of a channel are used up in
    order, the last one for ever. Safe for threads, as every notifier is."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers = answers
        self.otherwise: Answer = Outcome(Verdict.SENT, reference="C1:1")
        """For channels without a script."""
        self.abilities = Abilities(edits=True, threads=True, charts=True)
        self.sent: list[str] = []
        self.rows: list[Delivery] = []
        """Every attempt, as it came."""
        self.reconciled = Outcome(Verdict.RETRY, "it never arrived")
        self.asked_about: list[str] = []
        self._lock = threading.Lock()

    @property
    def asked(self) -> list[str]:
        """The keys of every attempt."""
        return [row.key for row in self.rows]

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt."""
        with self._lock:
            self.rows.append(delivery)
            script = self.answers.get(delivery.channel.lstrip("#"), [])
            answer: Answer = self.otherwise
            if script:
                answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        outcome = answer if isinstance(answer, Outcome) else answer(delivery, now)
        if outcome.verdict is Verdict.SENT:
            with self._lock:
                self.sent.append(delivery.key)
        return outcome

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """What became of an attempt of unknown end."""
        with self._lock:
            self.asked_about.append(delivery.key)
        return self.reconciled
