"""The outgoing heartbeat: where it goes, how often, and that nobody waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eventwatch.app.heartbeat import AT_MOST_EVERY, Heart
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret
from eventwatch.notifiers.ping import ping

MINUTE = AT_MOST_EVERY.total_seconds()


class Service:
    """Notes who calls, and answers as it is told."""

    def __init__(self, port: int) -> None:
        self.url = Secret(f"http://127.0.0.1:{port}/canary-heartbeat-path")
        self.paths: list[str] = []
        self.status = 200
        self.location = ""
        self.answers = threading.Event()
        """Set: it answers. Unset: it holds the line."""
        self.answers.set()


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as made:
        yield made


@contextmanager
def serving() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.paths.append(self.path)
            made.answers.wait(20)
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Service(server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield made
    finally:
        made.answers.set()
        server.shutdown()
        server.server_close()


class Watch:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_beat_is_one_get_of_the_address(service: Service) -> None:
    heart = Heart(service.url)
    assert heart.beat()
    heart.wait()
    assert service.paths == ["/canary-heartbeat-path"]


def test_at_most_one_a_minute_is_sent(service: Service) -> None:
    clock = Watch()
    heart = Heart(service.url, clock)
    for expected, seconds in ((True, 0.0), (False, 1.0), (False, MINUTE - 2), (True, 1.0)):
        clock.seconds += seconds
        assert heart.beat() is expected
        heart.wait()
    assert len(service.paths) == 2


def test_a_service_that_hangs_delays_nobody_and_gets_one_call_at_a_time(service: Service) -> None:
    service.answers.clear()
    clock = Watch()
    heart = Heart(service.url, clock)
    assert heart.beat()
    clock.seconds += 2 * MINUTE
    # It returned while the first call hangs, and so does this.
    assert not heart.beat()
    service.answers.set()
    heart.wait()
    assert heart.beat()


def test_a_service_that_says_nothing_is_left_in_time(service: Service) -> None:
    service.answers.clear()
    with pytest.raises(DeliveryError, match="heartbeat_url: no answer"):
        ping(service.url, 0.2)


def test_a_failure_is_logged_once_without_the_address_and_so_is_its_end(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Watch()
    heart = Heart(service.url, clock)
    for status in (500, 500, 404, 200, 200):
        service.status = status
        clock.seconds += MINUTE
        heart.beat()
        heart.wait()
    lines = [r.getMessage() for r in caplog.records if r.name == "eventwatch.app.heartbeat"]
    assert [("500" in x, "404" in x, "again" in x) for x in lines] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert "canary" not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(service: Service, status: int) -> None:
    with serving() as elsewhere:
        service.status, service.location = status, elsewhere.url.reveal()
        with pytest.raises(DeliveryError, match="not followed"):
            ping(service.url, 5.0)
        assert elsewhere.paths == []


def test_nobody_there_is_a_failure_and_not_an_error_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving() as gone:
        url = gone.url
    heart = Heart(url)
    heart.beat()
    heart.wait()
    assert "connection refused" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://hc-ping.com/canary",
        "https://10.1.2.3/canary",
        "https://169.254.169.254/canary",
        "https://user:pw@hc-ping.com/canary",
        "ftp://127.0.0.1/canary",
    ],
)
def test_an_address_that_slipped_through_is_not_called(url: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        ping(Secret(url), 1.0)
    assert "canary" not in str(raised.value)


def test_a_name_that_leads_to_this_machine_is_not_called(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    port = service.url.reveal().split(":")[2].split("/")[0]
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: resolve("127.0.0.1", *rest, **more)
    )
    with pytest.raises(DeliveryError, match="not allowed"):
        ping(Secret(f"https://rebound.example:{port}/canary"), 5.0)
    assert service.paths == []
