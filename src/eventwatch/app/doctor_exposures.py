"""Whether each exposure can be reached and is what the config says. No rows are read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Finding, Level, Look, Patient
from eventwatch.model.counting import counted
from eventwatch.model.errors import ExposureBusy, ExposureInvalid, WarehouseError
from eventwatch.model.settings import Exposure
from eventwatch.ports.warehouse import Warehouse

_BRIEFLY = timedelta(seconds=15)
"""Longest wait for one exposure: a person is waiting too."""
SLOW = timedelta(seconds=5)


def looks_at_exposures(patient: Patient) -> list[tuple[str, Look]]:
    """One look per exposure, under its name."""
    warehouse: Warehouse = adapter("warehouse")()

    def look_at(exposure: Exposure) -> Look:
        return lambda patient: _look(warehouse, exposure, patient)

    return [(exposure.name, look_at(exposure)) for exposure in patient.loaded.settings.exposures]


def _look(warehouse: Warehouse, exposure: Exposure, patient: Patient) -> Sequence[Finding]:
    brief = replace(
        exposure,
        query_timeout=min(exposure.query_timeout, _BRIEFLY),
        lock_wait=min(exposure.lock_wait, timedelta(seconds=5)),
    )
    began = time.monotonic()

    def found(level: Level, said: str, advice: str = "", *, is_setting: bool = False) -> Finding:
        return Finding(Area.EXPOSURES, exposure.name, level, said, advice, is_setting)

    try:
        faults = warehouse.verify(brief)
    except ExposureInvalid as error:
        faults = error.faults
    except ExposureBusy as error:
        said = _short(error, exposure)
        return (found(Level.WARNING, said, "a cycle waits longer; look again in a minute"),)
    except WarehouseError as error:
        return (found(Level.FAIL, f"cannot be reached: {_short(error, exposure)}"),)
    if faults:
        return tuple(
            found(Level.FAIL, str(replace(patient.loaded.located(each))), is_setting=True)
            for each in faults
        )
    took = timedelta(seconds=time.monotonic() - began)
    columns = exposure.columns
    has = counted(4 - [columns.loaded_at, columns.event_id].count(None), "column")
    if not exposure.has_load_time:
        return (
            found(
                Level.WARNING,
                "reached, but it has no load time: how late rows are and how complete an hour is "
                "cannot be known",
                f"add a column that says when a row arrived, and name it in exposures."
                f"{exposure.name}.columns.loaded_at",
            ),
        )
    if columns.event_id is None:
        return (
            found(
                Level.WARNING,
                "reached, columns and load time are as the config says; without event_id "
                "duplicates are not checked",
                f"name it in exposures.{exposure.name}.columns.event_id",
            ),
        )
    if took > SLOW:
        said = f"reached, but it took {took.total_seconds():.0f} s to tell its columns"
        return (found(Level.WARNING, said, "look at the load of the engine"),)
    return (found(Level.OK, f"reached; its {has} and its load time are as the config says"),)


def _short(error: WarehouseError, exposure: Exposure) -> str:
    return " ".join(str(error).removeprefix(f"{exposure.name}: ").split())[:400]
