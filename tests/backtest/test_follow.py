from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from eventwatch.alerting.routing import Directory
from eventwatch.backtest.follow import Follower, Setting
from eventwatch.backtest.incident import Ending, Replay
from eventwatch.backtest.judging import _Packer
from eventwatch.backtest.past import Scene
from eventwatch.model.alert import Silence
from eventwatch.model.contract import Catalog, Contract, Location, Owner, Team
from eventwatch.model.result import Amount, Result
from eventwatch.model.settings import Exposure, NotifySettings, Secret
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.pipeline.judge import Restriction
from tests.backtest.incidents import HOUR, START, result

TEAMS = {name: Team(name, f"#{name}") for name in ("growth", "data-platform")}
CONTRACTS = {
    name: Contract(name, name, Location("x.proto", 1), Owner("growth")) for name in ("a", "b", "c")
}


def follow(cycles: Sequence[Sequence[Result]], silences: tuple[Silence, ...] = ()) -> Replay:
    """One replay of cycles an hour apart, packed as the processes pack them, a new day every six."""
    scene = Scene(Exposure("events", Secret("duckdb://")), Catalog(CONTRACTS, TEAMS, ""), START)
    setting = Setting(
        scene=scene,
        directory=Directory(TEAMS, {}, "data-platform"),
        notify=NotifySettings("data-platform"),
        silences=silences,
        restriction=Restriction(),
    )
    follower = Follower(setting)
    packer = _Packer()
    for i, results in enumerate(cycles):
        if i % 6 == 0:
            packer = _Packer()
        follower.cycle(START + i * HOUR, packer.pack(results), new_day=i % 6 == 0)
    return follower.replay()


GOOD = result(status=Status.PASS)


def test_an_incident_lasts_from_its_first_bad_cycle_to_its_end() -> None:
    found = follow([[GOOD], [result()], [result()], [GOOD], [GOOD]])
    [one] = found.incidents
    assert one.began_at == one.told_at == START + HOUR
    assert one.ended_at == START + 3 * HOUR
    assert one.ending is Ending.RESOLVED
    assert one.reason == "back to normal"
    assert one.team == "growth"
    assert one.counts


def test_what_must_last_is_told_when_it_has_and_else_not_at_all() -> None:
    held = result(hold=2 * HOUR)
    short = follow([[GOOD], [held], [held], [GOOD]])
    assert short.incidents == ()
    assert short.untold == 1
    [one] = follow([[GOOD], [held], [held], [held], [held], [GOOD]]).incidents
    assert one.began_at == START + HOUR
    assert one.told_at == START + 3 * HOUR
    # What goes on unchanged comes without its sentence.
    assert one.opened.summary == held.summary
    assert one.part_of == ""


def test_a_wider_trouble_is_named() -> None:
    stopped = result(
        kind=KindName.FRESHNESS, aspect="staleness", event_type=None, summary="nothing arrived"
    )
    [one] = follow([[GOOD], [stopped], [stopped]]).incidents
    assert one.part_of.startswith("events")


def test_a_good_hour_in_between_ends_nothing_that_is_kept_open() -> None:
    kept = result(keep=3 * HOUR)
    good = result(status=Status.PASS, keep=3 * HOUR)
    found = follow([[good], [kept], [good], [kept], *([[good]] * 5)])
    [one] = found.incidents
    assert one.ended_at == START + 7 * HOUR


def test_the_same_holds_across_days() -> None:
    found = follow([[GOOD]] * 5 + [[result()]] * 9 + [[GOOD]])
    [one] = found.incidents
    assert (one.began_at, one.ended_at) == (START + 5 * HOUR, START + 14 * HOUR)


def test_what_failed_from_the_first_cycle_on_counts_in_no_week() -> None:
    [one] = follow([[result()], [result()], [GOOD]]).incidents
    assert one.at_start
    assert not one.counts


def test_what_is_no_longer_found_ends() -> None:
    [one] = follow([[GOOD], [result()], []]).incidents
    assert one.ended_at == START + 2 * HOUR
    assert one.reason == "no longer found"


def test_what_cannot_be_judged_any_more_is_let_go_after_days() -> None:
    skipped = result(status=Status.SKIPPED)
    [one] = follow([[GOOD], [result()], *([[skipped]] * 90)]).incidents
    assert one.ending is Ending.NOT_JUDGED
    assert one.ended_at == START + HOUR + timedelta(days=3)


def test_what_has_not_ended_is_open() -> None:
    [one] = follow([[GOOD], [result()], [result()]]).incidents
    assert one.ending is Ending.OPEN
    assert one.ended_at is None
    assert one.lasted(START + 2 * HOUR) == HOUR


def test_the_worst_is_kept_with_the_first_sentence() -> None:
    def bad(z: float) -> Result:
        return result(summary=f"z {z}", amount=Amount("events", 1.0, 9.0, z=z))

    cycles = [[GOOD], [bad(-4)], [bad(-9)], [bad(-6)], [bad(-8)], [bad(-5)], [bad(-7)], [GOOD]]
    [one] = follow(cycles).incidents
    assert one.opened.summary == "z -4"
    assert one.worst.summary == "z -9"


def test_alerts_of_one_cycle_and_team_share_a_message() -> None:
    bad = [result("a"), result("b")]
    found = follow([[], bad, bad, [*bad, result("c")]])
    messages = {i.opened.event_type: i.message for i in found.incidents}
    assert messages["a"] == messages["b"] != messages["c"]
    assert all(messages.values())


def test_what_nobody_declared_goes_to_the_fallback_team() -> None:
    [one] = follow([[], [result("unknown")]]).incidents
    assert one.team == "data-platform"


def test_what_was_muted_is_listed_and_counts_in_no_week() -> None:
    silence = Silence("s", "a", "", "", "", "migration", "ana", START, START + timedelta(days=2))
    [one] = follow([[GOOD], [result()], [GOOD], [GOOD]], (silence,)).incidents
    assert "ana" in one.muted
    assert not one.counts


def test_our_own_trouble_is_no_incident_but_is_said() -> None:
    error = result(None, Status.ERROR, kind=KindName.DRIFT, aspect="judging", summary="it failed")
    found = follow([[], [error], [error], []])
    assert found.incidents == ()
    assert found.untold == 0
    assert [e.summary for e in found.errors] == ["it failed"]


@pytest.mark.parametrize("status", [Status.PASS, Status.SKIPPED, Status.LEARNING])
def test_only_what_changed_among_the_good_is_sent(status: Status) -> None:
    packer = _Packer()
    first = packer.pack([result("a", status), result("b", status)])
    assert len(first.calm) == 2
    again = packer.pack([result("a", status), result("b", status)])
    assert again.calm == {}
    gone = packer.pack([result("b", status)])
    assert list(gone.calm.values()) == [None]


def test_a_failure_that_goes_on_travels_without_its_story() -> None:
    packer = _Packer()
    assert packer.pack([result()]).bad[0].summary
    bare = packer.pack([result()]).bad[0]
    assert (bare.summary, bare.facts, bare.spark) == ("", (), None)
    # By these the cause is found.
    assert (bare.amount, bare.since) == (result().amount, result().since)
    assert bare.fingerprint == result().fingerprint
    worse = packer.pack([result(severity=Severity.CRITICAL)]).bad[0]
    assert worse.summary
