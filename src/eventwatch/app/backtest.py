"""Backtests: which exposures, which checks, read once, replayed, compared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from eventwatch.app.adapters import adapter
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import holidays_of
from eventwatch.backtest.compare import Comparison, Sides, compare
from eventwatch.backtest.follow import Setting
from eventwatch.backtest.incident import Incident, Replay
from eventwatch.backtest.page import Charts
from eventwatch.backtest.past import Scene
from eventwatch.backtest.picture import Picture, picture
from eventwatch.backtest.recording import Recording, plan_recording, record
from eventwatch.backtest.replay import Job, replay
from eventwatch.backtest.report import Backtest, ExposureBacktest
from eventwatch.backtest.span import Span
from eventwatch.kinds.definition import Check, rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.alert import Silence
from eventwatch.model.errors import ConfigError, Fault, StoreError, WarehouseError, path_text
from eventwatch.model.holiday import Holiday
from eventwatch.model.label import Label
from eventwatch.model.settings import Exposure
from eventwatch.model.status import KindName
from eventwatch.ports.history import History
from eventwatch.ports.store import StateReader

PATIENCE = 10
"""Times the exposure's query timeout: one statement reads what a daemon reads in thousands."""


@dataclass(frozen=True)
class BacktestOptions:
    """What a person asked of one backtest."""

    run: RunOptions
    """``at`` and ``preview`` mean nothing here."""
    span: Span
    against: Path | None = None
    """Folder or file of the checks to hold those of the config against."""
    jobs: int = 1
    pictures: bool = False
    """Whether the counts around each incident are wanted."""


def backtest(house: House, options: BacktestOptions) -> Backtest:
    """Replays each exposure. Raises ConfigError with everything wrong with what was asked for."""
    began = time.monotonic()
    other = _other_checks(house, options)
    sets = (tuple(house.loaded.checks), *(() if other is None else (other,)))
    exposures = tuple(_one(house, options, e, sets) for e in house.chosen(options.run))
    return Backtest(
        span=options.span,
        exposures=exposures,
        budgets=_budgets(house, sets[-1]),
        against="" if options.against is None else path_text(options.against),
        elapsed_seconds=time.monotonic() - began,
    )


def page_charts() -> Charts | None:
    """Who draws the charts of a page; None where the extra ``charts`` is not installed: the page then
    has plain drawings."""
    try:
        adapter("charts_ready")()
    except ConfigError:
        return None
    return Charts(adapter("chart_inline"), adapter("chart_dark")(".chart"))


def _other_checks(house: House, options: BacktestOptions) -> tuple[Check, ...] | None:
    """The other checks; every fault of them and of the exposures at once."""
    faults: list[Fault] = []
    checks: tuple[Check, ...] | None = None
    for exposure in house.chosen(options.run):
        if not exposure.has_load_time:
            path, _, line = exposure.location.rpartition(":")
            message = (
                "has no load time (columns.loaded_at), so nobody can say what was to be seen when; "
                "choose others with --exposure"
            )
            number = int(line) if line.isdigit() else None
            faults.append(Fault(path or house.loaded.file, number, message, exposure.name))
    if options.against is not None:
        shown = path_text(options.against)
        if not options.against.exists():
            faults.append(Fault(shown, None, "there is no such file or folder of checks"))
        else:
            reader = adapter("checks" if options.against.is_dir() else "check_file")
            checks, wrong = reader(options.against.absolute(), house.settings.path.parent)
            faults.extend(wrong)
            if not wrong and not checks and options.against.is_dir():
                files = any(options.against.rglob("*.y*ml"))
                if not files and any(options.against.iterdir()):
                    faults.append(Fault(shown, None, "holds no .yaml file of checks"))
    if faults:
        raise ConfigError(faults)
    return checks


def _one(
    house: House,
    options: BacktestOptions,
    exposure: Exposure,
    sets: tuple[tuple[Check, ...], ...],
) -> ExposureBacktest:
    progress = options.run.progress or _quiet
    span = options.span
    try:
        progress(float("nan"), f"reading {exposure.name}")
        recording = _recorded(house, options, exposure, sets)
    except (WarehouseError, StoreError) as error:
        return ExposureBacktest(exposure.name, error=str(error))
    loaded = recording.loaded_span
    if loaded is None or loaded[1] < span.first_at or loaded[0] > span.last_at:
        return ExposureBacktest(exposure.name, error=_outside(span, loaded), loaded=loaded)
    silences, labels = _said_by_people(house, exposure, span)
    scene = Scene(
        exposure=exposure,
        catalog=house.catalog,
        first_at=span.first_at,
        holidays=_holidays(exposure, span),
        labels=labels,
    )
    setting = Setting(
        scene=scene,
        directory=house.directory(),
        notify=house.settings.notify,
        silences=silences,
        restriction=options.run.restriction,
    )

    def watched(done: int) -> None:
        progress(done / span.cycle_count, f"replaying {exposure.name}")

    replays = replay(Job(setting, sets, span, options.jobs), recording, watched)
    found = _found(options, recording, replays, Sides(sets[0], sets[-1], house.catalog))
    return replace(found, zone=exposure.time_zone.key)


