"""What every Store does with what people said of incidents."""

from __future__ import annotations

from datetime import timedelta

from eventwatch.model.alert import AlertState
from eventwatch.model.label import Label, Opinion
from eventwatch.store.sql import SqlStore
from tests.store.samples import MINUTE, NASTY, NOW, alert, record


def label(label_id: str = "l1", **changes: object) -> Label:
    """With every field set."""
    fields: dict[str, object] = {
        "id": label_id,
        "exposure": "events",
        "event_type": NASTY,
        "opinion": Opinion.NOT_A_PROBLEM,
        "starts_at": NOW - timedelta(hours=2),
        "ends_at": NOW - timedelta(hours=1),
        "reason": NASTY,
        "author": NASTY,
        "given_at": NOW,
        "fingerprint": "0123456789abcdef0123456789abcdef",
        "dimension": "platform",
        "value": NASTY,
    }
    return Label(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_label_comes_back_as_it_went_in_with_the_exposures_state(store: SqlStore) -> None:
    whole = label("l2", event_type=None, dimension="", value="", fingerprint="")
    for each in (label(), whole):
        store.add_label(each)
        store.add_label(each)
    assert set(store.exposure_state("events", NOW).labels) == {label(), whole}
    assert store.exposure_state("other", NOW).labels == ()


def test_labels_of_all_exposures_are_listed_newest_first(store: SqlStore) -> None:
    one, two = label("a"), label("b", exposure=NASTY, given_at=NOW + MINUTE)
    store.add_label(one)
    store.add_label(two)
    assert store.labels(NOW + MINUTE) == (two, one)


def test_before_it_was_given_nobody_knows_it(store: SqlStore) -> None:
    store.add_label(label())
    assert store.labels(NOW - MINUTE) == ()
    assert store.exposure_state("events", NOW - MINUTE).labels == ()


def test_a_label_that_was_withdrawn_counted_until_then(store: SqlStore) -> None:
    store.add_label(label())
    assert store.withdraw_label("l1", NOW + 2 * MINUTE)
    assert not store.withdraw_label("l1", NOW + 3 * MINUTE)
    assert not store.withdraw_label("l9", NOW + 3 * MINUTE)
    assert [each.id for each in store.labels(NOW + MINUTE)] == ["l1"]
    assert store.labels(NOW + 2 * MINUTE) == ()


def test_only_labels_that_were_withdrawn_long_ago_are_forgotten(store: SqlStore) -> None:
    old = NOW - timedelta(days=900)
    store.add_label(label("kept", given_at=old))
    store.add_label(label("gone", given_at=old))
    store.withdraw_label("gone", old + MINUTE)
    store.commit_cycle(record())
    assert [each.id for each in store.labels(NOW)] == ["kept"]
    assert [each.id for each in store.labels(old)] == ["kept"]


def test_an_alert_is_found_by_how_its_id_or_fingerprint_begins(store: SqlStore) -> None:
    store.commit_cycle(record())
    (one,) = store.alerts_like("a1")
    assert one == alert()
    assert store.alerts_like(alert().fingerprint[:8]) == (alert(),)
    assert store.alerts_like("%") == ()
    assert store.alerts_like("_") == ()
    over = alert(state=AlertState.RESOLVED, ended_at=NOW, end_reason="back to normal")
    again = alert("a2", started_at=NOW + MINUTE, seen_at=NOW + MINUTE)
    store.commit_cycle(record(run_id="r2", alerts=(over, again), deliveries=()))
    assert [a.id for a in store.alerts_like(alert().fingerprint[:8])] == ["a2", "a1"]
    assert len(store.alerts_like(alert().fingerprint[:8], limit=1)) == 1
