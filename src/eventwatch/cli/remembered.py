"""The state, for commands about something that must be in it already: they never begin one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventwatch.app import House
    from eventwatch.ports.store import StateReader, Store


def must_exist(house: House, reader: StateReader | None) -> StateReader:
    """Raises Unclear where there is no state yet."""
    from eventwatch.app.feedback import Unclear

    if reader is None:
        raise Unclear(
            "nothing is remembered yet: `eventwatch run` and `eventwatch run-once --send` keep incidents "
            f"in the state that {house.loaded.file} names"
        )
    return reader


def opened(house: House) -> Store:
    """For writing. Raises Unclear where there is no state yet."""
    from eventwatch import app as wiring

    must_exist(house, wiring.reader(house)).close()
    return wiring.store(house)
