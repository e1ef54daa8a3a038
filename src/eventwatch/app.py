"""Wires the parts together: the only file that names concrete adapters.

Adapters are imported on first use, so that a command pays only for what it needs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from eventwatch.alerting.outbox import fallback_for
from eventwatch.alerting.routing import Directory
from eventwatch.config.load import Loaded
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.model.alert import Delivery, Outcome
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import (
    ConfigError,
    ContractError,
    ExposureInvalid,
    Fault,
    LeaseHeld,
    WarehouseError,
)
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure, NotifySettings, Settings
from eventwatch.model.state import ExposureState, Lease
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.cycle import Watch, look, record_of
from eventwatch.pipeline.deliver import Delivering, deliver
from eventwatch.pipeline.judge import Restriction
from eventwatch.pipeline.report import ExposureReport, Report
from eventwatch.ports.contract_source import ContractSource
from eventwatch.ports.history import History
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import StateReader, Store
from eventwatch.ports.warehouse import Progress, Warehouse

log = logging.getLogger(__name__)

ADAPTERS = {
    "config": "eventwatch.config.load:load",
    "cross_check": "eventwatch.config.load:cross_check",
    "contracts": "eventwatch.contracts.protobuf:ProtobufSource",
    "warehouse": "eventwatch.warehouse.reader:IbisWarehouse",
    "history": "eventwatch.store.history:ParquetHistory",
    "memory": "eventwatch.store.history:MemoryHistory",
    "store": "eventwatch.store.sql:open_store",
    "reader": "eventwatch.store.sql:open_reader",
    "slack": "eventwatch.notifiers.slack:SlackNotifier",
    "slack-webhook": "eventwatch.notifiers.slack_webhook:SlackWebhookNotifier",
    "stdout": "eventwatch.notifiers.stdout:StdoutNotifier",
}
"""Name → "module:attribute". A new adapter is a file and a line here."""

AT_ONCE = 4
"""Exposures measured side by side; each holds one connection and its share of memory."""
SEND_PATIENCE = timedelta(seconds=30)
"""How long a command that ends waits for a limited channel before it leaves the rest to the next."""


def adapter(name: str) -> Any:
    """The class or function behind a name of ADAPTERS."""
    module, _, attribute = ADAPTERS[name].partition(":")
    return getattr(import_module(module), attribute)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()


@dataclass(frozen=True)
class RunOptions:
    """What a person asked of one run."""

    exposures: tuple[str, ...] = ()
    kinds: tuple[KindName, ...] = ()
    event_types: tuple[str, ...] = ()
    """Globs."""
    teams: tuple[str, ...] = ()
    at: datetime | None = None
    preview: bool = False
    progress: Progress | None = None

    @property
    def restriction(self) -> Restriction:
        """What is judged and shown."""
        return Restriction(self.kinds, self.event_types, self.teams)


@dataclass(frozen=True)
class House:
    """Config, contracts and the adapters that every run shares."""

    loaded: Loaded
    catalog: Catalog
    warnings: tuple[Fault, ...]
    warehouse: Warehouse
    clock: SystemClock

    @property
    def settings(self) -> Settings:
        """What config.yaml says."""
        return self.loaded.settings

    def directory(self, catalog: Catalog | None = None) -> Directory:
        """Teams of the contracts, overridden and completed by the config's."""
        teams = (self.catalog if catalog is None else catalog).teams
        return Directory(teams, self.settings.teams, self.settings.notify.fallback_team)

    def chosen(self, options: RunOptions) -> tuple[Exposure, ...]:
        """The exposures a run is about, in the order of the config."""
        return tuple(
            e
            for e in self.settings.exposures
            if not options.exposures or e.name in options.exposures
        )


def load(config: Path) -> House:
    """Reads config, checks and contracts. Raises ConfigError or ContractError with every fault."""
    loaded: Loaded = adapter("config")(config, os.environ)
    catalog = contract_source(loaded).load()
    faults: tuple[Fault, ...] = adapter("cross_check")(loaded, catalog)
    warnings = tuple(f for f in faults if f in getattr(loaded, "warnings", ()))
    hard = tuple(f for f in faults if f not in warnings)
    if hard:
        raise ConfigError(hard)
    return House(
        loaded, catalog, (*loaded.warnings, *warnings), adapter("warehouse")(), SystemClock()
    )


