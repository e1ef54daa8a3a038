"""What every Store does with live messages and what waits for them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from eventwatch.model.alert import Action, Delivery, DeliveryState, Outcome, Verdict
from eventwatch.model.incident import Changes, Post
from eventwatch.store.settling import UNNAMED
from eventwatch.store.sql import SqlStore
from tests.store.incident_samples import post, said, tell
from tests.store.samples import MINUTE, NASTY, NOW, delivery

POST, UPDATE, REPLY, CHART = Action.POST, Action.UPDATE, Action.REPLY, Action.CHART
ACCEPTED = Outcome(Verdict.SENT, reference="C1:17.1")
REFUSED = Outcome(Verdict.REFUSED, "channel_not_found")


def put(store: SqlStore, *rows: Delivery, posts: tuple[Post, ...] = (), at: datetime = NOW) -> None:
    store.tell(at, lambda _: Changes(posts=posts, deliveries=rows))


def take(store: SqlStore, at: datetime = NOW) -> Delivery:
    """The one row that can be said now."""
    (one,) = store.claim_deliveries(at, 9)
    return one


def states(store: SqlStore) -> dict[str, str]:
    return {d.key: d.state.value for d in store.deliveries()}


def the_post(store: SqlStore) -> Post:
    (one,) = store.posts_of("1ca5e0000001")
    return one


def row(store: SqlStore, key: str) -> Delivery:
    (one,) = (d for d in store.deliveries() if d.key == key)
    return one


class TestWaiting:
    @pytest.mark.parametrize("action", [UPDATE, REPLY, CHART])
    def test_what_belongs_to_a_post_waits_for_its_acceptance(
        self, store: SqlStore, action: Action
    ) -> None:
        put(store, said("after", action), posts=(post(),))
        assert store.claim_deliveries(NOW, 9) == ()
        put(store, said("post", created_at=NOW + MINUTE))
        one = take(store, NOW + MINUTE)
        assert (one.key, one.parent) == ("post", "")
        store.settle_delivery(one, ACCEPTED, NOW)
        assert the_post(store) == post(reference="C1:17.1")
        after = take(store, NOW + MINUTE)
        assert (after.key, after.parent) == ("after", "C1:17.1")
        assert store.stuck_deliveries(NOW + 2 * MINUTE) == (after,)

    def test_it_holds_up_nothing_else_of_its_channel(self, store: SqlStore) -> None:
        put(store, said("reply", REPLY), delivery("other"), posts=(post(),))
        assert take(store).key == "other"

    def test_a_chart_waits_for_every_text_of_its_channel(self, store: SqlStore) -> None:
        put(store, said("chart", CHART), posts=(post(reference="C1:1"),))
        put(store, delivery("text", created_at=NOW + MINUTE))
        first = take(store, NOW + MINUTE)
        assert first.key == "text"
        store.settle_delivery(first, ACCEPTED, NOW)
        assert take(store, NOW + MINUTE).key == "chart"

    def test_a_row_that_says_itself_where_it_belongs_needs_no_post(self, store: SqlStore) -> None:
        put(store, said("reply", REPLY, post_id="", parent="C1:1"))
        assert take(store).parent == "C1:1"

    def test_replies_of_a_thread_keep_their_order_while_one_rests(self, store: SqlStore) -> None:
        put(store, said("post"), said("1", REPLY), said("2", REPLY), posts=(post(),))
        other = post("p2", reference="C1:5")
        put(store, said("other", REPLY, post_id="p2", created_at=NOW + MINUTE), posts=(other,))
        store.settle_delivery(take(store), ACCEPTED, NOW)
        later = NOW + 5 * MINUTE
        store.settle_delivery(take(store), Outcome(Verdict.RETRY, "busy", retry_at=later), NOW)
        assert take(store, NOW + MINUTE).key == "other"
        store.settle_delivery(row(store, "other"), ACCEPTED, NOW)
        assert store.claim_deliveries(later - MINUTE, 9) == ()
        assert take(store, later).key == "1"

    def test_a_service_that_names_nothing_lets_the_rest_go_on(self, store: SqlStore) -> None:
        put(store, said("post"), said("reply", REPLY), posts=(post(),))
        store.settle_delivery(take(store), Outcome(Verdict.SENT), NOW)
        assert take(store).parent == UNNAMED

    def test_what_belongs_to_no_known_post_ends(self, store: SqlStore) -> None:
        put(store, said("reply", REPLY, post_id="gone"), said("chart", CHART, post_id=""))
        put(store, delivery("other", created_at=NOW + MINUTE))
        other = take(store, NOW + MINUTE)
        assert other.key == "other"
        store.settle_delivery(other, ACCEPTED, NOW)
        assert store.claim_deliveries(NOW, 9) == ()
        assert states(store) == {"reply": "dead", "chart": "dead", "other": "sent"}
        assert "not known" in row(store, "reply").last_error


class TestEdits:
    def test_a_newer_edit_takes_the_place_of_one_that_waits(self, store: SqlStore) -> None:
        put(store, posts=(post(reference="C1:1"), post("p2", reference="C1:2")))
        put(store, said("1", UPDATE, incident_ids=("i1",)), said("x", UPDATE, post_id="p2"))
        first = row(store, "1")
        newer = said("2", UPDATE, created_at=NOW + MINUTE, incident_ids=("i2",), alert_ids=("a9",))
        put(store, newer)
        assert set(states(store)) == {"2", "x"}
        # It has the content of the newer one and the turn of the older.
        assert row(store, "2") == replace(
            first, key="2", incident_ids=("i2",), alert_ids=("a9",), message=newer.message
        )
        assert store.deliveries_of("i1") == ()
        assert [d.key for d in store.deliveries_of("i2")] == ["2"]
        put(store, said("1", UPDATE, created_at=NOW + 2 * MINUTE))
        assert set(states(store)) == {"1", "x"}

    def test_of_several_in_one_step_the_last_counts(self, store: SqlStore) -> None:
        put(store, *(said(f"{n}", UPDATE) for n in range(5)), posts=(post(),))
        assert set(states(store)) == {"4"}

    def test_one_under_way_is_left_alone_and_the_newer_follows(self, store: SqlStore) -> None:
        put(store, said("1", UPDATE), posts=(post(reference="C1:1"),))
        first = take(store)
        put(store, said("2", UPDATE))
        assert states(store) == {"1": "sending", "2": "pending"}
        store.settle_delivery(first, ACCEPTED, NOW)
        assert take(store).key == "2"

    def test_one_that_failed_meanwhile_gives_its_turn_to_the_newer(self, store: SqlStore) -> None:
        put(store, said("1", UPDATE, incident_ids=("i1",)), posts=(post(reference="C1:1"),))
        first = take(store)
        put(store, said("2", UPDATE, created_at=NOW + MINUTE))
        later = NOW + 5 * MINUTE
        store.settle_delivery(first, Outcome(Verdict.RETRY, "limited", retry_at=later), NOW)
        newer = row(store, "2")
        assert states(store) == {"2": "pending"}
        assert (newer.created_at, newer.not_before, newer.attempts) == (NOW, later, 1)
        assert store.deliveries_of("i1") == ()
        assert store.claim_deliveries(later - MINUTE, 9) == ()
        assert take(store, later).attempts == 2

    def test_a_waiting_edit_keeps_its_pause_under_newer_ones(self, store: SqlStore) -> None:
        put(store, said("1", UPDATE), posts=(post(reference="C1:1"),))
        later = NOW + 5 * MINUTE
        store.settle_delivery(take(store), Outcome(Verdict.RETRY, retry_at=later), NOW)
        put(store, said("2", UPDATE))
        assert store.claim_deliveries(later - MINUTE, 9) == ()
        assert take(store, later).key == "2"

    def test_one_that_is_withheld_takes_nobody_s_place(self, store: SqlStore) -> None:
        put(store, said("1", UPDATE), posts=(post(),))
        put(store, said("2", UPDATE, state=DeliveryState.WITHHELD))
        assert states(store) == {"1": "pending", "2": "withheld"}

    def test_one_whose_key_is_known_changes_nothing(self, store: SqlStore) -> None:
        put(store, said("1", UPDATE), posts=(post(reference="C1:1"),))
        store.settle_delivery(take(store), ACCEPTED, NOW)
        put(store, said("2", UPDATE))
        put(store, said("1", UPDATE))
        assert states(store) == {"1": "sent", "2": "pending"}


class TestRefusal:
    def fallback(self, **changes: object) -> Delivery:
        fields: dict[str, object] = {"channel": NASTY, "team": "data", "is_fallback": True}
        return said("post:fallback", POST, **{**fields, **changes})

    def test_a_fallback_takes_the_post_and_what_waits_with_it(self, store: SqlStore) -> None:
        put(store, said("post"), said("reply", REPLY), posts=(post(),))
        first = take(store)
        store.settle_delivery(first, REFUSED, NOW, self.fallback())
        assert the_post(store) == post(channel=NASTY, team="data")
        moved = row(store, "reply")
        assert (moved.channel, moved.team) == (NASTY, "data")
        # The step still thinks of the old place.
        edit = said("edit", UPDATE, created_at=NOW + MINUTE)
        put(store, edit, posts=(replace(post(), shown="new"),))
        assert row(store, "edit").channel == NASTY
        assert the_post(store) == post(channel=NASTY, team="data", shown="new")
        second = take(store)
        assert second.key == "post:fallback"
        store.settle_delivery(second, Outcome(Verdict.SENT, reference="C9:1"), NOW)
        assert the_post(store).reference == "C9:1"
        reply = take(store)
        assert (reply.key, reply.channel, reply.parent) == ("reply", NASTY, "C9:1")

    def test_without_a_fallback_the_post_is_dead_with_all_that_waits(self, store: SqlStore) -> None:
        put(store, said("post"), said("edit", UPDATE), said("reply", REPLY), posts=(post(),))
        store.settle_delivery(take(store), REFUSED, NOW)
        assert the_post(store).dead
        assert set(states(store).values()) == {"dead"}
        assert "channel_not_found" in row(store, "reply").last_error
        put(store, said("later", REPLY))
        assert states(store)["later"] == "dead"
        assert store.claim_deliveries(NOW, 9) == ()

    def test_the_fallback_refused_as_well_ends_it(self, store: SqlStore) -> None:
        put(store, said("post"), said("reply", REPLY), posts=(post(),))
        store.settle_delivery(take(store), REFUSED, NOW, self.fallback())
        store.settle_delivery(take(store), REFUSED, NOW)
        assert the_post(store).dead
        assert set(states(store).values()) == {"dead"}

    def test_a_notice_that_is_no_fallback_of_the_post_goes_out_and_the_post_is_dead(
        self, store: SqlStore
    ) -> None:
        put(store, said("post"), posts=(post(),))
        store.settle_delivery(take(store), REFUSED, NOW, self.fallback(post_id=""))
        assert the_post(store).dead
        assert take(store).key == "post:fallback"

    @pytest.mark.parametrize("action", [UPDATE, REPLY, CHART])
    def test_a_refused_edit_reply_or_chart_harms_no_post(
        self, store: SqlStore, action: Action
    ) -> None:
        put(store, said("1", action), posts=(post(reference="C1:1"),))
        store.settle_delivery(take(store), REFUSED, NOW, self.fallback(post_id=""))
        assert the_post(store) == post(reference="C1:1")
        assert states(store) == {"1": "dead", "post:fallback": "pending"}

    def test_a_refusal_of_a_lost_claim_moves_nothing(self, store: SqlStore) -> None:
        put(store, said("post"), posts=(post(),))
        first = take(store)
        store.settle_delivery(first, Outcome(Verdict.RETRY), NOW)
        take(store, NOW + MINUTE)
        store.settle_delivery(first, REFUSED, NOW, self.fallback())
        assert the_post(store) == post()
        assert states(store) == {"post": "sending"}

    def test_one_that_arrived_after_all_brings_the_post_home_and_stops_the_fallback(
        self, store: SqlStore
    ) -> None:
        put(store, said("post"), said("reply", REPLY), posts=(post(),))
        first = take(store)
        store.settle_delivery(first, REFUSED, NOW, self.fallback())
        store.settle_delivery(first, ACCEPTED, NOW)
        assert the_post(store) == post(reference="C1:17.1")
        assert states(store)["post:fallback"] == "withheld"
        reply = take(store)
        assert (reply.key, reply.channel, reply.parent) == ("reply", "#growth-alerts", "C1:17.1")

    def test_the_first_acceptance_names_the_post(self, store: SqlStore) -> None:
        put(store, said("post"), posts=(post(),))
        first = take(store)
        store.settle_delivery(first, ACCEPTED, NOW)
        store.settle_delivery(first, Outcome(Verdict.SENT, reference="C1:99"), NOW)
        assert the_post(store).reference == "C1:17.1"

    def test_another_service_s_row_about_a_post_neither_names_nor_ends_it(
        self, store: SqlStore
    ) -> None:
        put(store, said("hook", channel="webhook"), posts=(post(),))
        one = take(store)
        store.settle_delivery(one, Outcome(Verdict.SENT, reference="webhook:1"), NOW)
        put(store, said("hook2", channel="webhook"))
        store.settle_delivery(take(store), REFUSED, NOW)
        assert the_post(store) == post()

    def test_a_channel_that_is_dead_is_not_tried_more_often_than_a_good_one(
        self, store: SqlStore
    ) -> None:
        put(store, said("post"), posts=(post(),))
        store.settle_delivery(take(store), REFUSED, NOW, self.fallback())
        assert store.board(NOW + MINUTE).last_posts == {
            ("#growth-alerts", "growth"): NOW,
            (NASTY, "data"): NOW,
        }


def test_the_rows_about_an_incident_are_listed_oldest_first(store: SqlStore) -> None:
    rows = (
        said("2", incident_ids=("i1", "i2"), created_at=NOW + timedelta(hours=1)),
        said("1", REPLY, incident_ids=("i2", "\x00\udfff"), state=DeliveryState.WITHHELD),
        said("3", incident_ids=()),
    )
    tell(store, Changes(deliveries=rows))
    assert [d.key for d in store.deliveries_of("i2")] == ["1", "2"]
    assert store.deliveries_of("i1") == rows[:1]
    assert store.deliveries_of("\x00\udfff") == rows[1:2]
    assert store.deliveries_of(NASTY) == ()
    assert store.deliveries_of("i3") == ()
