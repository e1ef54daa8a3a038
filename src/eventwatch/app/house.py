"""Config, contracts and the adapters that every run shares."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventwatch.alerting.routing import Directory
from eventwatch.app.adapters import adapter
from eventwatch.app.placed import Placed
from eventwatch.config.load import Loaded
from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.model.alert import Delivery
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import ConfigError, Fault
from eventwatch.model.settings import Exposure, NotifySettings, Settings
from eventwatch.model.status import KindName
from eventwatch.pipeline.judge import Restriction
from eventwatch.ports.clock import Clock
from eventwatch.ports.contract_source import ContractSource
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import StateReader, Store
from eventwatch.ports.warehouse import Progress, Warehouse


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
    clock: Clock

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
    if faults:
        raise ConfigError(faults)
    warnings = (*loaded.warnings, *adapter("cross_warnings")(loaded, catalog))
    warehouse = Placed(adapter("warehouse")(), loaded)
    return House(loaded, catalog, warnings, warehouse, SystemClock())


def contract_source(loaded: Loaded) -> ContractSource:
    """The configured source of contracts."""
    source: ContractSource = adapter("contracts")(loaded.settings.contracts)
    return source


def store(house: House) -> Store:
    """Opens the state for writing; makes or migrates it."""
    settings = house.settings
    opened: Store = adapter("store")(settings.state, beside=settings.history)
    return opened


def reader(house: House) -> StateReader | None:
    """The state for looking only, which makes and changes nothing; None where there is none yet."""
    opened: StateReader | None = adapter("reader")(house.settings.state)
    return opened


def notifier(
    settings: NotifySettings, draw: Callable[[Delivery], bytes | None] | None = None
) -> Notifier:
    """Slack by token, else by webhook, else standard output; beside it the JSON webhook and Apprise
    where they are configured. ``draw`` makes the PNG of a CHART row; None: no charts."""
    slack = settings.slack
    made: Notifier
    if slack is not None and slack.token is not None:
        made = adapter("slack")(slack, draw=draw)
    elif slack is not None and slack.webhook_url is not None:
        made = adapter("slack-webhook")(slack)
    else:
        made = adapter("stdout")(sys.stdout)
    hook = None if settings.webhook is None else adapter("webhook")(settings.webhook)
    teams = None if settings.apprise is None else adapter("apprise")(settings.apprise)
    if hook is not None or teams is not None:
        made = adapter("router")(made, webhook=hook, teams=teams)
    return made


def stuck_after(settings: NotifySettings) -> timedelta:
    """A row in sending for longer was left by a process that died: the longest time limit of the
    services, and a little more."""
    limits = [timedelta(seconds=10)]
    if settings.slack is not None:
        limits.append(settings.slack.timeout)
    if settings.webhook is not None:
        limits.append(settings.webhook.timeout)
    if settings.apprise is not None:
        limits.append(timedelta(seconds=30))
    return max(limits) + timedelta(seconds=5)


def keeper(house: House) -> CatalogKeeper:
    """A catalog for the daemon that follows its source."""
    settings = house.settings.contracts
    return CatalogKeeper(
        contract_source(house.loaded).load, (settings.source, *settings.include), house.catalog
    )
