"""Where contracts come from."""

from __future__ import annotations

from typing import Protocol

from eventwatch.model.contract import Catalog


class ContractSource(Protocol):
    """Reads contracts."""

    def load(self) -> Catalog:
        """Everything the source says.

        Raises ContractError with every fault of every file.
        """
        ...