def _quiet(share: float, word: str) -> None:
    """Nobody watches."""


def _recorded(
    house: House,
    options: BacktestOptions,
    exposure: Exposure,
    sets: Sequence[Sequence[Check]],
) -> Recording:
    request = plan_recording(
        exposure, options.span, _duplicates_over(house, options, exposure, sets)
    )
    patient = replace(exposure, query_timeout=exposure.query_timeout * PATIENCE)
    scan = house.warehouse.scan(patient, request, options.run.progress)
    history: History = adapter("memory")()
    history.replace(exposure.name, scan)
    capped, rows, missing = scan.capped, scan.rows, scan.null_loaded
    del scan
    made = record(history, exposure.name, exposure, request)
    return replace(made, rows_read=rows, null_loaded=missing, capped=capped)


def _found(
    options: BacktestOptions, recording: Recording, replays: tuple[Replay, ...], sides: Sides
) -> ExposureBacktest:
    now = replays[0]
    other = replays[1] if len(replays) > 1 else None
    last_at = options.span.last_at
    comparison: Comparison | None = None
    shown: list[Incident] = list(now.incidents)
    if other is not None:
        comparison = compare(now.incidents, other.incidents, sides, last_at)
        shown += other.incidents
    pictures: dict[str, Picture] = {}
    for incident in shown if options.pictures else ():
        made = None if incident.id in pictures else picture(recording, incident, last_at)
        if made is not None:
            pictures[incident.id] = made
    return ExposureBacktest(
        name=now.exposure,
        now=now,
        other=other,
        comparison=comparison,
        rows_read=recording.rows_read,
        loaded=recording.loaded_span,
        pictures=pictures,
        notes=tuple(_notes(recording, options.span)),
    )


def _notes(recording: Recording, span: Span) -> list[str]:
    said = []
    loaded = recording.loaded_span
    if loaded is not None and loaded[0] > span.first_at:
        said.append(
            f"nothing is known of loads before {loaded[0]:%Y-%m-%d %H:%M} UTC: the first days were "
            "judged while learning"
        )
    if recording.null_loaded:
        said.append(f"rows without a load time, in no count: {recording.null_loaded:,}")
    said.extend(
        f"{dimension} has more values than are followed; which ones was chosen over the whole span"
        for dimension in recording.capped
    )
    return said


def _outside(span: Span, loaded: tuple[datetime, datetime] | None) -> str:
    asked = f"{span.first_at:%Y-%m-%d %H:%M} to {span.last_at:%Y-%m-%d %H:%M} UTC"
    if loaded is None:
        return f"nothing was loaded in the look-back before or during {asked}"
    return f"nothing was loaded during {asked}; the last load before is of {loaded[1]:%Y-%m-%d %H:%M} UTC"


def _said_by_people(
    house: House, exposure: Exposure, span: Span
) -> tuple[tuple[Silence, ...], tuple[Label, ...]]:
    """What people muted and what they said of incidents, as far as the store still knows it."""
    reader: StateReader | None = adapter("reader")(house.settings.state)
    if reader is None:
        return (), ()
    try:
        silences = reader.exposure_state(exposure.name, span.first_at).silences
        return silences, reader.exposure_state(exposure.name, span.last_at).labels
    finally:
        reader.close()


def _holidays(exposure: Exposure, span: Span) -> tuple[Holiday, ...]:
    """All that any cycle of the span is given."""
    long = replace(exposure, look_back=exposure.look_back + (span.last_at - span.first_at))
    return holidays_of(long, span.last_at)


def _duplicates_over(
    house: House,
    options: BacktestOptions,
    exposure: Exposure,
    sets: Sequence[Sequence[Check]],
) -> timedelta | None:
    """How far apart repeated ids may be; None: they are not asked for."""
    name = KindName.DUPLICATES
    if exposure.columns.event_id is None or not options.run.restriction.wants_kind(name):
        return None
    defaults = KINDS[name].defaults
    rules = [rules_for(defaults, checks, exposure.name, house.catalog) for checks in sets]
    definitions = [defaults, *(d for r in rules for d in r.definitions)]
    return min(max(getattr(d, "over", timedelta(0)) for d in definitions), timedelta(days=7))


def _budgets(house: House, checks: Sequence[Check]) -> Mapping[str, float]:
    """False alerts a week that each team's volume checks are set to; empty string: anybody else's."""
    found: dict[str, float] = {}
    field = "false_alerts_per_team_and_week"
    for exposure in house.settings.exposures:
        rules = rules_for(KINDS[KindName.VOLUME].defaults, checks, exposure.name, house.catalog)
        found[""] = max(found.get("", 0.0), float(getattr(rules.for_exposure(), field)))
        names = [c.event_type for c in house.catalog.declared_in(exposure.name)]
        for name, check in rules.each(names):
            contract = house.catalog.of(name)
            team = "" if contract is None else contract.owner.team
            found[team] = max(found.get(team, 0.0), float(getattr(check, field)))
    return found
