from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret, SlackSettings
from eventwatch.notifiers.slack_press import Button, Press
from eventwatch.notifiers.slack_socket import SlackSocket, Waits
from eventwatch.notifiers.slack_wire import checked_socket
from tests.fakes.socket_mode import APP_TOKEN, BOT_TOKEN, FakeSocketMode, press

SOON = Waits(first=0.02, most=0.05, refused=0.05)


@pytest.fixture
def slack() -> Iterator[FakeSocketMode]:
    with FakeSocketMode().running() as fake:
        yield fake


class Pressed:
    """What was heard."""

    def __init__(self, slack: FakeSocketMode) -> None:
        self.slack, self.heard = slack, list[Press]()
        self.ids: list[str] = []

    def __call__(self, one: Press) -> None:
        self.slack.note(lambda: self.ids.append(one.id))
        self.heard.append(one)


def settings(slack: FakeSocketMode, **changes: object) -> SlackSettings:
    made: dict[str, object] = {
        "token": Secret(BOT_TOKEN),
        "app_token": Secret(APP_TOKEN),
        "base_url": slack.base_url,
        "timeout": timedelta(seconds=5),
        **changes,
    }
    return SlackSettings(**made)  # type: ignore[arg-type]


@contextmanager
def listening(
    slack: FakeSocketMode, on_press: Callable[[Press], None], **changes: object
) -> Iterator[SlackSocket]:
    listener = SlackSocket(settings(slack, **changes), on_press, waits=SOON)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()
        assert not listener.alive


def connected(slack: FakeSocketMode, times: int = 1) -> None:
    slack.wait(lambda: slack.connections >= times)


def test_a_press_is_acknowledged_and_heard(slack: FakeSocketMode) -> None:
    pressed = Pressed(slack)
    with listening(slack, pressed) as listener:
        connected(slack)
        slack.send(press(thread="1790000000.000001"))
        slack.wait(lambda: bool(pressed.ids) and bool(slack.acknowledged))
        assert listener.alive
        assert listener.connected
    assert slack.acknowledged == ["e-1"]
    assert pressed.heard == [
        Press(
            "e-1",
            Button.ACKNOWLEDGE,
            "0123456789ab",
            "U0ANNA0001",
            "anna",
            "C0GROWTH01",
            "1790000000.000001",
        )
    ]


def test_the_same_envelope_twice_is_acknowledged_twice_and_acted_upon_once(
    slack: FakeSocketMode,
) -> None:
    pressed = Pressed(slack)
    with listening(slack, pressed):
        connected(slack)
        for _ in range(3):
            slack.send(press("e-1"))
        slack.send(press("e-2"))
        slack.wait(lambda: len(slack.acknowledged) == 4 and "e-2" in pressed.ids)
    assert sorted(pressed.ids) == ["e-1", "e-2"]


def test_an_envelope_is_acknowledged_while_the_one_before_is_still_acted_upon(
    slack: FakeSocketMode,
) -> None:
    free = threading.Event()
    done: list[str] = []

    def slow(one: Press) -> None:
        assert free.wait(10)
        slack.note(lambda: done.append(one.id))

    with listening(slack, slow):
        connected(slack)
        slack.send(press("e-1"))
        slack.send(press("e-2"))
        slack.wait(lambda: len(slack.acknowledged) == 2)
        assert done == []
        free.set()
        slack.wait(lambda: done == ["e-1", "e-2"])


def test_an_action_that_fails_does_not_end_the_hearing(
    slack: FakeSocketMode, caplog: pytest.LogCaptureFixture
) -> None:
    pressed = Pressed(slack)

    def fails_first(one: Press) -> None:
        pressed(one)
        if one.id == "e-1":
            raise RuntimeError("canary")

    with listening(slack, fails_first) as listener:
        connected(slack)
        slack.send(press("e-1"))
        slack.send(press("e-2"))
        slack.wait(lambda: len(pressed.ids) == 2)
        assert listener.alive
    assert "a button could not be acted upon: RuntimeError" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("end", ["drop", "close", "refresh"])
def test_it_connects_again_whatever_ended_the_connection(slack: FakeSocketMode, end: str) -> None:
    pressed = Pressed(slack)
    with listening(slack, pressed) as listener:
        connected(slack)
        getattr(slack, end)()
        connected(slack, times=2)
        slack.wait(lambda: slack.sent(press("e-9")) and "e-9" in pressed.ids)
        assert listener.alive
    assert pressed.ids == ["e-9"]