def contract_source(loaded: Loaded) -> ContractSource:
    """The configured source of contracts."""
    source: ContractSource = adapter("contracts")(loaded.settings.contracts)
    return source


def store(house: House) -> Store:
    """Opens the state for writing; makes or migrates it."""
    opened: Store = adapter("store")(house.settings.state)
    return opened


def notifier(settings: NotifySettings) -> Notifier:
    """Slack by token, else by webhook, else standard output."""
    slack = settings.slack
    made: Notifier
    if slack is not None and slack.token is not None:
        made = adapter("slack")(slack)
    elif slack is not None and slack.webhook_url is not None:
        made = adapter("slack-webhook")(slack)
    else:
        made = adapter("stdout")(sys.stdout)
    return made


def audit(house: House, options: RunOptions) -> Report:
    """One look at each exposure; records nothing but the measurements, and for a past instant not
    even those."""
    now = house.clock.now() if options.at is None else options.at
    as_of = options.at is not None
    run_id = new_run_id(now)
    with _reader(house) as reader:
        watches = [
            _watch(house, house.catalog, exposure, reader, now, run_id, options)
            for exposure in house.chosen(options)
        ]
    history: History = adapter("memory")() if as_of else adapter("history")(house.settings.history)
    with contextlib.closing(history) if hasattr(history, "close") else contextlib.nullcontext():
        with ThreadPoolExecutor(AT_ONCE) as pool:
            looks = list(
                pool.map(lambda w: look(w, house.warehouse, history, options.progress), watches)
            )
    return Report(
        run_id=run_id,
        at=now,
        exposures=tuple(seen.report for seen in looks),
        messages=tuple(d for seen in looks for d in seen.outbox.deliveries),
        fallback_team=house.settings.notify.fallback_team,
    )


def cycle(house: House, options: RunOptions) -> Report:
    """One full cycle of each exposure as the daemon's: takes the lease, records, sends.

    An exposure whose lease somebody else holds is reported as not measured.
    """
    now = house.clock.now()
    run_id = new_run_id(now)
    opened = store(house)
    history: History = adapter("history")(house.settings.history)
    reports: list[ExposureReport] = []
    messages: list[Delivery] = []
    try:
        for exposure in house.chosen(options):
            report, made = run_cycle(
                house, opened, history, house.catalog, exposure, options, run_id
            )
            reports.append(report)
            messages.extend(made)
        outcomes = send_due(house, opened, patience=SEND_PATIENCE)
    finally:
        opened.close()
    return Report(
        run_id=run_id,
        at=now,
        exposures=tuple(reports),
        messages=tuple(messages),
        outcomes=outcomes,
        recorded=True,
        fallback_team=house.settings.notify.fallback_team,
    )


def run_cycle(
    house: House,
    opened: Store,
    history: History,
    catalog: Catalog,
    exposure: Exposure,
    options: RunOptions,
    run_id: str,
    trouble: str = "",
) -> tuple[ExposureReport, tuple[Delivery, ...]]:
    """Lease, look, commit, heartbeat: one exposure, once. Sends nothing yet."""
    now = house.clock.now()
    try:
        lease = opened.take_lease(f"exposure:{exposure.name}", holder(), now, _lease_time(exposure))
    except LeaseHeld as error:
        return ExposureReport(exposure.name, now, error=str(error)), ()
    try:
        watch = _watch(house, catalog, exposure, opened, now, run_id, options)
        if trouble:
            watch = replace(watch, trouble=(_contracts_unreadable(exposure, trouble),))
        began = house.clock.monotonic()
        seen = look(watch, house.warehouse, history, options.progress)
        elapsed = timedelta(seconds=house.clock.monotonic() - began)
        opened.commit_cycle(record_of(watch, seen, lease, elapsed))
        if seen.measured is not None:
            history.forget_before(exposure.name, now - exposure.look_back - timedelta(days=2))
        opened.heartbeat(f"exposure:{exposure.name}", house.clock.now())
        return seen.report, seen.outbox.deliveries
    except LeaseHeld as error:
        return ExposureReport(exposure.name, now, error=str(error)), ()
    finally:
        _give(opened, lease)


