"""The right to be the daemon of a state: one process has it, the others refuse to start or stand by.

A state in a file is guarded by a lock that the kernel gives back whenever its owner dies. A state on a
server is guarded by a lease with a token: it ends by itself, and a former owner that wakes up late is
refused at its first write.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from eventwatch import app
from eventwatch.app.runs import lease_name, lease_time
from eventwatch.model.errors import LeaseHeld, StateOwned, StoreError, path_text
from eventwatch.model.settings import Exposure
from eventwatch.model.state import Lease
from eventwatch.ports.clock import Clock
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

LEASE = "daemon"
LEASE_TIME = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=8)
POLL_EVERY = timedelta(seconds=1)
_MARK = "daemon on "
_PROCESS = re.compile(r"(?:daemon on )?(?P<host>\S+) pid (?P<pid>\d{1,9})\b.*")


def identity() -> str:
    """Names this process, and no other ever, to people who meet its leases."""
    return f"{_MARK}{socket.gethostname()} pid {os.getpid()} {secrets.token_hex(3)}"


class FileLock:
    """Held as long as the process lives."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_suffix(".lock")
        self._state, self._handle = path, -1

    def take(self) -> None:
        """Raises StateOwned, or StoreError where the file cannot be made."""
        try:
            self._state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not followed, if somebody put a link there: the file is written to.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            handle = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise StoreError(
                f"state {path_text(self.path)}: {error.strerror or error}. This user must be able "
                "to write beside the state"
            ) from None
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise StoreError(f"state {path_text(self.path)}: it is no file. Move it away")
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 200, 0).decode("utf-8", "replace").strip()
            os.close(handle)
            raise StateOwned(path_text(self._state), owner or "another process") from None
        except BaseException:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        self._handle = handle

    def give(self) -> None:
        """The file stays: removing it would let two processes lock two files of one name."""
        if self._handle >= 0:
            with suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1


class ServerLease:
    """One row of the state, renewed all the time."""

    def __init__(self, store: Store, clock: Clock, holder: str) -> None:
        self._store, self._clock, self._holder = store, clock, holder
        self._lease: Lease | None = None
        self._renewed = 0.0

    def take(self) -> Lease:
        """Raises LeaseHeld while another daemon has it."""
        self._lease = self._store.take_lease(LEASE, self._holder, self._clock.now(), LEASE_TIME)
        self._renewed = self._clock.monotonic()
        return self._lease

    def keep(self) -> bool:
        """Renews it when that is due. False: it was lost, or may have been."""
        held = self._lease
        since = self._clock.monotonic() - self._renewed
        if held is None:
            return False
        if since < RENEW_EVERY.total_seconds():
            return True
        try:
            again = self.take()
        except LeaseHeld:
            self._lease = None
            return False
        except StoreError as error:
            log.warning("the right to run cannot be renewed: %s", error)
            return since < LEASE_TIME.total_seconds()
        # The same holder under a new token: somebody else had it in between.
        return again.token == held.token

    def give(self) -> None:
        """So that the next one need not wait for its end."""
        if self._lease is not None:
            with suppress(StoreError):
                self._store.give_lease(self._lease)
            self._lease = None


def take_over(store: Store, exposures: Sequence[Exposure], holder: str, now: datetime) -> None:
    """Gives back what daemons before us left behind. Only for the owner of the state: those that
    may still live are refused at their next write."""
    for exposure in exposures:
        with suppress(StoreError):
            held = _take(store, exposure, holder, now, seize_daemons=True)
            if held is not None:
                store.give_lease(held)


def blocked(store: Store, exposure: Exposure, holder: str, now: datetime) -> str:
    """Who runs a cycle of the exposure now, besides us; empty: nobody that lives. Raises StoreError."""
    try:
        _take(store, exposure, holder, now, seize_daemons=False)
    except LeaseHeld as error:
        return error.holder
    return ""


def _take(
    store: Store, exposure: Exposure, holder: str, now: datetime, *, seize_daemons: bool
) -> Lease | None:
    name, span = lease_name(exposure), lease_time(exposure)
    try:
        return store.take_lease(name, holder, now, span)
    except LeaseHeld as error:
        if error.name != name:
            raise
        former = seize_daemons and error.holder.startswith(_MARK)
        if not former and not gone(error.holder):
            raise
        log.warning("%s was left held by %s, which is gone", name, error.holder)
        # In its name it can be given back.
        store.give_lease(store.take_lease(name, error.holder, now, span))
        return store.take_lease(name, holder, now, span)


def gone(holder: str) -> bool:
    """Whether it was a process of this machine that lives no more; False where that is unknown."""
    match = _PROCESS.fullmatch(holder)
    if match is None or match["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(match["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def state_file(house: app.House) -> Path | None:
    """The file of the state; None: it is on a server."""
    path: Path | None = app.adapter("state-file")(house.settings.state)
    return path
