"""The contracts of the marketplace, the rows that come and the stated list agree with each other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.demo import incidents
from eventwatch.demo.streams import STREAMS
from eventwatch.model.contract import Catalog, LifecycleState
from eventwatch.model.settings import ContractSettings

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 12, 9, 41, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return ProtobufSource(ContractSettings(source=ROOT / "contracts")).load()


def test_every_event_type_that_comes_is_declared_and_active(catalog: Catalog) -> None:
    active = {c.event_type for c in catalog.contracts.values() if c.state is LifecycleState.ACTIVE}
    assert active == {s.event_type for s in STREAMS} | {incidents.NEVER_CAME}


def test_what_is_planted_as_drift_is_what_the_contracts_say(catalog: Catalog) -> None:
    assert catalog.of(incidents.UNDECLARED.event_type) is None
    assert catalog.of(incidents.MISSPELLED.event_type) is None
    retired, draft = (catalog.of(s.event_type) for s in (incidents.RETIRED, incidents.DRAFT))
    assert retired is not None
    assert retired.state is LifecycleState.RETIRED
    assert draft is not None
    assert draft.state is LifecycleState.DRAFT


def test_the_owner_of_an_incident_is_the_owner_of_the_contract(catalog: Catalog) -> None:
    for each in incidents.planted(NOW):
        contract = catalog.of(each.event_type)
        owner = incidents.FALLBACK if contract is None else contract.owner.team
        assert each.owner == owner, each


def test_the_contracts_name_the_platforms_that_come(catalog: Catalog) -> None:
    for stream in (*STREAMS, incidents.RETIRED, incidents.DRAFT):
        contract = catalog.of(stream.event_type)
        assert contract is not None
        assert contract.expected_values == {"platform": stream.platforms}, stream.event_type


def test_every_team_has_a_channel_and_a_group(catalog: Catalog) -> None:
    assert {c.owner.team for c in catalog.contracts.values()} <= set(catalog.teams)
    assert all(t.slack_channel and t.slack_group_id for t in catalog.teams.values())


def test_the_contracts_promise_what_the_incidents_break(catalog: Catalog) -> None:
    late, silent = catalog.of(incidents.LATE), catalog.of(incidents.SILENT)
    assert late is not None
    assert late.max_lag is not None
    assert silent is not None
    assert silent.max_gap is not None
    assert NOW - incidents.starts(NOW).silent > silent.max_gap
