"""Ten thousand alerts in one cycle: what forty owners get, and how it reaches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.alerting.conduct import conduct
from eventwatch.alerting.office import Office
from eventwatch.alerting.routing import Directory
from eventwatch.model.alert import Action, Alert, DeliveryState, Verdict
from eventwatch.model.contract import Owner, Team
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.pipeline.deliver import Delivering, deliver
from eventwatch.ports.store import Store
from eventwatch.store.sql import open_store
from tests.alerting.builders import EXPOSURE, NOTIFY, NOW, alert, catalog, contract, result
from tests.fakes.clock import FakeClock
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack import Channel, FakeSlack
from tests.notifiers.builders import by_token

ALERTS, OWNERS = 10_000, 40
TEAMS = {f"team-{i}": Team(f"team-{i}", f"#team-{i}") for i in range(OWNERS)}


def owner_of(place: int) -> str:
    return f"team-{place % OWNERS}"


@pytest.fixture(scope="module")
def storm() -> tuple[tuple[Alert, ...], Office]:
    """Some of the event types have names that are an attack; all are declared."""
    names = [*(n for n in dict.fromkeys(HOSTILE) if n), *(f"event_{i}" for i in range(ALERTS))]
    names = names[:ALERTS]
    contracts = [
        contract(name, owner=Owner(owner_of(i)), description=name) for i, name in enumerate(names)
    ]
    alerts = tuple(alert(result(name, summary=name)) for name in names)
    known = replace(catalog(*contracts), teams=TEAMS)
    office = Office(
        known,
        Directory(TEAMS, {}, "team-0"),
        replace(NOTIFY, fallback_team="team-0"),
        {EXPOSURE.name: EXPOSURE},
    )
    return alerts, office


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened: Store = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def test_every_owner_gets_one_message_of_a_size_that_slack_takes(
    storm: tuple[tuple[Alert, ...], Office], store: Store
) -> None:
    alerts, office = storm
    clock = FakeClock(NOW)
    store.commit_cycle(
        CycleRecord(
            exposure=EXPOSURE.name,
            run_id="storm",
            now=NOW,
            lease=None,
            watermark=NOW,
            recounted_on=None,
            ledger={},
            alerts=alerts,
            deliveries=(),
        )
    )
    with FakeSlack().running() as slack:
        slack.channels = [Channel(f"C0TEAM{i:04d}", name) for i, name in enumerate(TEAMS)]
        slack.channel_page = 999
        speaker = by_token(slack)
        here = replace(office, abilities=speaker.abilities)
        changes = store.tell(NOW, lambda board: conduct(board, here, NOW))
        posts = [
            d
            for d in changes.deliveries
            if d.action is Action.POST and d.state is not DeliveryState.WITHHELD
        ]
        assert len(changes.incidents) == ALERTS
        assert Counter(post.channel for post in posts) == {
            t.slack_channel: 1 for t in TEAMS.values()
        }
        for post in posts:
            assert len(post.incident_ids) == ALERTS // OWNERS
            assert f"more. Show them: eventwatch incidents list --team {post.team}" in (
                post.message.plain
            )
        work = Delivering(store, speaker, clock, lambda *_: None, timedelta(seconds=15))
        outcomes = deliver(work)
        said = [o for d, o in outcomes if d.action is Action.POST]
        assert [o.verdict for o in said] == [Verdict.SENT] * OWNERS, said[:3]
        assert len(slack.messages) == OWNERS
    again = store.tell(NOW, lambda board: conduct(board, here, NOW))
    assert not again.deliveries
