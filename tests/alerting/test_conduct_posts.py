"""Messages: how many, who shares one, when it is edited, what its thread says, where it goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.alert import Action, Alert, Delivery
from eventwatch.model.contract import Contract, Owner
from eventwatch.model.incident import MomentKind, Role
from eventwatch.model.secret import Secret
from eventwatch.model.settings import IncidentSettings, SlackSettings, WebhookSettings
from eventwatch.model.status import Severity
from eventwatch.ports.notifier import WEBHOOK_CHANNEL, Abilities
from tests.alerting.builders import HOUR, MINUTE, NOTIFY, NOW, alert, contract, result, silence
from tests.alerting.conduct_world import (
    TABLE,
    World,
    actions,
    anew,
    held_back,
    loud,
    of,
    over,
    sent,
    teams,
    under,
)
from tests.fakes.board import dead, refused

PLAIN = Abilities()


def many(count: int) -> tuple[list[Contract], list[Alert]]:
    """So many event types of growth, each with a trouble of its own."""
    names = [f"event_{i:03}" for i in range(count)]
    return [contract(n) for n in names], [alert(result(n)) for n in names]


class TestWindow:
    def test_the_first_goes_at_once_and_what_follows_shares_the_next(self) -> None:
        contracts, alerts = many(6)
        world = World(*contracts)
        (first,) = sent(world.step(*alerts[:2]))
        assert len(first.incident_ids) == 2
        assert sent(world.step(*alerts[2:4], after=MINUTE)) == []
        assert sent(world.step(*alerts[4:], after=MINUTE)) == []
        assert sent(world.step(after=179 * timedelta(seconds=1))) == []
        (second,) = sent(world.step(after=timedelta(seconds=1)))
        assert len(second.incident_ids) == 4
        assert first.post_id != second.post_id

    def test_the_window_is_that_of_the_config(self) -> None:
        contracts, alerts = many(2)
        settings = IncidentSettings(flush=timedelta(0))
        world = World(*contracts, notify=replace(NOTIFY, incidents=settings))
        assert len(sent(world.step(alerts[0]))) == 1
        assert len(sent(world.step(alerts[1], after=timedelta(seconds=1)))) == 1

    def test_owners_do_not_wait_for_each_other_even_in_one_channel(self) -> None:
        known = {**teams("a", "b"), "b": replace(teams("b")["b"], slack_channel="#a")}
        contracts = [contract(n, owner=Owner(n)) for n in ("a", "b")]
        world = World(*contracts, teams=known)
        world.step(alert(result("a")))
        (post,) = sent(world.step(alert(result("b")), after=MINUTE))
        assert (post.channel, post.team) == ("#a", "b")

    def test_the_worst_stands_first(self) -> None:
        contracts, alerts = many(3)
        world = World(*contracts)
        world.step(alerts[0], loud(alerts[1], severity=Severity.CRITICAL), alerts[2])
        first = world.post_in("#growth-alerts").entries[0]
        assert first.incident_id == world.about("event_001").id

    @pytest.mark.parametrize("jump", [-3 * HOUR, 3 * HOUR, timedelta(days=-3650)])
    def test_a_clock_that_steps_keeps_nobody_waiting(self, jump: timedelta) -> None:
        contracts, alerts = many(2)
        world = World(*contracts)
        world.step(alerts[0])
        assert len(sent(world.step(alerts[1], after=jump))) == 1

    def test_a_storm_is_one_message_an_owner_whatever_its_size_and_however_it_comes(self) -> None:
        names = [f"event_{i}" for i in range(2_000)]
        contracts = [contract(n, owner=Owner(f"t{i % 40}")) for i, n in enumerate(names)]
        world = World(*contracts, teams=teams(*(f"t{i}" for i in range(40))))
        alerts = [alert(result(n)) for n in names]
        for start in range(0, 2_000, 500):
            world.step(*alerts[start : start + 500], after=MINUTE)
        world.step(after=5 * MINUTE)
        posts = sent(world.rows.by_key.values())
        assert max(Counter(p.channel for p in posts).values()) == 2, "two windows"
        told = {i for p in posts for i in p.incident_ids}
        assert told == {i.id for i in world.board.incidents}
        by_id = {i.id: i.owner.channel for i in world.board.incidents}
        assert all(by_id[i] == p.channel for p in posts for i in p.incident_ids)
        assert max(len(p.message.blocks) for p in posts) < 9_000

    def test_a_storm_that_ends_at_once_does_not_flood_the_thread(self) -> None:
        contracts, alerts = many(40)
        world = World(*contracts)
        world.step(*alerts)
        world.step(*(over(a, NOW) for a in alerts), after=HOUR)
        rows = world.step(after=HOUR)
        assert Counter(actions(rows)) == {Action.REPLY: 10, Action.UPDATE: 1}
        assert len(held_back(rows)) == 30
        assert "the message itself shows them" in held_back(rows)[0].last_error


class TestEdits:
    def test_what_matters_is_edited_at_once_and_numbers_alone_now_and_then(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        other = loud(one, summary="840 events, usually 9,800 to 11,600")
        assert world.step(other, after=14 * MINUTE) == []
        (edit,) = world.step(after=MINUTE)
        assert (edit.action, edit.post_id) == (Action.UPDATE, world.post_in("#growth-alerts").id)
        assert "840 events" in edit.message.plain

    def test_what_is_good_or_over_is_not_refreshed(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        world.step(over(one, NOW), after=MINUTE)
        world.step(after=30 * MINUTE)
        assert world.steps(20, HOUR) == [[]] * 20

    def test_no_two_edits_have_one_key_whatever_they_say(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        for _ in range(6):
            rows = world.step(loud(one, severity=Severity.CRITICAL), after=MINUTE)
            assert Action.UPDATE in actions(rows)
            assert Action.UPDATE in actions(world.step(one, after=-MINUTE))

    def test_the_thread_is_for_those_who_answer_and_the_others_line_is_only_edited(self) -> None:
        world = World(contract("a"), contract("b"))
        world.step(of(TABLE), *under(TABLE, "a"))
        rows = world.step(*under(TABLE, "b"), after=MINUTE)
        assert {r.channel for r in sent(rows, Action.UPDATE)} == {
            "#data-platform",
            "#growth-alerts",
        }
        assert {r.channel for r in sent(rows, Action.REPLY)} == {"#data-platform"}

    def test_all_that_happened_to_an_incident_in_one_step_is_one_reply(self) -> None:
        world = World(contract("a"), contract("b"))
        table = of(TABLE)
        world.step(table, *under(TABLE, "a"))
        rows = world.step(loud(table, severity=Severity.CRITICAL), *under(TABLE, "b"), after=MINUTE)
        assert set(world.kinds()) == {MomentKind.JOINED, MomentKind.WORSE}
        assert len(sent(rows, Action.REPLY)) == 1

    def test_a_digest_is_the_live_message_of_all_that_it_lists(self) -> None:
        contracts, alerts = many(3)
        world = World(*contracts)
        world.step(*alerts)
        post = world.post_in("#growth-alerts")
        rows = world.step(over(alerts[1], NOW), after=MINUTE)
        assert [r.post_id for r in rows] == [post.id]
        rows = world.step(after=HOUR)
        (reply,) = sent(rows, Action.REPLY)
        assert reply.incident_ids == (world.about("event_001").id,)
        assert reply.post_id == post.id


class TestCharts:
    def test_the_owners_thread_gets_one_picture_an_incident_once(self) -> None:
        world = World(contract("a"), contract("b"))
        rows = world.step(of(TABLE, summary="nothing for 3 h"), *under(TABLE, "a"))
        (chart,) = sent(rows, Action.CHART)
        assert chart.channel == "#data-platform"
        assert chart.message.text == "analytics_events: nothing for 3 h"
        assert chart.alert_ids == (of(TABLE, summary="x").id,)
        assert not any(sent(r, Action.CHART) for r in world.steps(5, HOUR))

    def test_a_message_about_many_has_the_pictures_of_its_worst(self) -> None:
        contracts, alerts = many(20)
        world = World(*contracts)
        rows = world.step(*alerts[:-1], loud(alerts[-1], severity=Severity.CRITICAL))
        charts = sent(rows, Action.CHART)
        assert len(charts) == 3
        assert charts[0].alert_ids == (alerts[-1].id,)

    def test_there_is_none_where_it_cannot_be_drawn_or_is_not_wanted(self) -> None:
        off = replace(NOTIFY, slack=SlackSettings(token=Secret("x"), charts=False))
        drawn = Abilities(edits=True, threads=True, charts=True)
        for world in (
            World(contract(), notify=off, abilities=drawn),
            World(contract(), abilities=Abilities(edits=True, threads=True)),
        ):
            assert sent(world.step(alert()), Action.CHART) == []


class TestWithoutEdits:
    def test_what_matters_is_a_new_message_and_nothing_else_is(self) -> None:
        notify = replace(NOTIFY, reminder={Severity.CRITICAL: 6 * HOUR})
        world = World(contract(), abilities=PLAIN, notify=notify)
        one = alert()
        assert actions(world.step(one)) == [Action.POST]
        assert world.step(after=HOUR) == []
        worse = loud(one, severity=Severity.CRITICAL)
        assert actions(world.step(worse, after=HOUR)) == [Action.POST]
        assert world.step(one, after=HOUR) == []
        assert actions(world.step(worse, after=3 * HOUR)) == [Action.POST], "the reminder"
        world.acknowledge()
        assert world.step(after=HOUR) == []
        assert world.step(over(one, world.now), after=HOUR) == []
        (last,) = world.step(after=HOUR)
        assert "✅" in last.message.plain
        assert actions(world.step(anew(one, world.now), after=HOUR)) == [Action.POST]

    def test_news_of_one_window_share_a_message_with_what_is_new(self) -> None:
        contracts, alerts = many(3)
        world = World(*contracts, abilities=PLAIN)
        world.step(*alerts[:2])
        assert world.step(loud(alerts[0], severity=Severity.CRITICAL), after=MINUTE) == []
        assert world.step(alerts[2], after=MINUTE) == []
        (post,) = world.step(after=3 * MINUTE)
        assert len(post.incident_ids) == 2
        assert world.steps(10, HOUR) == [[]] * 10

    def test_a_service_that_loses_its_edits_repeats_nothing(self) -> None:
        contracts, alerts = many(2)
        world = World(*contracts)
        world.step(*alerts)
        world.office = replace(world.office, abilities=PLAIN)
        assert world.step(after=HOUR) == []
        worse = loud(alerts[0], severity=Severity.CRITICAL)
        (post,) = world.step(worse, after=HOUR)
        assert post.incident_ids == (world.about("event_000").id,)
        world.office = replace(world.office, abilities=Abilities(edits=True, threads=True))
        assert Action.POST not in actions(world.step(after=HOUR))


class TestRefused:
    def test_a_message_that_moved_to_the_fallback_route_is_not_made_again(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        post = world.post_in("#growth-alerts")
        world.board = refused(world.board, post.id, "#data-platform", "data-platform")
        rows = [r for step in world.steps(10, HOUR) for r in step]
        assert sent(rows) == []
        assert {r.channel for r in rows} == {"#data-platform"}
        rows = world.step(loud(one, severity=Severity.CRITICAL), after=MINUTE)
        assert {(r.action, r.channel) for r in rows} == {
            (Action.UPDATE, "#data-platform"),
            (Action.REPLY, "#data-platform"),
        }

    def test_a_dead_message_is_not_made_again_until_there_is_something_to_tell(self) -> None:
        world = World(contract())
        one = alert()
        world.step(one)
        first = world.post_in("#growth-alerts")
        world.board = dead(world.board, first.id)
        assert world.steps(10, HOUR) == [[]] * 10
        (post,) = sent(world.step(loud(one, severity=Severity.CRITICAL), after=MINUTE))
        assert post.post_id != first.id
        assert len(sent(world.rows.by_key.values())) == 2


class TestWebhook:
    notify = replace(NOTIFY, webhook=WebhookSettings(Secret("https://example.com/hook")))

    def test_it_hears_of_every_opening_and_change_of_whatever_owner(self) -> None:
        world = World(contract(), notify=self.notify)
        one = alert()

        def heard(rows: list[Delivery]) -> int:
            return sum(r.channel == WEBHOOK_CHANNEL for r in rows)

        assert heard(world.step(one)) == 1
        assert heard(world.step(after=20 * MINUTE)) == 0
        assert heard(world.step(loud(one, severity=Severity.CRITICAL), after=MINUTE)) == 1
        world.acknowledge()
        assert heard(world.step(after=MINUTE)) == 1
        world.step(over(one, world.now), after=MINUTE)
        assert heard(world.step(after=HOUR)) == 1
        row = next(r for r in world.rows.by_key.values() if r.channel == WEBHOOK_CHANNEL)
        assert (row.action, row.team) == (Action.POST, "growth")

    def test_it_hears_nothing_of_what_is_muted(self) -> None:
        world = World(contract(), notify=self.notify)
        world.board = replace(world.board, silences=(silence(ends_at=NOW + HOUR),))
        assert sent(world.step(alert())) == []
        rows = sent(world.step(after=HOUR))
        assert {r.channel for r in rows} == {WEBHOOK_CHANNEL, "#growth-alerts"}

    def test_it_takes_no_part_in_flush_windows(self) -> None:
        contracts, alerts = many(5)
        world = World(*contracts, notify=self.notify)
        world.step(*alerts[:1])
        rows = sent(world.step(*alerts[1:], after=MINUTE))
        assert [r.channel for r in rows] == [WEBHOOK_CHANNEL] * 4


def test_a_row_names_no_more_alerts_than_a_row_can_hold() -> None:
    names = [f"event_{i}" for i in range(1_000)]
    world = World(*(contract(n) for n in names))
    rows = world.step(of(TABLE), *under(TABLE, *names))
    assert all(len(r.alert_ids) <= 200 for r in rows)
    assert len(world.incident.members) == 1_001
    assert {e.role for p in world.board.posts for e in p.entries} == {Role.OWNER, Role.AFFECTED}
