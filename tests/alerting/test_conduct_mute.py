"""What holds an incident back, what is kept of that, and what is said when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from eventwatch.model.alert import Action, Silence
from eventwatch.model.contract import Consumer, Owner, Suppression, Tier
from eventwatch.model.incident import IncidentState, MomentKind
from eventwatch.model.settings import Maintenance
from eventwatch.model.status import Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import (
    HOUR,
    MINUTE,
    NOTIFY,
    NOW,
    alert,
    catalog,
    contract,
    result,
    silence,
)
from tests.alerting.conduct_world import (
    ANDROID,
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

BERLIN = ZoneInfo("Europe/Berlin")


def muting(world: World, *silences: Silence) -> None:
    """As the command does."""
    world.board = replace(world.board, silences=(*world.board.silences, *silences))


def test_what_a_silence_holds_back_is_a_row_with_who_and_why() -> None:
    world = World(contract())
    muting(world, silence())
    (row,) = world.step(alert())
    assert row.last_error == "silenced by ada until 2026-05-17 16:05 UTC: planned work"
    assert (row.channel, row.incident_ids) == ("#growth-alerts", (world.incident.id,))
    assert (world.incident.muted_by, world.incident.told_at) == ("s1", None)
    assert world.steps(5, 10 * MINUTE) == [[]] * 5


def test_everybody_who_would_have_heard_has_a_row() -> None:
    world = World(contract(consumers=(Consumer("ranking", "#ranking"),)))
    muting(world, silence())
    assert {r.channel for r in held_back(world.step(alert()))} == {"#growth-alerts", "#ranking"}


def test_when_the_silence_ends_and_it_is_still_broken_it_is_told_then() -> None:
    world = World(contract())
    muting(world, silence(ends_at=NOW + HOUR))
    world.step(alert())
    (post, _) = world.step(after=HOUR)
    assert post.action is Action.POST
    assert world.incident.told_at == world.now
    assert MomentKind.UNMUTED in world.kinds()


def test_one_line_says_what_the_silence_hid_once_and_keeps_to_the_flush_window() -> None:
    world = World(contract("a"), contract("b"))
    muting(world, silence(ends_at=NOW + 2 * HOUR))
    a, b = alert(result("a")), alert(result("b"))
    world.step(a, b)
    world.step(over(b, NOW), after=HOUR)
    (post,) = sent(world.step(after=HOUR))
    assert post.incident_ids == (world.about("a").id,)
    (line,) = sent(world.step(after=5 * MINUTE))
    assert "ada" in line.message.plain
    assert "2 incidents" in line.message.plain
    assert set(line.incident_ids) == {world.about("a").id, world.about("b").id}
    assert world.board.silences == ()
    assert not any(sent(rows) for rows in world.steps(10, HOUR))


def test_the_line_reaches_every_owner_and_waits_for_the_window_of_each() -> None:
    world = World(contract("a"), contract("b", owner=Owner("search")), teams=teams("search"))
    muting(world, silence(event_type="?", ends_at=NOW + HOUR))
    a, b = alert(result("a")), alert(result("b"))
    world.step(a, b)
    world.step(over(b, NOW), after=30 * MINUTE)
    world.step(over(a, NOW), after=MINUTE)
    world.step(alert(result("undeclared")), alert(result(None)), after=27 * MINUTE)
    busy = alert(result("other", runs_to="search"))
    world.office = replace(world.office, catalog=catalog(contract("other", owner=Owner("search"))))
    world.step(busy, after=MINUTE)
    heard = [r.channel for r in world.step(after=MINUTE) if "silence" in r.message.plain.lower()]
    assert heard == ["#growth-alerts"]
    rows = [r for step in world.steps(9, MINUTE) for r in step]
    heard = [r.channel for r in rows if "silence" in r.message.plain.lower()]
    assert heard == ["#search"]


def test_what_came_and_went_under_a_silence_is_told_by_that_line_alone() -> None:
    world = World(contract())
    one = alert()
    muting(world, silence(ends_at=NOW + 3 * HOUR))
    world.step(one)
    world.step(over(one, NOW + HOUR), after=HOUR)
    world.step(after=HOUR)
    assert world.incident.state is IncidentState.RESOLVED
    assert world.incident.told_at is None
    (line,) = world.step(after=HOUR)
    assert "1 incident" in line.message.plain


def test_a_silence_that_hid_nothing_ends_without_a_word() -> None:
    world = World(contract())
    muting(world, silence(event_type="another", ends_at=NOW + HOUR))
    world.step()
    assert world.step(after=HOUR) == []
    assert world.changes.silences_told == ("s1",)


def test_everything_that_speaks_has_to_be_silenced() -> None:
    world = World(contract("a"), contract("b"))
    table, (a, b) = of(TABLE), under(TABLE, "a", "b")
    muting(world, silence(event_type="*"))
    world.step(table, a, b)
    assert world.incident.muted_by == "", "the table itself is not silenced"
    world = World(contract("a"), contract("b"))
    muting(world, silence(event_type="a"))
    world.step(*under(ANDROID, "a", "b"))
    assert world.incident.muted_by == ""
    muting(world, silence(id="s2", event_type="?"))
    world.step(after=MINUTE)
    assert world.incident.muted_by == "s2"


def test_a_silence_on_a_value_holds_back_what_that_value_explains() -> None:
    world = World(contract("a"))
    muting(world, silence(dimension="platform", value="android"))
    world.step(*under(ANDROID, "a"))
    assert world.incident.muted_by == "s1"
    other = World(contract("a"))
    muting(other, silence(dimension="platform", value="ios"))
    other.step(*under(ANDROID, "a"))
    assert other.incident.muted_by == ""


def test_a_told_incident_that_is_silenced_says_so_and_then_is_quiet() -> None:
    notify = replace(NOTIFY, reminder={Severity.WARNING: HOUR})
    world = World(contract(), notify=notify)
    one = alert()
    world.step(one)
    muting(world, silence(starts_at=NOW, ends_at=NOW + 5 * HOUR))
    rows = world.step(after=MINUTE)
    assert set(actions(rows)) == {Action.UPDATE, Action.REPLY}
    assert not any(sent(r, Action.REPLY) for r in world.steps(4, HOUR))
    worse = world.step(loud(one, severity=Severity.CRITICAL), after=MINUTE)
    assert sent(worse, Action.REPLY) == []
    rows = world.step(after=HOUR)
    assert {MomentKind.UNMUTED, MomentKind.WORSE} <= set(world.kinds())
    assert len(sent(rows, Action.REPLY)) == 1


def test_the_end_of_a_silenced_incident_is_shown_and_its_reply_is_held_back() -> None:
    world = World(contract())
    one = alert()
    world.step(one)
    muting(world, silence(starts_at=NOW, ends_at=NOW + 9 * HOUR))
    world.step(over(one, NOW), after=HOUR)
    rows = world.step(after=HOUR)
    assert world.incident.state is IncidentState.RESOLVED
    assert actions(rows) == [Action.UPDATE]
    (row,) = held_back(rows)
    assert (row.action, "planned work" in row.last_error) == (Action.REPLY, True)


def test_what_people_do_about_a_silenced_incident_stands_in_its_thread() -> None:
    world = World(contract())
    world.step(alert())
    muting(world, silence(starts_at=NOW))
    world.step(after=MINUTE)
    world.acknowledge(author="grace")
    (reply,) = sent(world.step(after=MINUTE), Action.REPLY)
    assert "grace" in reply.message.plain


def test_without_edits_what_ends_under_a_silence_waits_for_its_end() -> None:
    world = World(contract(), abilities=Abilities())
    one = alert()
    world.step(one)
    muting(world, silence(starts_at=NOW, ends_at=NOW + 9 * HOUR))
    world.step(over(one, NOW), after=HOUR)
    assert sent(world.step(after=HOUR)) == []
    assert sent(world.step(after=HOUR)) == []
    assert len(sent(world.step(after=7 * HOUR))) == 1


def test_a_suppression_of_the_contract_mutes_an_incident_that_is_open() -> None:
    off = Suppression("volume", "rebuilt this week", date(2026, 5, 18))
    world = World(contract(suppressions=(off,)))
    (row,) = held_back(world.step(alert()))
    assert row.last_error == (
        "switched off in the contract until 2026-05-19 00:00 UTC: rebuilt this week"
    )
    (post, _) = world.step(after=33 * HOUR)
    assert post.action is Action.POST


class TestMaintenance:
    window = Maintenance(
        "backfill",
        "nightly load",
        weekdays=(6,),
        from_time=time(22),
        to_time=time(2),
        time_zone=BERLIN,
    )

    @pytest.mark.parametrize(
        ("at", "mutes"),
        [
            (datetime(2026, 5, 17, 19, 59, tzinfo=UTC), False),
            (datetime(2026, 5, 17, 20, 0, tzinfo=UTC), True),
            (datetime(2026, 5, 17, 23, 59, tzinfo=UTC), True),
            (datetime(2026, 5, 18, 0, 0, tzinfo=UTC), False),
            (datetime(2026, 5, 18, 20, 0, tzinfo=UTC), False),
        ],
    )
    def test_a_weekly_window_goes_over_midnight(self, at: datetime, mutes: bool) -> None:
        world = World(contract(), maintenance=(self.window,), now=at)
        world.step(alert())
        assert bool(world.incident.muted_by) == mutes

    def test_its_end_is_told_like_that_of_a_silence(self) -> None:
        start = datetime(2026, 5, 17, 21, 0, tzinfo=UTC)
        world = World(contract(), maintenance=(self.window,), now=start)
        (row,) = held_back(world.step(alert()))
        assert "maintenance backfill until 2026-05-18 00:00 UTC: nightly load" in row.last_error
        assert len(sent(world.step(after=3 * HOUR))) == 1
        (line,) = sent(world.step(after=5 * MINUTE))
        assert "maintenance backfill" in line.message.plain
        assert world.board.hidden == {}

    def test_one_that_was_taken_out_of_the_config_is_over(self) -> None:
        start = datetime(2026, 5, 17, 21, 0, tzinfo=UTC)
        world = World(contract(), maintenance=(self.window,), now=start)
        world.step(alert())
        world.office = replace(world.office, maintenance=())
        assert len(sent(world.step(after=MINUTE))) == 1
        assert len(sent(world.step(after=5 * MINUTE))) == 1

    def test_a_single_window_is_a_silence_with_two_instants(self) -> None:
        window = Maintenance("move", "new cluster", NOW, NOW + HOUR, event_type="user_*")
        world = World(contract(), maintenance=(window,))
        world.step(alert())
        assert world.incident.muted_because.startswith("maintenance move until")
        assert len(sent(world.step(after=HOUR))) == 1


class TestBestEffort:
    def test_it_waits_for_the_daily_digest(self) -> None:
        world = World(contract(tier=Tier.BEST_EFFORT), now=NOW.replace(hour=8, minute=0))
        (row,) = world.step(alert())
        assert row.last_error == "best effort: it goes into the daily digest"
        assert world.step(after=59 * MINUTE) == []
        (digest,) = world.step(after=MINUTE)
        assert (digest.action, digest.channel) == (Action.POST, "#growth-alerts")
        told = [len(sent(rows)) for rows in world.steps(48, HOUR)]
        assert sum(told) == 2, "once a day"

    def test_what_is_over_for_a_day_is_in_no_digest(self) -> None:
        world = World(contract(tier=Tier.BEST_EFFORT), now=NOW.replace(hour=10))
        one = alert()
        world.step(one)
        world.step(over(one, world.now), after=HOUR)
        told = [len(sent(rows)) for rows in world.steps(72, HOUR)]
        assert sum(told) == 1

    def test_one_alert_of_another_tier_makes_it_a_matter_of_now(self) -> None:
        world = World(contract("a", tier=Tier.BEST_EFFORT), contract("b"))
        world.step(*under(ANDROID, "a"))
        assert world.incident.told_at is None
        world.step(*under(ANDROID, "b"), after=MINUTE)
        assert world.incident.told_at == world.now

    def test_nobody_is_reminded_of_it(self) -> None:
        notify = replace(NOTIFY, reminder={Severity.WARNING: HOUR})
        world = World(contract(tier=Tier.BEST_EFFORT), notify=notify)
        world.step(alert())
        assert not any(sent(r, Action.REPLY) for r in world.steps(10, HOUR))


class TestDigests:
    def world(self, now: datetime, at: time = time(9), **changes: object) -> World:
        digest = replace(NOTIFY.digest, at=at, time_zone=BERLIN, broken=True)
        return World(contract(), now=now, notify=replace(NOTIFY, digest=digest), **changes)

    @pytest.mark.parametrize(
        "start", [datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)]
    )
    @pytest.mark.parametrize("at", [time(0), time(2, 30), time(9), time(23, 59)])
    def test_what_is_broken_is_told_once_on_each_local_day_whatever_the_clock_does(
        self, start: datetime, at: time
    ) -> None:
        world = self.world(start, at)
        world.step(alert())
        first = start.astimezone(BERLIN).date()
        said = []
        for _ in range(5 * 24 * 4):
            if sent(world.step(after=15 * MINUTE)):
                said.append((world.now - 15 * MINUTE).astimezone(BERLIN))
        days = [moment.date() for moment in said]
        assert len(days) == len(set(days))
        assert set(days) >= {first + timedelta(days=n) for n in range(1, 5)}

    def test_it_is_off_by_default(self) -> None:
        world = World(contract())
        world.step(alert())
        assert not any(sent(rows) for rows in world.steps(72, HOUR))

    def test_it_waits_behind_a_message_of_the_same_window(self) -> None:
        world = self.world(datetime(2026, 5, 18, 6, 59, tzinfo=UTC))
        world.step()
        posts = sent(world.step(alert(), after=MINUTE))
        assert len(posts) == 1
        assert posts[0].post_id == world.post_in("#growth-alerts").id
        (digest,) = sent(world.step(after=5 * MINUTE))
        assert "Broken now" in digest.message.plain

    def test_a_clock_that_was_years_ahead_does_not_stop_it(self) -> None:
        world = self.world(datetime(2036, 5, 18, 7, 0, tzinfo=UTC))
        world.step(alert())
        world.step(after=HOUR)
        world.step(after=timedelta(days=-3650))
        assert sum(len(sent(rows)) for rows in world.steps(24, HOUR)) == 1


def test_a_flapping_incident_under_a_silence_reopens_silently() -> None:
    world = World(contract())
    one = alert()
    world.step(one)
    muting(world, silence(starts_at=NOW, ends_at=NOW + 20 * HOUR))
    world.step(over(one, NOW), after=HOUR)
    world.step(after=HOUR)
    rows = world.step(anew(one, NOW + 3 * HOUR), after=HOUR)
    assert MomentKind.REOPENED in world.kinds()
    assert actions(rows) == [Action.UPDATE]
