"""Everything outside the data that can keep somebody from being told, looked at once.

Nothing is measured, made, mended or posted. Each area is looked at in a thread of its own and within a
time, so that one that hangs or breaks hides no other. What is found is one line each.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from eventwatch.alerting.routing import Directory
from eventwatch.app.adapters import adapter
from eventwatch.app.house import SystemClock, contract_source
from eventwatch.config.load import Loaded
from eventwatch.model.contract import Catalog
from eventwatch.model.counting import counted
from eventwatch.model.errors import EventwatchError, FaultsError
from eventwatch.model.settings import Exposure

LIMIT = timedelta(seconds=30)
"""For one area; Slack's lists may be long."""
LongestWait = Callable[[Exposure, datetime], timedelta]


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something about it is worth knowing."""
    FAIL = "fail"


class Area(StrEnum):
    """What is looked at, in the order in which it is shown."""

    CONFIG = "config"
    CONTRACTS = "contracts"
    ROUTING = "routing"
    EXPOSURES = "exposures"
    MESSAGES = "messages"
    STATE = "state"
    LIBRARIES = "libraries"
    CLOCK = "clock"


@dataclass(frozen=True)
class Finding:
    """One line of the answer. Texts are unescaped and may quote hostile names."""

    area: Area
    subject: str
    """What was looked at: a file, an exposure, a channel, a library."""
    level: Level
    said: str
    advice: str = ""
    """What to do; empty where there is nothing to do."""
    is_setting: bool = False
    """Of a FAIL: what a person wrote is wrong, and not the world."""


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found."""

    findings: tuple[Finding, ...]
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 nothing fails, 2 settings or contracts are wrong, 3 something else fails."""
        failed = [finding for finding in self.findings if finding.level is Level.FAIL]
        if any(finding.is_setting for finding in failed):
            return 2
        return 3 if failed else 0

    def count(self, level: Level) -> int:
        """How many findings are of a level."""
        return sum(finding.level is level for finding in self.findings)


@dataclass(frozen=True)
class Patient:
    """What all areas look at."""

    loaded: Loaded
    catalog: Catalog | None
    """None: the contracts cannot be read."""
    now: datetime
    longest_wait: LongestWait
    limit: timedelta

    @property
    def directory(self) -> Directory:
        """Teams as far as they are known."""
        settings = self.loaded.settings
        teams = {} if self.catalog is None else self.catalog.teams
        return Directory(teams, settings.teams, settings.notify.fallback_team)


Look = Callable[[Patient], Sequence[Finding]]


def doctor(
    config: Path,
    longest_wait: LongestWait,
    *,
    limit: timedelta = LIMIT,
    now: datetime | None = None,
) -> Diagnosis:
    """Looks at everything. ``longest_wait`` gives the time between two cycles by the schedule.
    Raises nothing that a person could mend: that is a finding."""
    from eventwatch.app.doctor_exposures import looks_at_exposures
    from eventwatch.app.doctor_libraries import libraries
    from eventwatch.app.doctor_messages import messages
    from eventwatch.app.doctor_settings import config_findings, routing
    from eventwatch.app.doctor_state import state

    began = time.monotonic()
    at = SystemClock().now() if now is None else now
    try:
        loaded: Loaded = adapter("config")(config, os.environ)
    except EventwatchError as error:
        said = "exposures, Slack and the state were not looked at: the config says where they are"
        rest = Finding(Area.CONFIG, "the rest", Level.WARNING, said, "mend the config first")
        found = [*_faults(Area.CONFIG, error), rest, *libraries(None)]
        return Diagnosis(_ordered(found), time.monotonic() - began)
    contracts, catalog = _contracts(loaded, limit)
    patient = Patient(loaded, catalog, at, longest_wait, limit)
    looks: list[tuple[Area, str, Look]] = [
        (Area.CONFIG, "config.yaml", config_findings),
        (Area.ROUTING, "owners", routing),
        *((Area.EXPOSURES, name, look) for name, look in looks_at_exposures(patient)),
        (Area.MESSAGES, "notify", messages),
        (Area.STATE, "state", state),
        (Area.LIBRARIES, "libraries", libraries),
    ]
    found = [*contracts, *_all(looks, patient)]
    return Diagnosis(_ordered(found), time.monotonic() - began)


def fault_findings(area: Area, error: FaultsError) -> tuple[Finding, ...]:
    """One finding per fault."""
    return tuple(
        Finding(
            area,
            fault.path if fault.line is None else f"{fault.path}:{fault.line}",
            Level.FAIL,
            f"{fault.key + ': ' if fault.key else ''}{fault.message}",
            is_setting=True,
        )
        for fault in error.faults
    )


def _faults(area: Area, error: EventwatchError) -> tuple[Finding, ...]:
    if isinstance(error, FaultsError):
        return fault_findings(area, error)
    return (Finding(area, area.value, Level.FAIL, str(error)),)


def _contracts(loaded: Loaded, limit: timedelta) -> tuple[list[Finding], Catalog | None]:
    """Before the rest, which needs to know the teams."""
    catalogs: list[Catalog] = []

    def look(_: object) -> Sequence[Finding]:
        try:
            catalog = contract_source(loaded).load()
        except EventwatchError as error:
            return _faults(Area.CONTRACTS, error)
        catalogs.append(catalog)
        return (
            Finding(
                Area.CONTRACTS,
                loaded.settings.contracts.source.name,
                Level.OK if catalog.contracts else Level.WARNING,
                f"{counted(len(catalog.contracts), 'event type')} declared, "
                f"{counted(len(catalog.teams), 'team')}",
                "" if catalog.contracts else "declare the event types: docs/contracts.md",
            ),
        )

    run = _Run((Area.CONTRACTS, "contracts", look), None)
    return list(run.wait(limit)), (catalogs[0] if catalogs else None)


def _all(looks: Sequence[tuple[Area, str, Look]], patient: Patient) -> list[Finding]:
    runs = [_Run(look, patient) for look in looks]
    ends = time.monotonic() + patient.limit.total_seconds()
    return [
        finding
        for run in runs
        for finding in run.wait(timedelta(seconds=max(ends - time.monotonic(), 0.0)))
    ]


@dataclass
class _Run:
    """One look in a thread that nobody waits for at the end of the process."""

    look: tuple[Area, str, Callable[..., Sequence[Finding]]]
    patient: Patient | None
    found: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def wait(self, limit: timedelta) -> tuple[Finding, ...]:
        self._thread.join(limit.total_seconds())
        area, subject, _ = self.look
        if self._thread.is_alive():
            seconds = round(time.monotonic() - self._began)
            said = f"no answer within {seconds} s; what it looks at hangs or is very slow"
            return (Finding(area, subject, Level.FAIL, said),)
        return tuple(self.found)

    def _do(self) -> None:
        area, subject, look = self.look
        try:
            self.found.extend(look(self.patient))
        except EventwatchError as error:
            self.found.extend(_faults(area, error))
        except Exception as error:
            # The broad one: a defect in one look must not hide the others.
            said = (
                f"could not be looked at ({type(error).__name__}); this is a defect of eventwatch"
            )
            self.found.append(Finding(area, subject, Level.FAIL, said))


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    areas = list(Area)
    shown = [replace(each, said=" ".join(each.said.split())) for each in findings]
    return tuple(sorted(shown, key=lambda finding: areas.index(finding.area)))
