"""Hears the buttons of Slack over Socket Mode: a connection that we open, so no port is needed.

slack_sdk's client reads and writes the websocket (``slack_wire``); when to connect, what to believe and
in which thread to act is decided here.

An envelope is acknowledged at once and acted upon in a thread of its own, because Slack waits three
seconds for the former and a state that is locked may take longer for the latter. A process that dies
between the two loses that press; its reader sees that nothing changed and presses again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers.slack_client import Answered, SlackClient
from eventwatch.notifiers.slack_press import (
    Press,
    app_of,
    app_of_hello,
    envelope_id,
    press_of,
)
from eventwatch.notifiers.slack_wire import Wire
from eventwatch.notifiers.verdicts import BROKEN, Answer, answer, code_of

log = logging.getLogger(__name__)
_REMEMBERED = 2000
"""Envelopes; Slack sends one again for minutes at most."""
_WAITING = 200
"""Presses; who presses faster than the state can be written is told to try again by nothing
happening."""


@dataclass(frozen=True)
class Waits:
    """Seconds between attempts to connect: the first, doubled up to the most; and after Slack
    refused the token, which somebody has to mend."""

    first: float = 1.0
    most: float = 60.0
    refused: float = 300.0


class SlackSocket:
    """``start`` and ``stop`` once each. Nothing that goes wrong with it raises after ``start``:
    ``alive`` and ``trouble`` say it."""

    def __init__(
        self,
        settings: SlackSettings,
        on_press: Callable[[Press], None],
        *,
        waits: Waits | None = None,
    ) -> None:
        """``on_press`` is called in one thread, one press after the other. Raises DeliveryError when
        the settings are unusable."""
        if settings.app_token is None:
            raise DeliveryError("notify.slack.app_token is not set")
        self._on_press = on_press
        self._waits = Waits() if waits is None else waits
        self._web = SlackClient(settings.app_token, settings.base_url, settings.timeout)
        self._app = app_of(settings.app_token.reveal())
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._presses: queue.Queue[Press] = queue.Queue(_WAITING)
        self._over = threading.Event()
        self._client: Wire | None = None
        self._threads: tuple[threading.Thread, ...] = ()
        self.trouble = ""
        """Why there is no connection, for people; empty: there is one, or was none yet."""

    def __repr__(self) -> str:
        return "SlackSocket(********)"

    def start(self) -> None:
        """Returns at once; connects in the background, again and again until ``stop``."""
        self._threads = tuple(
            threading.Thread(target=target, name=f"buttons-{name}", daemon=True)
            for name, target in (("connect", self._keep_connected), ("act", self._act))
        )
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends the connection. What was pressed and not acted upon yet is left."""
        self._over.set()
        client = self._client
        if client is not None:
            client.hang_up()
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0.0))

    @property
    def alive(self) -> bool:
        """Whether it still tries: connected, or on its way to be."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    @property
    def connected(self) -> bool:
        """Whether a press would be heard now."""
        client = self._client
        return client is not None and client.is_connected()

    # -- connecting ------------------------------------------------------------------------------

    def _keep_connected(self) -> None:
        attempts = 0
        while not self._over.is_set():
            refused = False
            try:
                self._connect()
            except Exception as error:
                why, refused = _reason(error)
                self._say(why)
            else:
                attempts = 0 if self._wait_for_the_end() else attempts
            attempts += 1
            self._over.wait(self._pause(attempts, refused=refused))
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close()

    def _connect(self) -> None:
        if self._client is not None and not self._client.is_whole():
            self._client.close()
            self._client = None
        if self._client is None:
            self._client = Wire(self._web, self._hear)
        self._client.connect_to_new_endpoint()
        if not self._client.is_connected():
            raise DeliveryError("the connection was not made")

    def _wait_for_the_end(self) -> bool:
        """Until the connection is gone; whether it had lasted, so that the waits begin anew."""
        began = time.monotonic()
        if self.trouble:
            log.info("buttons: connected again")
        self.trouble = ""
        while not self._over.wait(0.1) and not self._has_ended():
            pass
        if not self._over.is_set():
            self._say("the connection ended")
        return time.monotonic() - began > self._waits.most

    def _has_ended(self) -> bool:
        client = self._client
        if client is None or not client.is_whole():
            return True
        if client.is_connected():
            return False
        # When Slack asks for a new connection, the SDK closes the old one under this lock.
        with client.connect_operation_lock:
            return not client.is_connected()

    def _pause(self, attempts: int, *, refused: bool) -> float:
        if refused:
            return self._waits.refused
        seconds = self._waits.first * (1 << min(attempts - 1, 20))
        # Not all installations at once after an outage of Slack.
        return min(seconds, self._waits.most) * random.uniform(0.5, 1.0)

    def _say(self, why: str) -> None:
        if why != self.trouble:
            log.warning("buttons are not heard: %s; trying again", why)
        self.trouble = why

    # -- hearing ---------------------------------------------------------------------------------

    def _hear(self, message: dict[str, Any]) -> None:
        """Called in threads of the SDK."""
        self._app = self._app or app_of_hello(message)
        id_ = envelope_id(message)
        if not id_:
            return
        client = self._client
        if client is not None:
            # Without it Slack sends the envelope again, which is known then.
            with contextlib.suppress(Exception):
                client.send_socket_mode_response({"envelope_id": id_})
        press = press_of(message, self._app)
        if press is None:
            log.info("an envelope that is no button of ours was left alone")
            return
        if not self._is_new(press.id):
            return
        try:
            self._presses.put_nowait(press)
        except queue.Full:
            log.warning("a button was pressed while too many others wait; it was not heard")

    def _is_new(self, id_: str) -> bool:
        with self._lock:
            if id_ in self._seen:
                return False
            self._seen[id_] = None
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return True

    def _act(self) -> None:
        while not self._over.is_set():
            try:
                press = self._presses.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                self._on_press(press)
            except Exception as error:
                # The broad one: whatever a press leads to, the next one is heard.
                log.error("a button could not be acted upon: %s", type(error).__name__)


def _reason(error: Exception) -> tuple[str, bool]:
    """For people, and whether somebody has to mend the token."""
    if isinstance(error, Answered):
        code = code_of(error.data)
        refused = bool(code) and answer(code) is Answer.HALT
        return (f"Slack says {code}" if code else f"HTTP {error.status}"), refused
    if isinstance(error, DeliveryError):
        return str(error), False
    if isinstance(error, BROKEN):
        return f"Slack cannot be reached ({type(error).__name__})", False
    return type(error).__name__, False
