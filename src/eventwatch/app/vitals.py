"""Watches the watcher: gathers what /livez, /readyz and /metrics say, and beats the outgoing heart.

For whoever runs cycles::

    watch = Watching(house, store, keeper)          # store: open; keeper: of the contracts
    watch.start(alive=…, not_ready=…, leads=…)      # listens where ``web`` is set; may raise ConfigError
    watch.slot_ended(slot, report, took)            # each slot, once it has its end
    watch.use(house, keeper)                        # after a reload; may raise ConfigError
    watch.stop()

Every method may be called from any thread and returns at once.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from eventwatch import __version__
from eventwatch.app.adapters import adapter
from eventwatch.app.heartbeat import Heart
from eventwatch.app.house import House
from eventwatch.app.pulse import allowed_age
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.model.errors import ConfigError
from eventwatch.model.schedule import longest_wait
from eventwatch.model.settings import Exposure, WebSettings
from eventwatch.model.state import Slot, SlotStatus, Tally
from eventwatch.pipeline.report import ExposureReport
from eventwatch.ports.store import StateReader
from eventwatch.web.vitals import ExposureVitals, Vitals

if TYPE_CHECKING:
    from eventwatch.web.server import WebServer

log = logging.getLogger(__name__)


@dataclass
class _Heard:
    report: ExposureReport | None = None
    took: timedelta | None = None
    rows_read: int = 0
    slots: Counter[str] = field(default_factory=Counter)


class Recorder:
    """What the cycles of this process came to. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, _Heard] = {}

    def slot_ended(self, exposure: str, status: SlotStatus) -> None:
        """A slot got its end; those that have none yet (DUE, RUNNING) are not counted."""
        if status not in (SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED):
            return
        with self._lock:
            self._of(exposure).slots[status.value] += 1

    def cycle_ended(self, exposure: str, report: ExposureReport, took: timedelta) -> None:
        """A cycle gave a report, which may say that nothing could be measured."""
        with self._lock:
            heard = self._of(exposure)
            heard.report, heard.took = report, took
            heard.rows_read += report.rows_read

    def of(self, exposure: str) -> ExposureVitals:
        """So far; ages are left to who knows the time."""
        with self._lock:
            heard = self._of(exposure)
            report = heard.report
            counts = {} if report is None else report.kind_counts
            return ExposureVitals(
                cycle_duration=heard.took,
                scan_duration=None if report is None or report.error else report.elapsed,
                rows_read=heard.rows_read,
                cycles=dict(heard.slots),
                results={(kind.value, s.value): n for (kind, s), n in counts.items()},
            )

    def _of(self, exposure: str) -> _Heard:
        return self._heard.setdefault(exposure, _Heard())


@dataclass(frozen=True)
class Condition:
    """What only the daemon knows of itself."""

    alive: Callable[[], bool] = lambda: True
    not_ready: Callable[[], str] = lambda: ""
    leads: Callable[[], bool] = lambda: True


class Watching:
    """See the module. ``now`` is the daemon's own clock where that is not the machine's;
    ``slots`` gives how slots ended by exposure, where somebody counts them already."""

    def __init__(
        self,
        house: House,
        store: StateReader,
        keeper: CatalogKeeper | None = None,
        *,
        now: Callable[[], datetime] | None = None,
        slots: Callable[[], Mapping[str, Mapping[str, int]]] | None = None,
    ) -> None:
        self._house, self._store, self._keeper = house, store, keeper
        self._now = house.clock.now if now is None else now
        self._slots = slots
        self._began = self._now()
        self._condition = Condition()
        self._server: WebServer | None = None
        self._heart = _heart(house, None)
        self.recorder = Recorder()

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None: nowhere."""
        return None if self._server is None else self._server.address

    def start(
        self,
        *,
        alive: Callable[[], bool],
        not_ready: Callable[[], str] = lambda: "",
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """Listens from now on, where ``web`` is set. Raises ConfigError where that cannot be."""
        self._condition = Condition(alive, not_ready, leads)
        self._listen(self._house.settings.web)

    def use(self, house: House, keeper: CatalogKeeper | None) -> None:
        """Another configuration from now on. Raises ConfigError where its address cannot be had, and
        then nothing is changed."""
        old, new = self._house.settings.web, house.settings.web
        if old is None or new is None or replace(old, location=new.location) != new:
            self._listen_anew(old, new)
        self._heart = _heart(house, self._heart)
        self._house, self._keeper = house, keeper

    def slot_ended(
        self, slot: Slot, report: ExposureReport | None, took: timedelta | None = None
    ) -> None:
        """A slot got its end; ``report`` where its cycle gave one."""
        self.recorder.slot_ended(slot.exposure, slot.status)
        if report is not None:
            self.recorder.cycle_ended(slot.exposure, report, took or timedelta(0))
        # RAN is written after the commit, and only for a cycle that was measured.
        if slot.status is SlotStatus.RAN and self._heart is not None:
            self._heart.beat()

    def stop(self) -> None:
        """Nothing listens any more."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def vitals(self) -> Vitals:
        """Now. Raises StoreError where the state cannot be read."""
        house, keeper, now = self._house, self._keeper, self._now()
        tally = self._store.tally()
        return Vitals(
            exposures={e.name: self._exposure(e, tally, now) for e in house.settings.exposures},
            open_incidents=tally.open_incidents,
            oldest_unsent=None
            if tally.oldest_unsent_at is None
            else max(timedelta(0), now - tally.oldest_unsent_at),
            unsent=tally.unsent,
            contracts_digest=house.catalog.digest if keeper is None else keeper.digest,
            contracts_age=timedelta(0) if keeper is None else keeper.age,
            version=__version__,
            leads=self._condition.leads(),
            not_ready=self._condition.not_ready(),
        )

    def _exposure(self, exposure: Exposure, tally: Tally, now: datetime) -> ExposureVitals:
        # From the state, so that a restart does not hide how long it has been. One that never had a
        # cycle is as old as this process: an exposure whose first cycle never ends is late as well.
        beat = tally.beats.get(f"exposure:{exposure.name}", self._began)
        made = self.recorder.of(exposure.name)
        if self._slots is not None:
            made = replace(made, cycles=dict(self._slots().get(exposure.name, {})))
        return replace(
            made,
            cycle_age=max(timedelta(0), now - beat),
            cycle_age_limit=allowed_age(exposure, longest_wait(exposure, now)),
        )

    def _listen(self, settings: WebSettings | None) -> None:
        if settings is None:
            return
        from eventwatch.web.server import Sources

        sources = Sources(self._condition.alive, self.vitals)
        server: WebServer = adapter("web")(settings, sources)
        server.start()
        self._server = server
        log.info("health and metrics at port %d of %s", server.address[1], server.address[0])

    def _listen_anew(self, old: WebSettings | None, new: WebSettings | None) -> None:
        self.stop()
        try:
            self._listen(new)
        except ConfigError:
            self._listen(old)
            raise


def _heart(house: House, known: Heart | None) -> Heart | None:
    url = house.settings.heartbeat_url
    if url is None:
        return None
    return known if known is not None and known.url == url else Heart(url)
