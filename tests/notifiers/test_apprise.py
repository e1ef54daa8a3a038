"""Teams that hear by Apprise, with Apprise itself where it is installed."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from eventwatch.model.alert import Action, Message, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import AppriseSettings, Secret
from eventwatch.notifiers.apprise import AppriseNotifier
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT
from tests.fakes import apprise_stub
from tests.fakes.slack import FakeSlack, Fault
from tests.notifiers.builders import NOW, SECOND, delivery

INSTALLED = importlib.util.find_spec("apprise") is not None


@pytest.fixture(
    autouse=True,
    params=[
        "stub",
        pytest.param("real", marks=pytest.mark.skipif(not INSTALLED, reason="no Apprise here")),
    ],
)
def apprise(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "stub":
        monkeypatch.setitem(sys.modules, "apprise", apprise_stub.module())


def url(slack: FakeSlack, name: str = "canary") -> Secret:
    return Secret(f"json://127.0.0.1:{slack.port}/hook/{name}")


def for_growth(slack: FakeSlack, *names: str) -> AppriseNotifier:
    urls = tuple(url(slack, name) for name in names or ("canary",))
    return AppriseNotifier(AppriseSettings({"growth": urls}))


def test_a_team_s_message_arrives_with_its_first_line_as_title(slack: FakeSlack) -> None:
    row = delivery(message=Message("", "", "growth: 1 new problem\nexpected 9,800, seen 12"))
    assert for_growth(slack).send(row, NOW).verdict is Verdict.SENT
    ((_, document),) = slack.hooked
    assert document["title"] == "growth: 1 new problem"
    assert document["message"].strip() == "expected 9,800, seen 12"


def test_a_message_of_one_line_has_a_body(slack: FakeSlack) -> None:
    for_growth(slack).send(delivery(), NOW)
    assert slack.hooked[0][1]["message"].strip() == "growth: 1 new problem"


def test_who_is_served_by_own_urls_by_those_for_everybody_or_not_at_all(slack: FakeSlack) -> None:
    assert for_growth(slack).serves("growth")
    assert not for_growth(slack).serves("money")
    everybody = AppriseNotifier(AppriseSettings({"*": (url(slack),)}))
    assert everybody.serves("money")


def test_a_reply_is_a_message_and_an_edit_ends_quietly(slack: FakeSlack) -> None:
    notifier = for_growth(slack)
    assert notifier.send(delivery("r", action=Action.REPLY), NOW).verdict is Verdict.SENT
    for action in (Action.UPDATE, Action.CHART):
        ended = notifier.send(delivery("u", action=action), NOW)
        assert ended.verdict is Verdict.REFUSED
        assert ended.reason.startswith(NOT_SENT)
    assert len(slack.hooked) == 1


def test_a_service_that_failed_is_told_again_and_the_others_are_not(slack: FakeSlack) -> None:
    notifier = for_growth(slack, "one", "two")
    slack.faults = [Fault(), Fault(status=500)]
    failed = notifier.send(delivery(), NOW)
    assert failed.verdict is Verdict.RETRY
    assert MAY_REPEAT in failed.reason
    assert failed.retry_at is not None
    again = delivery(attempts=2, last_error=failed.reason)
    assert notifier.send(again, failed.retry_at).verdict is Verdict.SENT
    assert [r[0] for r in slack.requests] == ["/hook/one", "/hook/two", "/hook/two"]
    assert "may repeat" in slack.hooked[-1][1]["message"]


def test_a_service_that_cannot_be_reached_is_tried_again() -> None:
    gone = FakeSlack()
    with gone.running():
        notifier = for_growth(gone)
    assert notifier.send(delivery(), NOW).verdict is Verdict.RETRY


def test_nobody_is_called_by_a_name_from_the_data(slack: FakeSlack) -> None:
    row = delivery(message=Message("", "", "@everyone fell\n@here too"))
    for_growth(slack).send(row, NOW)
    document = slack.hooked[0][1]
    assert "@everyone" not in document["title"]
    assert "@here" not in document["message"]


def test_a_very_long_message_is_cut_to_what_services_take(slack: FakeSlack) -> None:
    for_growth(slack).send(delivery(message=Message("", "", "t\n" + "x" * 90_000)), NOW)
    assert len(slack.hooked[0][1]["message"]) <= 4_000


def test_a_url_that_is_none_is_refused_by_team_and_number_and_never_shown() -> None:
    settings = AppriseSettings({"growth": (Secret("nonsense://s3cret@x"),)})
    with pytest.raises(DeliveryError, match="URL 1 of 'growth'") as refused:
        AppriseNotifier(settings)
    assert "s3cret" not in str(refused.value)


def test_without_apprise_the_command_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryError, match=r"pip install 'eventwatch\[apprise\]'"):
        AppriseNotifier(AppriseSettings({}))


def test_one_team_s_burst_waits_in_order(slack: FakeSlack) -> None:
    notifier = for_growth(slack)
    outcomes = [notifier.send(delivery(f"k{n}"), NOW) for n in range(6)]
    waiting = [o.retry_at for o in outcomes if o.verdict is Verdict.RETRY]
    assert waiting == [NOW + SECOND, NOW + 2 * SECOND, NOW + 3 * SECOND]
    assert MAY_REPEAT in notifier.reconcile(delivery(), NOW).reason
