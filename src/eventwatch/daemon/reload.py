"""Reads config, checks and contracts again: on SIGHUP, and where that is wanted when they change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from eventwatch import app
from eventwatch.model.errors import (
    ConfigError,
    EventwatchError,
    Fault,
    FaultsError,
    StoreError,
)
from eventwatch.model.settings import Settings

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between two looks at the files; a change counts once two looks see the same."""
_READ = frozenset((".yaml", ".yml", ".proto", ".binpb", ".gz", ".json"))
AGAIN_EVERY = 30.0
"""Seconds until what was refused for the state alone is read again: it comes back by itself."""
_FOR_A_START = ("state", "web")
"""Sections that a running process cannot change."""
Seen = tuple[tuple[str, int, int, int], ...]


class Reloader:
    """One thread, because reading takes seconds. Exactly one of ``take`` and ``refuse`` is called
    per reading, in that thread."""

    def __init__(
        self,
        house: app.House,
        load: Callable[[], app.House],
        take: Callable[[app.House], None],
        refuse: Callable[[str], None],
        *,
        watch: bool,
    ) -> None:
        self._house, self._load, self._take, self._refuse = house, load, take, refuse
        self._asked, self._stop = threading.Event(), threading.Event()
        self._watch = watch
        self._again_at: float | None = None
        """When to read again without being asked, by ``time.monotonic``."""
        self.thread = threading.Thread(target=self._loop, name="reload", daemon=True)

    def ask(self) -> None:
        """Reads soon; returns at once. Safe in a signal handler."""
        self._asked.set()

    def stop(self) -> None:
        """Returns at once."""
        self._stop.set()
        self._asked.set()

    def _loop(self) -> None:
        # What was read at the start is what the files were then, or a moment later.
        read = last = self._look()
        while not self._stop.is_set():
            asked = self._asked.wait(self._patience())
            self._asked.clear()
            if self._stop.is_set():
                return
            seen = self._look()
            again = self._again_at is not None and time.monotonic() >= self._again_at
            if asked or again or (seen != read and seen == last):
                read = seen
                self._read()
            last = seen

    def _patience(self) -> float | None:
        """Seconds to the next look; None: nobody but a signal needs one."""
        if self._watch:
            return LOOK_EVERY
        return None if self._again_at is None else max(0.0, self._again_at - time.monotonic())

    def _read(self) -> None:
        self._again_at = None
        try:
            house = self._load()
            _refuse_what_needs_a_start(self._house.settings, house.settings)
            self._take(house)
            self._house = house
            log.info("configuration, checks and contracts were read again and are used from now on")
        except FaultsError as error:
            more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
            first = str(error.faults[0]) if error.faults else "unknown"
            self._refused(first + more)
        except StoreError as error:
            # Nothing is wrong with what was read, so nobody will change it.
            self._again_at = time.monotonic() + AGAIN_EVERY
            self._refused(str(error))
        except (EventwatchError, OSError) as error:
            self._refused(str(error))
        except Exception as error:  # a defect in reading must not end the watch
            log.exception("reading the configuration again failed")
            self._refused(f"reading it failed: {type(error).__name__}")

    def _refused(self, why: str) -> None:
        log.error("the changed configuration is refused, the old one is used: %s", why)
        self._refuse(why)

    def _look(self) -> Seen:
        settings = self._house.settings
        roots = (settings.path, settings.checks, settings.contracts.source)
        return fingerprint((*roots, *settings.contracts.include)) if self._watch else ()


def fingerprint(roots: Iterable[Path]) -> Seen:
    """Path, inode, size and time of change of every file that may be read."""
    found = []
    for root in roots:
        files = sorted(p for p in root.rglob("*") if p.suffix in _READ) if root.is_dir() else [root]
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                continue
            found.append((str(file), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def _refuse_what_needs_a_start(old: Settings, new: Settings) -> None:
    changed = [name for name in _FOR_A_START if _plain(old, name) != _plain(new, name)]
    if changed:
        raise ConfigError(
            [
                Fault(
                    str(new.path),
                    None,
                    f"{' and '.join(changed)} cannot be changed while the daemon runs; start it again",
                )
            ]
        )


def _plain(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    if name == "state":
        return value.reveal()
    if value is None:
        return None
    # Where it stands in the file is no change of it.
    token = None if value.token is None else value.token.reveal()
    return (value.host, value.port, token)
