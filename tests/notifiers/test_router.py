"""Which service says what, and whose trouble stays whose."""

from __future__ import annotations

import pytest

from eventwatch.model.alert import Action, Outcome, Verdict
from eventwatch.notifiers.router import RouterNotifier
from eventwatch.ports.notifier import NOT_SENT, Abilities
from tests.fakes.notifier import FakeNotifier
from tests.notifiers.builders import NOW, delivery


class Teams(FakeNotifier):
    """For one team."""

    def serves(self, team: str) -> bool:
        return team == "growth"


def made() -> tuple[RouterNotifier, FakeNotifier, FakeNotifier, Teams]:
    usual, hook, teams = FakeNotifier(), FakeNotifier(), Teams()
    return RouterNotifier(usual, webhook=hook, teams=teams), usual, hook, teams


def test_each_row_goes_to_the_service_that_it_is_for() -> None:
    router, usual, hook, teams = made()
    router.send(delivery("slack", team="money"), NOW)
    router.send(delivery("apprise"), NOW)
    router.send(delivery("hook", channel="webhook"), NOW)
    assert (usual.sent, hook.sent, teams.sent) == (["slack"], ["hook"], ["apprise"])


def test_asking_goes_the_same_way() -> None:
    router, _, hook, _ = made()
    hook.reconciled = Outcome(Verdict.SENT, reference="here")
    assert router.reconcile(delivery(channel="webhook"), NOW).reference == "here"


@pytest.mark.parametrize("channel", ["webhook", "#growth-alerts"])
def test_only_the_usual_service_halts_everything(channel: str) -> None:
    router, usual, hook, teams = made()
    for of in (usual, hook, teams):
        of.otherwise = Outcome(Verdict.HALT, "refused as a whole", retry_at=NOW)
    assert router.send(delivery(channel=channel), NOW).verdict is Verdict.RETRY
    assert router.send(delivery(team="money"), NOW).verdict is Verdict.HALT


@pytest.mark.parametrize("ask", [False, True])
def test_rows_of_a_webhook_that_is_gone_end_quietly(ask: bool) -> None:
    router = RouterNotifier(FakeNotifier())
    row = delivery(channel="webhook", action=Action.UPDATE)
    outcome = router.reconcile(row, NOW) if ask else router.send(row, NOW)
    assert outcome.verdict is Verdict.REFUSED
    assert outcome.reason.startswith(NOT_SENT)


def test_its_abilities_are_the_usual_service_s() -> None:
    usual = FakeNotifier()
    usual.abilities = Abilities(edits=True, threads=True)
    assert RouterNotifier(usual, teams=Teams()).abilities == usual.abilities
