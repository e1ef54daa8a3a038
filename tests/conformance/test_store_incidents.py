"""What every Store does with incidents, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.alert import Action, AlertState, Delivery, DeliveryState
from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Board, Changes, Incident, IncidentState, MomentKind
from eventwatch.store.sql import SqlStore
from tests.store.incident_samples import (
    cause,
    incident,
    member,
    moment,
    post,
    recipient,
    resolved,
    said,
    tell,
)
from tests.store.samples import MINUTE, NASTY, NOW, alert, record, silence

DAY = timedelta(days=1)


def board(store: SqlStore) -> Board:
    """As the next telling step sees it; so does who only looks."""
    seen: list[Board] = []

    def look(found: Board) -> Changes:
        seen.append(found)
        return Changes()

    store.tell(NOW, look)
    assert store.board(NOW) == seen[0]
    return seen[0]


class TestIncidents:
    def test_one_comes_back_as_it_went_in(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))
        assert store.incidents() == (incident(),)
        assert board(store).incidents == (incident(),)

    def test_one_with_nothing_known_comes_back_too(self, store: SqlStore) -> None:
        bare = Incident(
            "1ca5e0000001",
            cause(cut=None, event_type=None, other=None),
            IncidentState.OPEN,
            incident().severity,
            recipient(channel="", is_fallback=False),
            NOW,
            NOW,
            (),
        )
        tell(store, Changes(incidents=(bare,)))
        assert store.incidents() == (bare,)

    def test_a_change_of_anything_is_kept(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))
        other = resolved(
            incident().id,
            cause=cause(detail="5 event types", team=""),
            owner=recipient(channel="#b"),
            others=(),
            members=(member("a2"), member("a3"), member("a1", over_at=NOW)),
            late=None,
            told_at=NOW + MINUTE,
        )
        tell(store, Changes(incidents=(other,)))
        assert store.incidents(open_only=False) == (other,)

    def test_members_that_are_gone_are_gone(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))
        fewer = incident(members=(member("a2"),))
        tell(store, Changes(incidents=(fewer,)))
        assert store.incidents() == (fewer,)
        tell(store, Changes(incidents=(incident(members=()),)))
        assert store.incidents()[0].members == ()

    def test_two_of_one_cause_are_never_open_and_nothing_of_that_step_is_kept(
        self, store: SqlStore
    ) -> None:
        tell(store, Changes(incidents=(incident("one"),)))
        second = Changes(
            incidents=(incident("two"),), moments=(moment(),), posts=(post(),), digests={"x": NOW}
        )
        with pytest.raises(StoreError, match="two was to be opened"):
            tell(store, second)
        assert [i.id for i in store.incidents(open_only=False)] == ["one"]
        assert store.moments("1ca5e0000001") == ()
        assert (board(store).posts, board(store).digests) == ((), {})

    def test_one_may_end_and_another_of_its_cause_begin_in_one_step(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident("one"),)))
        over = incident("one", state=IncidentState.RESOLVED, resolved_at=NOW)
        tell(store, Changes(incidents=(incident("two"), over)))
        assert [i.id for i in store.incidents()] == ["two"]

    def test_open_ones_are_listed_first_then_the_newest(self, store: SqlStore) -> None:
        rows = (
            resolved("over-old", opened_at=NOW - DAY),
            incident("open-old", cause=cause("1"), opened_at=NOW - DAY),
            resolved("over-new", opened_at=NOW + DAY),
            incident("open-new", cause=cause("2"), opened_at=NOW),
        )
        tell(store, Changes(incidents=rows))
        listed = [i.id for i in store.incidents(open_only=False)]
        assert listed == ["open-new", "open-old", "over-new", "over-old"]
        assert [i.id for i in store.incidents()] == listed[:2]
        assert [i.id for i in store.incidents(open_only=False, limit=3)] == listed[:3]

    def test_one_is_found_by_how_its_id_or_an_alert_s_begins(self, store: SqlStore) -> None:
        store.commit_cycle(record(alerts=(alert("a1"), alert("b2", "other"))))
        one = incident("abc123", members=(member("a1"),))
        two = resolved("abd456", members=(member("b2"),), opened_at=NOW + MINUTE)
        tell(store, Changes(incidents=(one, two)))

        def found(beginning: str, limit: int = 10) -> list[str]:
            return [i.id for i in store.incidents_like(beginning, limit)]

        assert found("ab") == ["abd456", "abc123"]
        assert found("ab", 1) == ["abd456"]
        assert found("abc") == ["abc123"]
        assert found("b2") == ["abd456"]
        assert found(alert("b2", "other").fingerprint[:9]) == ["abd456"]
        assert found("%") == found("_") == found("x") == []
        assert store.incidents_like("abc")[0] == one

    def test_alerts_are_found_by_id_open_and_closed(self, store: SqlStore) -> None:
        over = alert("b2", "other", state=AlertState.RESOLVED, ended_at=NOW)
        explained = alert("a1", cause=cause(), explained=True)
        store.commit_cycle(record(alerts=(explained, over)))
        assert store.alerts_of(["b2", "a1", "a1", "gone"]) == (explained, over)
        assert store.alerts_of(()) == ()
        assert store.exposure_state("events", NOW).alerts == (explained,)


class TestMoments:
    def test_they_come_back_oldest_first_and_in_the_order_of_one_step(
        self, store: SqlStore
    ) -> None:
        first = (moment("z"), moment("a", kind=MomentKind.JOINED), moment("m"))
        late = moment("early", at=NOW - MINUTE)
        tell(store, Changes(moments=first))
        tell(store, Changes(moments=(late, moment("other", incident_id="x"))))
        assert store.moments("1ca5e0000001") == (late, *first)

    def test_the_same_moment_twice_is_one(self, store: SqlStore) -> None:
        tell(store, Changes(moments=(moment(),)))
        tell(store, Changes(moments=(moment(text="other"), moment("c2"))))
        assert store.moments("1ca5e0000001") == (moment(), moment("c2"))


class TestBoard:
    def test_there_is_nothing_on_it_at_first(self, store: SqlStore) -> None:
        assert board(store) == Board({}, (), (), ())

    def test_it_has_every_open_alert_and_every_member_of_what_was_open_lately(
        self, store: SqlStore
    ) -> None:
        over = {"state": AlertState.RESOLVED, "ended_at": NOW}
        known = (
            alert("open", "1"),
            alert("member", "2", **over),
            alert("lately", "3", **over),
            alert("long ago", "4", **over),
            alert("alone", "5", **over),
        )
        store.commit_cycle(record(alerts=known))
        rows = (
            incident("one", members=(member("member"), member("open"), member("never seen"))),
            resolved("two", members=(member("lately"),), resolved_at=NOW - 6 * DAY),
            resolved("three", members=(member("long ago"),), resolved_at=NOW - 8 * DAY),
        )
        tell(store, Changes(incidents=rows))
        found = board(store)
        assert {i.id for i in found.incidents} == {"one", "two"}
        assert found.alerts == {a.id: a for a in known[:3]}
        seen: list[Board] = []

        def look(shorter: Board) -> Changes:
            seen.append(shorter)
            return Changes()

        store.tell(NOW, look, window=DAY)
        assert {i.id for i in seen[0].incidents} == {"one"}
        assert set(seen[0].alerts) == {"open", "member"}

    def test_posts_stand_on_it_until_they_are_closed(self, store: SqlStore) -> None:
        one, two = post("p1", shown="x", refreshed_at=NOW), post("p2", created_at=NOW - MINUTE)
        tell(store, Changes(posts=(one, two)))
        assert board(store).posts == (two, one)
        tell(store, Changes(posts=(replace(one, closed_at=NOW, shown="y"),)))
        assert board(store).posts == (two,)
        listed = store.posts_of("1ca5e0000002")
        assert listed == (two, replace(one, closed_at=NOW, shown="y"))
        assert store.posts_of("none") == ()

    def test_the_newest_post_of_each_channel_and_team_of_the_last_day(
        self, store: SqlStore
    ) -> None:
        rows = (
            post("p1", created_at=NOW - timedelta(hours=3)),
            post("p2", created_at=NOW - timedelta(hours=2), closed_at=NOW),
            post("p3", team="money", created_at=NOW - timedelta(hours=4)),
            post("p4", channel="#old", created_at=NOW - timedelta(hours=25)),
        )
        tell(store, Changes(posts=rows))
        assert board(store).last_posts == {
            ("#growth-alerts", "growth"): NOW - timedelta(hours=2),
            ("#growth-alerts", "money"): NOW - timedelta(hours=4),
        }

    def test_digests_are_known_by_name_and_move_back_with_a_clock_that_was_ahead(
        self, store: SqlStore
    ) -> None:
        tell(store, Changes(digests={"broken": NOW, NASTY: NOW}))
        tell(store, Changes(digests={"broken": NOW + DAY, NASTY: NOW - DAY}))
        assert board(store).digests == {"broken": NOW + DAY, NASTY: NOW - DAY}


class TestSilences:
    def test_one_is_seen_until_it_ends(self, store: SqlStore) -> None:
        store.add_silence(silence())
        store.add_silence(silence())
        assert store.silences(NOW) == (silence(),)
        assert store.exposure_state("any", NOW).silences == (silence(),)
        assert store.silences(NOW + timedelta(hours=1)) == ()

    def test_ending_it_early(self, store: SqlStore) -> None:
        store.add_silence(silence())
        assert store.end_silence("s1", NOW + MINUTE)
        assert store.silences(NOW + MINUTE) == ()
        assert not store.end_silence("s2", NOW)

    def test_ending_it_again_does_not_prolong_it(self, store: SqlStore) -> None:
        store.add_silence(silence())
        store.end_silence("s1", NOW + MINUTE)
        assert store.end_silence("s1", NOW + 9 * MINUTE)
        assert store.silences(NOW + 5 * MINUTE) == ()

    def test_those_that_apply_and_those_whose_end_is_to_be_told(self, store: SqlStore) -> None:
        hour = timedelta(hours=1)
        rows = {
            "applies": (NOW - hour, NOW + hour),
            "to come": (NOW + hour, NOW + 2 * hour),
            "just over": (NOW - hour, NOW),
            "told": (NOW - hour, NOW - MINUTE),
            "long over": (NOW - 9 * DAY, NOW - 8 * DAY),
        }
        for name, (starts_at, ends_at) in rows.items():
            store.add_silence(silence(name, starts_at=starts_at, ends_at=ends_at))
        tell(store, Changes(silences_told=("told", "of config.yaml")))
        assert {s.id for s in board(store).silences} == {"applies", "just over"}
        assert [s.id for s in store.silences(NOW)] == ["applies", "to come"]
        lately = [s.id for s in store.silences(NOW, ended_since=NOW - DAY)]
        assert lately == ["applies", "to come", "just over", "told"]

    def test_what_a_silence_hid_is_kept_until_its_end_is_told(self, store: SqlStore) -> None:
        tell(store, Changes(hidden={"s1": ("i2", "i1"), NASTY: ("i1",)}))
        store.tell(NOW + MINUTE, lambda _: Changes(hidden={"s1": ("i1", "i0")}))
        assert board(store).hidden == {"s1": ("i2", "i1", "i0"), NASTY: ("i1",)}
        tell(store, Changes(silences_told=("s1",)))
        assert board(store).hidden == {NASTY: ("i1",)}
        tell(store, Changes(hidden={"s1": ("i1",)}))
        assert set(board(store).hidden) == {NASTY}

    def test_what_a_silence_hid_can_be_asked_after_its_end_was_told(self, store: SqlStore) -> None:
        tell(store, Changes(hidden={"s1": ("i2", "i1"), NASTY: ("i1",), "s3": ("i4",)}))
        tell(store, Changes(silences_told=("s1",)))
        asked = store.hidden_by(["s1", NASTY, "never"])
        assert asked == {"s1": ("i2", "i1"), NASTY: ("i1",)}
        assert store.hidden_by([]) == {}

    def test_one_that_is_ended_early_is_to_be_told(self, store: SqlStore) -> None:
        store.add_silence(silence())
        store.end_silence("s1", NOW)
        assert [s.id for s in board(store).silences] == ["s1"]


class TestWhatPeopleDo:
    def test_a_change_and_what_is_noted_of_it(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))
        changed = store.update_incident(
            "1ca5e0000001",
            lambda one: replace(one, acknowledged_by="ana"),
            lambda one: (moment(author=one.acknowledged_by),),
        )
        assert changed == incident(acknowledged_by="ana")
        assert store.incidents() == (changed,)
        assert store.moments("1ca5e0000001") == (moment(author="ana"),)

    def test_no_change_and_no_such_incident(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))
        for name in ("1ca5e0000001", "gone"):
            assert store.update_incident(name, lambda _: None, lambda one: (moment(),)) is None
        assert store.moments("1ca5e0000001") == ()
        assert store.update_incident("gone", lambda one: one) is None

    def test_a_fault_changes_nothing(self, store: SqlStore) -> None:
        tell(store, Changes(incidents=(incident(),)))

        def broken(_: Incident) -> tuple[()]:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            store.update_incident(
                "1ca5e0000001", lambda one: replace(one, acknowledged_by="ana"), broken
            )
        assert store.incidents() == (incident(),)


def test_what_is_past_its_time_is_forgotten_and_nothing_that_is_open(store: SqlStore) -> None:
    old = NOW - 401 * DAY
    ended = {"state": AlertState.RESOLVED, "ended_at": old}
    store.commit_cycle(
        record(
            now=old,
            alerts=(alert("gone", "1", **ended), alert("named", "2", **ended)),
            deliveries=(),
        )
    )
    rows = (
        resolved("over", members=(member("gone"),), resolved_at=old),
        resolved("lately", members=(member("gone too"),), opened_at=old),
        incident("open", members=(member("named"),), opened_at=old),
    )
    posts = tuple(
        replace(post(f"post of {i.id}", created_at=old), entries=(replace(e, incident_id=i.id),))
        for i in rows
        for e in post().entries[:1]
    )
    moments = tuple(moment(f"of {i.id}", incident_id=i.id, at=old) for i in rows)
    hid = {"s1": tuple(i.id for i in rows)}
    tell(store, Changes(incidents=rows, moments=moments, posts=posts, hidden=hid))
    store.commit_cycle(record(run_id="r2", alerts=(), deliveries=(), ledger={}))
    assert {i.id for i in store.incidents(open_only=False)} == {"lately", "open"}
    assert {i.id for i in rows if store.moments(i.id)} == {"lately", "open"}
    assert {i.id for i in rows if store.posts_of(i.id)} == {"lately", "open"}
    assert set(board(store).hidden["s1"]) == {"lately", "open"}
    assert [a.id for a in store.alerts_of(("gone", "named"))] == ["named"]


def test_edits_are_kept_for_a_week_and_messages_for_ninety_days(store: SqlStore) -> None:
    def rows(age: int) -> list[Delivery]:
        return [
            said(
                f"{action} {age} {state}",
                action,
                created_at=NOW - age * DAY,
                state=state,
                incident_ids=("i1",),
                post_id=f"{age}",
            )
            for action in Action
            for state in (DeliveryState.SENT, DeliveryState.PENDING)
        ]

    every = [*rows(6), *rows(8), *rows(89), *rows(91)]
    tell(store, Changes(deliveries=tuple(every)))
    store.commit_cycle(record(alerts=(), deliveries=(), ledger={}))
    kept = {d.key for d in store.deliveries(99)}
    gone = {f"{a} {age} sent" for a in ("update", "chart") for age in (8, 89)}
    gone |= {f"{a} 91 sent" for a in Action}
    assert {d.key for d in every} - kept == gone
    assert {d.key for d in store.deliveries_of("i1")} == kept
