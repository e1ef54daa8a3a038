"""The telling step, wired: open alerts become incidents, and incidents become rows of the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from eventwatch.alerting.conduct import conduct
from eventwatch.alerting.office import Office
from eventwatch.app.house import House
from eventwatch.model.alert import Alert, Delivery, Silence
from eventwatch.model.contract import Catalog
from eventwatch.model.incident import Board, Changes
from eventwatch.ports.notifier import Abilities, Notifier
from eventwatch.ports.store import Store


def office_of(house: House, abilities: Abilities, catalog: Catalog | None = None) -> Office:
    """What the step knows besides the state; ``catalog``: newer contracts than the house's."""
    known = house.catalog if catalog is None else catalog
    return Office(
        catalog=known,
        directory=house.directory(known),
        notify=house.settings.notify,
        exposures={exposure.name: exposure for exposure in house.settings.exposures},
        maintenance=house.settings.maintenance,
        abilities=abilities,
    )


def tell(house: House, opened: Store, speaker: Notifier, catalog: Catalog | None = None) -> Changes:
    """One telling step over all exposures, in one transaction of the state. Raises StoreError."""
    now = house.clock.now()
    office = office_of(house, speaker.abilities, catalog)
    return opened.tell(now, lambda board: conduct(board, office, now))


def preview(
    office: Office,
    now: datetime,
    alerts: Iterable[Alert],
    silences: tuple[Silence, ...] = (),
    board: Board | None = None,
) -> tuple[Delivery, ...]:
    """What a telling step would put into the outbox. ``alerts`` are those that an audit found, closed
    ones too; they stand over those of the ``board``, which is empty where nothing is remembered."""
    base = Board({}, (), (), silences) if board is None else board
    found = {alert.id: alert for alert in alerts}
    return conduct(replace(base, alerts={**base.alerts, **found}), office, now).deliveries