def send_due(
    house: House,
    opened: Store,
    *,
    patience: timedelta = timedelta(0),
    stop: Callable[[], bool] = lambda: False,
) -> tuple[tuple[Delivery, Outcome], ...]:
    """Sends what the outbox holds."""
    settings = house.settings.notify
    timeout = timedelta(seconds=10) if settings.slack is None else settings.slack.timeout
    directory = house.directory()

    def fallback(delivery: Delivery, reason: str, now: datetime) -> Delivery | None:
        return fallback_for(delivery, reason, directory.fallback, now)

    work = Delivering(
        opened, notifier(settings), house.clock, fallback, timeout + timedelta(seconds=5)
    )
    return deliver(work, patience=patience, sleep=time.sleep if patience else None, stop=stop)


@dataclass(frozen=True)
class Validation:
    """What ``eventwatch validate`` found."""

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()
    exposures: tuple[str, ...] = ()
    """One line per exposure that was reached and is as the config says."""
    unreachable: tuple[str, ...] = ()
    """One line per exposure that could not be asked."""


def validate(config: Path) -> Validation:
    """Config, checks, contracts and the exposures' columns: every fault of all of them at once."""
    faults: list[Fault] = []
    try:
        loaded: Loaded = adapter("config")(config, os.environ)
    except ConfigError as error:
        return Validation(error.faults)
    warnings = list(loaded.warnings)
    try:
        catalog = contract_source(loaded).load()
        faults.extend(adapter("cross_check")(loaded, catalog))
    except ContractError as error:
        faults.extend(error.faults)
    warehouse: Warehouse = adapter("warehouse")()
    fine, unreachable = [], []
    for exposure in loaded.settings.exposures:
        try:
            found = warehouse.verify(exposure)
        except ExposureInvalid as error:
            found = error.faults
        except WarehouseError as error:
            unreachable.append(f"{exposure.name}: {error}")
            continue
        faults.extend(found)
        if not found:
            fine.append(exposure.name)
    return Validation(
        tuple(sorted(set(faults), key=_fault_order)),
        tuple(warnings),
        tuple(fine),
        tuple(unreachable),
    )


def keeper(house: House) -> CatalogKeeper:
    """A catalog for the daemon that follows its source."""
    settings = house.settings.contracts
    return CatalogKeeper(
        contract_source(house.loaded).load, (settings.source, *settings.include), house.catalog
    )


def new_run_id(now: datetime) -> str:
    """Sortable by time, unique for ever."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def holder() -> str:
    """Names this process to people who meet its lease."""
    return f"{socket.gethostname()} pid {os.getpid()}"


@contextlib.contextmanager
def _reader(house: House) -> Iterator[StateReader | None]:
    reader: StateReader | None = adapter("reader")(house.settings.state)
    try:
        yield reader
    finally:
        if reader is not None:
            reader.close()


def _watch(
    house: House,
    catalog: Catalog,
    exposure: Exposure,
    reader: StateReader | None,
    now: datetime,
    run_id: str,
    options: RunOptions,
) -> Watch:
    as_of = options.at is not None
    state = ExposureState() if reader is None else reader.exposure_state(exposure.name, now)
    recording = options.at is None and state.watermark is not None
    if as_of:
        # The past is judged from its rows alone; what a person muted then is still muted.
        state = ExposureState(silences=state.silences)
    return Watch(
        exposure=exposure,
        catalog=catalog,
        checks=tuple(house.loaded.checks),
        directory=house.directory(catalog),
        notify=house.settings.notify,
        state=state,
        remembers=recording,
        now=now,
        as_of=as_of,
        restriction=options.restriction,
        run_id=run_id,
    )


def _contracts_unreadable(exposure: Exposure, trouble: str) -> Result:
    return Result(
        exposure=exposure.name,
        kind=KindName.DRIFT,
        aspect="unreadable",
        status=Status.ERROR,
        severity=Severity.WARNING,
        summary=f"contracts could not be read, the last good ones are used: {trouble}",
    )


def _lease_time(exposure: Exposure) -> timedelta:
    """Long enough for the slowest honest cycle: waiting for a lock, three statements, the rest."""
    return exposure.lock_wait + 3 * exposure.query_timeout + timedelta(minutes=2)


def _give(opened: Store, lease: Lease) -> None:
    try:
        opened.give_lease(lease)
    except Exception:
        log.warning("the lease %s could not be given back; it ends by itself", lease.name)


def _fault_order(fault: Fault) -> tuple[str, int, str]:
    return fault.path, fault.line or 0, fault.message
