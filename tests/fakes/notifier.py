"""A notifier that answers as it is told to and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from eventwatch.model.alert import Delivery, Outcome, Verdict

Answer = Outcome | Exception | Callable[[Delivery, datetime], Outcome]


class FakeNotifier:
    """Answers by channel; SENT where nothing was scripted. Answers of a channel are used up in
    order, the last one for ever."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers = answers
        self.sent: list[str] = []
        self.asked: list[str] = []
        self.reconciled = Outcome(Verdict.RETRY, "it never arrived")

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt."""
        self.asked.append(delivery.key)
        script = self.answers.get(delivery.channel.lstrip("#"), [])
        answer: Answer = Outcome(Verdict.SENT, reference="C1:1")
        if script:
            answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        outcome = answer if isinstance(answer, Outcome) else answer(delivery, now)
        if outcome.verdict is Verdict.SENT:
            self.sent.append(delivery.key)
        return outcome

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """What became of an attempt of unknown end."""
        return self.reconciled
