"""Everything that can be wrong before a run: config, checks, contracts and the exposures' columns."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from eventwatch.app.adapters import adapter
from eventwatch.app.house import contract_source
from eventwatch.config.load import Loaded
from eventwatch.model.errors import (
    ConfigError,
    ContractError,
    ExposureInvalid,
    Fault,
    WarehouseError,
)
from eventwatch.ports.warehouse import Warehouse


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
        warnings.extend(adapter("cross_warnings")(loaded, catalog))
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
        faults.extend(loaded.located(each) for each in found)
        if not found:
            fine.append(exposure.name)
    return Validation(
        tuple(sorted(set(faults), key=_fault_order)),
        tuple(warnings),
        tuple(fine),
        tuple(unreachable),
    )


def _fault_order(fault: Fault) -> tuple[str, int, str]:
    return fault.path, fault.line or 0, fault.message
