"""What config.yaml may say about being watched itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eventwatch.config.load import Loaded
from eventwatch.config.show import shown_text
from eventwatch.model.settings import Settings

from .conftest import GOOD, Try

Load = Callable[..., Loaded]
TOKEN = "canary-web-token-1"
URL = "https://hc-ping.com/canary-heartbeat"


def settings(loaded: Load, text: str, **env: str) -> Settings:
    return loaded(GOOD + text, env=env).settings


def test_without_a_word_nothing_listens_and_nothing_is_called(loaded: Load) -> None:
    made = settings(loaded, "")
    assert (made.web, made.heartbeat_url) == (None, None)


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:9464", "127.0.0.1", 9464),
        ("localhost:80", "127.0.0.1", 80),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_on_this_machine_no_token_is_needed(
    loaded: Load, listen: str, host: str, port: int
) -> None:
    web = settings(loaded, f'web: {{listen: "{listen}"}}\n').web
    assert web is not None
    assert (web.host, web.port, web.token) == (host, port, None)
    assert web.location.endswith("config.yaml:16")


def test_an_empty_section_is_the_usual_address(loaded: Load) -> None:
    web = settings(loaded, "web: {}\n").web
    assert web is not None
    assert (web.host, web.port) == ("127.0.0.1", 9464)


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "[::]:9464", "10.0.0.7:9464"])
def test_a_bind_that_others_reach_needs_a_token(loaded: Load, faults_of: Try, listen: str) -> None:
    (fault,) = faults_of(GOOD + f'web:\n  listen: "{listen}"\n')
    assert "config.yaml:17" in fault
    assert "web.listen" in fault
    assert "web.token" in fault
    made = settings(loaded, f'web: {{listen: "{listen}", token: "${{WEB}}"}}\n', WEB=TOKEN).web
    assert made is not None
    assert made.token is not None
    assert made.token.reveal() == TOKEN


@pytest.mark.parametrize(
    "listen",
    [
        "9464",
        ":9464",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "::1:9464",
        "[127.0.0.1]:9464",
        "[::1]",
        "example.com:9464",
        "0x7f.1:9464",
        "127.0.0.1:9464 ",
        "http://127.0.0.1:9464",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(faults_of: Try, listen: str) -> None:
    (fault,) = faults_of(GOOD + f'web:\n  listen: "{listen}"\n')
    assert "config.yaml:17" in fault
    assert "127.0.0.1:9464" in fault or "no other name" in fault


@pytest.mark.parametrize("token", ["short", "with blanks in the middle of it"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(faults_of: Try, token: str) -> None:
    (fault,) = faults_of(GOOD + f'web:\n  token: "{token}"\n')
    assert "16 to 400" in fault
    assert token not in fault


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:8000/ping/x", "https://nosnch.in/c2?m=up"])
def test_a_heartbeat_goes_to_https_or_to_this_machine(loaded: Load, url: str) -> None:
    made = settings(loaded, 'heartbeat_url: "${BEAT}"\n', BEAT=url).heartbeat_url
    assert made is not None
    assert made.reveal() == url


@pytest.mark.parametrize(
    "url",
    [
        "http://hc-ping.com/canary",
        "ftp://hc-ping.com/canary",
        "file:///etc/canary",
        "https://169.254.169.254/canary",
        "https://[fd00::1]/canary",
        "https://[::ffff:10.0.0.1]/canary",
        "https://10.0.0.1/canary",
        "https://metadata.google.internal./canary",
        "https://2130706433/canary",
        "https://0x7f.1/canary",
        "https://user:canary@hc-ping.com/",
        "https://hc-ping.com/#canary",
        "https://hc-ping.com/can ary",
        "https://hc-ping.com\\\\@evil.example/canary",
        "https:///canary",
        "canary",
    ],
)
def test_any_other_address_is_refused_and_never_quoted(faults_of: Try, url: str) -> None:
    (fault,) = faults_of(GOOD + f'heartbeat_url: "{url}"\n')
    assert "config.yaml:16" in fault
    assert "heartbeat_url" in fault
    assert "canary" not in fault


def test_a_heartbeat_that_is_no_text_and_an_unknown_key_are_told_together(faults_of: Try) -> None:
    first, second = faults_of(GOOD + "heartbeat_url: 5\nweb: {lisen: x}\n")
    assert "must be a URL" in first
    assert "lisen" in second


def test_secrets_in_the_file_are_warned_of_and_never_shown(loaded: Load) -> None:
    text = GOOD + f'web: {{token: "{TOKEN}"}}\nheartbeat_url: "{URL}"\n'
    plain = loaded(text)
    assert [w.key for w in plain.warnings if "secret stands" in w.message] == [
        "web.token",
        "heartbeat_url",
    ]
    assert "canary" not in shown_text(plain)
    assert "canary" not in repr(plain)


def test_config_show_writes_what_can_be_read_again(loaded: Load) -> None:
    given = loaded(
        GOOD + 'web: {listen: "[::]:80", token: "${WEB}"}\nheartbeat_url: "${BEAT}"\n',
        env={"WEB": TOKEN, "BEAT": URL},
    )
    text = shown_text(given)
    assert "${WEB}" in text
    assert "${BEAT}" in text
    again = loaded(text, env={"WEB": TOKEN, "BEAT": URL}).settings
    assert again.web is not None
    assert given.settings.web is not None
    assert (again.web.host, again.web.port) == ("::", 80)
    assert again.web.token == given.settings.web.token
