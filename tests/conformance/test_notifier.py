"""What every notifier promises, whatever service it speaks to: see ``ports/notifier.py``."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from eventwatch.alerting.page import Page
from eventwatch.alerting.spans import Name, on_terminal, slack
from eventwatch.model.alert import Action, Delivery, Message, Outcome, Verdict
from eventwatch.model.settings import AppriseSettings, Secret, SlackSettings, WebhookSettings
from eventwatch.notifiers.apprise import AppriseNotifier
from eventwatch.notifiers.router import RouterNotifier
from eventwatch.notifiers.slack import SlackNotifier
from eventwatch.notifiers.slack_webhook import SlackWebhookNotifier
from eventwatch.notifiers.stdout import StdoutNotifier
from eventwatch.notifiers.webhook import WebhookNotifier
from eventwatch.ports.notifier import NOT_SENT, Notifier
from tests.fakes import apprise_stub
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack import FakeSlack

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)


def settings_of(fake: FakeSlack) -> SlackSettings:
    return SlackSettings(
        token=Secret(fake.token),
        webhook_url=Secret(fake.webhook_url),
        base_url=fake.base_url,
        timeout=timedelta(seconds=5),
    )


class Service(Protocol):
    """A notifier and what its service took."""

    notifier: Notifier

    def taken(self) -> int:
        """How many messages."""
        ...

    def without_service(self) -> Notifier:
        """The same notifier, whose service is gone."""
        ...


class _Served:
    def __init__(self, fake: FakeSlack, made: Callable[[FakeSlack], Notifier]) -> None:
        self.fake, self.made = fake, made
        self.notifier = made(fake)

    def taken(self) -> int:
        return len(self.fake.messages) + len(self.fake.hooked)

    def without_service(self) -> Notifier:
        gone = FakeSlack()
        with gone.running():
            pass
        return self.made(gone)


def by_token(fake: FakeSlack) -> Notifier:
    return SlackNotifier(settings_of(fake))


def by_webhook(fake: FakeSlack) -> Notifier:
    return SlackWebhookNotifier(settings_of(fake))


def by_json(fake: FakeSlack) -> Notifier:
    return WebhookNotifier(WebhookSettings(Secret(fake.hook_url), Secret("key")))


def by_apprise(fake: FakeSlack) -> Notifier:
    url = Secret(f"json://127.0.0.1:{fake.port}/hook/canary")
    return AppriseNotifier(AppriseSettings({"growth": (url,)}))


def by_router(fake: FakeSlack) -> Notifier:
    return RouterNotifier(by_token(fake), webhook=by_json(fake))


MADE = {
    "slack": by_token,
    "slack-webhook": by_webhook,
    "webhook": by_json,
    "apprise": by_apprise,
    "router": by_router,
}


class _Stream:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.notifier: Notifier = StdoutNotifier(self.stream)

    def taken(self) -> int:
        return self.stream.getvalue().count("--- to ")

    def without_service(self) -> Notifier:
        self.stream.close()
        return self.notifier


@pytest.fixture(params=[*MADE, "stdout"])
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setitem(sys.modules, "apprise", apprise_stub.module())
    if request.param == "stdout":
        yield _Stream()
        return
    fake = FakeSlack(clock=NOW.timestamp())
    with fake.running():
        yield _Served(fake, MADE[request.param])


def row(name: str = "user_followed_user", n: int = 0) -> Delivery:
    line = (Name(name),)
    page = Page("", name)
    assert page.line(line)
    message = Message(slack(line, 300), page.json(), on_terminal(line))
    return Delivery(
        f"k{n}", "#growth-alerts", "growth", message, ("a",), NOW, attempts=1, claimed_at=NOW
    )


def assert_well_formed(outcome: Outcome) -> None:
    if outcome.verdict is Verdict.SENT:
        assert outcome.reference
    else:
        assert outcome.reason
    if outcome.verdict is Verdict.RETRY:
        assert outcome.retry_at is not None
        assert NOW <= outcome.retry_at <= NOW + timedelta(days=1)


def test_a_message_is_taken_once_and_has_a_reference(service: Service) -> None:
    outcome = service.notifier.send(row(), NOW)
    assert outcome.verdict is Verdict.SENT
    assert outcome.reference
    assert service.taken() == 1


def test_every_hostile_message_is_taken_whole(service: Service) -> None:
    for n, name in enumerate(HOSTILE):
        outcome = service.notifier.send(row(name, n), NOW + timedelta(seconds=2 * n))
        assert (outcome.verdict, outcome.reason) == (Verdict.SENT, ""), name
    assert service.taken() == len(HOSTILE)


def test_a_row_of_unknown_end_gets_an_answer_that_the_outbox_can_use(service: Service) -> None:
    outcome = service.notifier.reconcile(row(), NOW + timedelta(minutes=1))
    assert outcome.verdict in (Verdict.SENT, Verdict.RETRY, Verdict.UNKNOWN)
    assert outcome.reason or outcome.reference
    assert service.taken() == 0


def test_asking_says_nothing_to_the_service(service: Service) -> None:
    service.notifier.send(row(), NOW)
    service.notifier.reconcile(row(), NOW + timedelta(minutes=1))
    assert service.taken() == 1


def test_a_service_that_is_gone_is_an_outcome_and_no_exception(service: Service) -> None:
    outcome = service.without_service().send(row(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert_well_formed(outcome)


def test_a_row_without_a_channel_is_an_outcome_and_no_exception(service: Service) -> None:
    assert_well_formed(service.notifier.send(replace(row(), channel=""), NOW))


def test_a_message_without_blocks_is_taken_too(service: Service) -> None:
    of = row()
    bare = replace(of, message=replace(of.message, blocks=""))
    assert service.notifier.send(bare, NOW).verdict is Verdict.SENT


def parent_of(service: Service) -> str:
    """The reference of a message that was taken."""
    return service.notifier.send(row(n=100), NOW).reference


@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLY, Action.CHART])
def test_what_a_service_is_able_to_do_it_does_and_the_rest_ends_quietly(
    service: Service, action: Action
) -> None:
    able = service.notifier.abilities
    can = {
        Action.UPDATE: able.edits,
        Action.REPLY: True,  # in a thread, or as a message of its own
        Action.CHART: able.charts,
    }[action]
    of = replace(row(n=1), action=action, parent=parent_of(service), post_id="p")
    outcome = service.notifier.send(of, NOW + timedelta(seconds=5))
    assert_well_formed(outcome)
    assert outcome.verdict is (Verdict.SENT if can else Verdict.REFUSED)
    assert can or outcome.reason.startswith(NOT_SENT)


def test_its_abilities_do_not_change(service: Service) -> None:
    before = service.notifier.abilities
    service.notifier.send(row(), NOW)
    assert service.notifier.abilities == before


def test_a_burst_is_taken_whole_by_whoever_comes_back_when_told_to(service: Service) -> None:
    waiting = [(NOW, row(n=n)) for n in range(12)]
    for _ in range(200):
        if not waiting:
            break
        waiting.sort(key=lambda of: of[0])
        now, of = waiting.pop(0)
        outcome = service.notifier.send(of, now)
        assert outcome.verdict in (Verdict.SENT, Verdict.RETRY)
        if outcome.verdict is Verdict.RETRY:
            assert outcome.retry_at is not None
            waiting.append((outcome.retry_at, of))
    assert not waiting
    assert service.taken() == 12
