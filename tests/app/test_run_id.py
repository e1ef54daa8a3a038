"""Every line that is logged in a run says of which run and of which exposure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.contextvars import get_contextvars

from eventwatch import app
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import Workplace, audit, run_cycle
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def house(shop: Project) -> House:
    return replace(app.load(shop.folder / "config.yaml"), clock=FakeClock(NOW))


class Heard:
    """What a log line would carry at the moments when the warehouse tells its progress."""

    def __init__(self) -> None:
        self.bound: list[dict[str, object]] = []

    def __call__(self, *_: object) -> None:
        self.bound.append(get_contextvars())


def test_an_audit_is_named_in_every_exposure_it_looks_at(house: House) -> None:
    heard = Heard()
    report = audit(house, RunOptions(progress=heard))
    wanted = {"run_id": report.run_id, "exposure": "events"}
    assert heard.bound
    assert all(bound == wanted for bound in heard.bound)


@pytest.fixture
def place(house: House) -> Iterator[Workplace]:
    store = app.store(house)
    yield Workplace(house, store, app.adapter("history")(house.settings.history), house.catalog)
    store.close()


def test_a_cycle_is_named_until_it_ends_and_no_longer(house: House, place: Workplace) -> None:
    heard = Heard()

    def given_up() -> bool:
        heard()
        return False

    exposure = house.settings.exposures[0]
    options = RunOptions(progress=heard)
    assert not run_cycle(replace(place, given_up=given_up), exposure, options, "r1").error
    assert len(heard.bound) > 1
    assert all(bound == {"run_id": "r1", "exposure": "events"} for bound in heard.bound)
    assert get_contextvars() == {}
