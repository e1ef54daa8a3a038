"""A suppression of the contract leaves a row that says why nobody was told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from eventwatch.alerting.route import Route
from eventwatch.model.alert import DeliveryState
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.pipeline.report import Disposition, Finding
from eventwatch.pipeline.withheld import withheld
from eventwatch.store.sql import open_store
from tests.alerting.builders import NOW, result

ROUTE = Route("growth", "#growth")
REASON = "switched off in the contract until 2026-12-01: <!here> the app is rebuilt"


def finding(disposition: Disposition = Disposition.SUPPRESSED, name: str = "a") -> Finding:
    return Finding(result(name, summary="<!channel> silent"), ROUTE, disposition, reason=REASON)


def test_only_what_is_suppressed_is_a_row_with_its_reason() -> None:
    (row,) = withheld([finding(), finding(Disposition.FIRING, "b")], NOW)
    assert row.state is DeliveryState.WITHHELD
    assert (row.channel, row.team) == ("#growth", "growth")
    assert "switched off in the contract" in row.last_error
    assert "<!" not in row.message.text


def test_a_suppression_of_months_is_one_row(tmp_path: Path) -> None:
    store = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    for day in range(3):
        now = NOW + timedelta(days=day)
        rows = withheld([finding(), finding(name="b")], now)
        record = CycleRecord("events", f"run {day}", now, None, now, None, {}, (), rows)
        store.commit_cycle(record)
    assert len(store.deliveries()) == 2
    assert store.claim_deliveries(NOW + timedelta(days=9), 10) == ()
    store.close()
