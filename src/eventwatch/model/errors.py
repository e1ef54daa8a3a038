"""The error tree.

EventwatchError
├── ConfigError        config.yaml or checks/ are wrong; carries every fault found
├── ContractError      contracts are wrong or unreadable; carries every fault found
├── WarehouseError     an exposure could not be measured
│   ├── ExposureBusy       somebody else holds it (a lock, a file being replaced); try again
│   ├── ExposureTimeout    the time limit of the query passed and it was cancelled
│   └── ExposureInvalid    it is not what the config says (no table, no column, wrong type)
├── StoreError         state or history could not be read or written
│   ├── LeaseHeld          another process has the right to do this
│   └── StateOwned         another daemon runs on the same state
└── DeliveryError      a message could not be made or handed over

Each of them is about us, never about the watched data: what is wrong with the data is a Result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong in what a person wrote: where it stands and what to do about it."""

    path: str
    """File as the user named it, or the name of the source when there is no file."""
    line: int | None
    """1-based; None where the fault is about the file as a whole."""
    message: str
    """What is wrong and what to do, in one or two sentences. Unescaped; may quote hostile text."""
    key: str = ""
    """Path of the setting inside the file, e.g. ``exposures.analytics_events.columns``; or empty."""

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.key + ': ' if self.key else ''}{self.message}"


class EventwatchError(Exception):
    """Root of everything that eventwatch raises on purpose."""


class FaultsError(EventwatchError):
    """An error that carries every fault of the sources that were read, not only the first."""

    def __init__(self, faults: tuple[Fault, ...] | list[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ConfigError(FaultsError):
    """config.yaml or a file in checks/ is wrong."""


class ContractError(FaultsError):
    """Contracts are wrong or cannot be read."""


class WarehouseError(EventwatchError):
    """An exposure could not be measured. The message says why and what to do; never a secret."""


class ExposureBusy(WarehouseError):  # noqa: N818 - a state of the world, named as one
    """Somebody else holds the exposure; trying again later may do."""


class ExposureTimeout(WarehouseError):  # noqa: N818
    """The time limit passed; the query was cancelled."""


class ExposureInvalid(WarehouseError):  # noqa: N818
    """The exposure is not what the config says; ``faults`` lists every difference."""

    def __init__(self, faults: tuple[Fault, ...] | list[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class StoreError(EventwatchError):
    """State or history could not be read or written."""


class LeaseHeld(StoreError):  # noqa: N818
    """Another process has the right to run this cycle; ``holder`` names it."""

    def __init__(self, name: str, holder: str) -> None:
        self.name, self.holder = name, holder
        super().__init__(f"{name} is being run by {holder}")


class StateOwned(StoreError):  # noqa: N818
    """Another daemon runs on the same state; ``owner`` names it."""

    def __init__(self, place: str, owner: str) -> None:
        self.owner = owner
        super().__init__(
            f"state {place}: it is owned by {owner}, a daemon that is running. Stop that one first, "
            "or give this one a state of its own"
        )


class DeliveryError(EventwatchError):
    """A message could not be made or handed over."""


def path_text(path: Path | str) -> str:
    """The path as people write it: relative to the working directory when it lies below it."""
    path = Path(path)
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)