@pytest.mark.parametrize(
    ("method", "code"),
    [("apps.connections.open", "internal_error"), ("apps.connections.open", "invalid_auth")],
)
def test_it_waits_for_a_slack_that_refuses_and_says_so_once(
    slack: FakeSocketMode, caplog: pytest.LogCaptureFixture, method: str, code: str
) -> None:
    slack.errors[method] = code
    pressed = Pressed(slack)
    with listening(slack, pressed) as listener:
        slack.wait(lambda: len(slack.calls) >= 3)
        assert listener.alive
        assert not listener.connected
        assert listener.trouble == f"Slack says {code}"
        del slack.errors[method]
        connected(slack)
        slack.wait(lambda: slack.sent(press()) and pressed.ids == ["e-1"])
        assert listener.trouble == ""
    told = [r for r in caplog.records if "buttons are not heard" in r.message]
    assert len(told) == 1


def test_a_handshake_that_redirects_is_not_followed(slack: FakeSocketMode) -> None:
    slack.handshake = 302
    with listening(slack, Pressed(slack)) as listener:
        slack.wait(lambda: len(slack.calls) >= 2)
        assert not listener.connected
    assert slack.connections == 0
    assert {method for method, _, _ in slack.calls} == {"apps.connections.open"}


def test_the_token_is_not_sent_to_where_slack_redirects(slack: FakeSocketMode) -> None:
    with FakeSocketMode().running() as other:
        slack.redirects["apps.connections.open"] = other.base_url + "apps.connections.open"
        with listening(slack, Pressed(slack)):
            slack.wait(lambda: len(slack.calls) >= 2)
        assert other.calls == []


@pytest.mark.parametrize(
    "address",
    [
        "ws://evil.example/link",
        "wss://evil.example/link",
        "wss://slack.com.evil.example/link",
        "wss://wss-primary.slack.com:8443/link",
        "wss://wss-primary.slack.com@evil.example/link",
        "ws://wss-primary.slack.com/link",
        "https://wss-primary.slack.com/link",
        "wss://wss-primary.slack.com/\r\nX: y",
        "wss://evilslack.com/link",
        "wss://[::1/link",
        "",
        None,
        7,
    ],
)
def test_an_address_that_is_not_slacks_is_not_connected_to(address: object) -> None:
    with pytest.raises(DeliveryError, match="not its own"):
        checked_socket(address, "https://slack.com/api/")


def test_addresses_of_slack_are_connected_to() -> None:
    for url in ("wss://wss-primary.slack.com/link/?ticket=1", "wss://wss.slack-gov.com:443/x"):
        assert checked_socket(url, "https://slack.com/api/") == url
    here = "ws://127.0.0.1:8080/link"
    assert checked_socket(here, "http://127.0.0.1:8080/api/") == here
    with pytest.raises(DeliveryError):
        checked_socket(here, "https://slack.com/api/")


def test_nothing_secret_is_logged_at_any_level(
    slack: FakeSocketMode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pressed = Pressed(slack)
    with listening(slack, pressed) as listener:
        connected(slack)
        slack.send(press(value="not an incident, canary"))
        slack.send(press("e-2"))
        slack.wait(lambda: pressed.ids == ["e-2"])
        slack.errors["apps.connections.open"] = "canary_is_no_code"
        slack.drop()
        slack.wait(lambda: len(slack.calls) >= 3)
        assert "canary" not in repr(listener)
    assert "canary" not in caplog.text.replace("canary_is_no_code", "")


def test_a_thread_of_the_sdk_that_died_is_replaced(slack: FakeSocketMode) -> None:
    pressed = Pressed(slack)
    with listening(slack, pressed) as listener:
        connected(slack)
        client = listener._client
        assert client is not None
        client.current_session_runner.event.set()
        slack.drop()
        connected(slack, times=2)
        slack.wait(lambda: slack.sent(press()) and pressed.ids == ["e-1"])
        assert listener._client is not client


def test_without_an_app_token_there_is_nothing_to_hear(slack: FakeSocketMode) -> None:
    with pytest.raises(DeliveryError, match="app_token"):
        SlackSocket(settings(slack, app_token=None), Pressed(slack))


def test_it_ends_at_once_while_it_waits_to_connect(slack: FakeSocketMode) -> None:
    slack.errors["apps.connections.open"] = "invalid_auth"
    listener = SlackSocket(settings(slack), Pressed(slack), waits=Waits(refused=3600.0))
    listener.start()
    slack.wait(lambda: len(slack.calls) == 1)
    assert listener.alive
    listener.stop()
    assert not listener.alive
