"""Who may ask what over HTTP."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from eventwatch.model.errors import ConfigError
from eventwatch.model.settings import Secret, WebSettings
from eventwatch.web.server import Sources, WebServer
from eventwatch.web.vitals import Vitals

TOKEN = "canary-web-token"


def vitals(not_ready: str = "") -> Vitals:
    return Vitals({}, {}, None, 0, "d", timedelta(0), "1", not_ready=not_ready)


@contextmanager
def serving(
    host: str = "127.0.0.1",
    *,
    token: str | None = None,
    alive: Callable[[], bool] = lambda: True,
    of: Callable[[], Vitals] = vitals,
) -> Iterator[int]:
    settings = WebSettings(host, 0, None if token is None else Secret(token))
    server = WebServer(settings, Sources(alive, of))
    server.start()
    try:
        yield server.address[1]
    finally:
        server.stop()


def ask(port: int, path: str, *, method: str = "GET", token: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def test_on_the_loopback_interface_everything_can_be_read() -> None:
    with serving() as port:
        assert ask(port, "/livez") == (200, "yes\n")
        assert ask(port, "/readyz") == (200, "yes\n")
        status, text = ask(port, "/metrics")
        assert status == 200
        assert "eventwatch_build_info" in text
        assert ask(port, "/nothing")[0] == 404


def test_on_another_bind_all_but_yes_or_no_needs_the_token() -> None:
    with serving("0.0.0.0", token=TOKEN, of=lambda: vitals("contracts are broken")) as port:
        assert ask(port, "/livez") == (200, "yes\n")
        assert ask(port, "/readyz") == (503, "no\n")
        assert ask(port, "/metrics")[0] == 401
        assert ask(port, "/metrics", token="wrong")[0] == 401
        assert ask(port, "/other")[0] == 401
        assert ask(port, "/metrics", token=TOKEN)[0] == 200
        assert ask(port, "/readyz", token=TOKEN) == (503, "no: contracts are broken\n")


def test_a_bind_that_others_reach_is_refused_without_a_token() -> None:
    with pytest.raises(ConfigError, match=r"web\.token"):
        WebServer(WebSettings("0.0.0.0", 0), Sources(lambda: True, vitals))


def test_a_port_that_is_taken_is_a_fault_of_the_config() -> None:
    with serving() as port, pytest.raises(ConfigError, match=str(port)):
        WebServer(WebSettings("127.0.0.1", port), Sources(lambda: True, vitals))


def test_a_dead_scheduler_is_seen_by_both() -> None:
    with serving(alive=lambda: False) as port:
        assert ask(port, "/livez") == (503, "no\n")
        assert ask(port, "/readyz") == (503, "no: the scheduler does not run\n")


def test_a_state_that_cannot_be_read_is_not_ready_but_alive() -> None:
    def broken() -> Vitals:
        raise OSError("gone")

    with serving(of=broken) as port:
        assert ask(port, "/livez")[0] == 200
        assert ask(port, "/readyz") == (503, "no: the state cannot be read\n")
        assert ask(port, "/metrics")[0] == 500


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_reading_is_possible(method: str) -> None:
    with serving() as port:
        assert ask(port, "/metrics", method=method)[0] == 501


def test_head_gives_no_body() -> None:
    with serving() as port:
        assert ask(port, "/metrics", method="HEAD") == (200, "")


def test_clients_that_say_nothing_do_not_shut_others_out_for_ever() -> None:
    with serving() as port:
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        try:
            assert ask(port, "/livez") == (200, "yes\n")
        finally:
            for each in idle:
                each.close()
