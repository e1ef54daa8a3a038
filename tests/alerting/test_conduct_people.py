"""Who hears of an incident: one owner for each, a line for those it touches, never nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventwatch.alerting.routing import Directory
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Consumer, Owner, Team, Tier
from eventwatch.model.incident import Role
from eventwatch.model.settings import Dimension
from eventwatch.model.status import Severity
from tests.alerting.builders import EXPOSURE, NOW, alert, contract, result, unreadable
from tests.alerting.conduct_world import (
    ANDROID,
    SOURCE,
    TABLE,
    World,
    held_back,
    of,
    sent,
    teams,
    under,
)

BARE = replace(EXPOSURE, owner="")
NOBODYS = replace(TABLE, team="")


def roles(world: World) -> dict[str, Role]:
    return {r.channel: r.role for r in (world.incident.owner, *world.incident.others)}


def test_the_owner_of_the_event_type_owns_it() -> None:
    world = World(contract())
    world.step(alert())
    assert roles(world) == {"#growth-alerts": Role.OWNER}
    assert world.incident.owner.group_id == "S0123ABCD"


def test_a_check_that_names_a_team_does_not_take_the_incident_from_the_owner() -> None:
    world = World(contract(), teams=teams("finance"))
    one = alert()
    two = alert(result(aspect="floor", runs_to="finance"))
    world.step(two)
    assert world.incident.owner.team == "finance"
    world = World(contract(), teams=teams("finance"))
    world.step(one, two)
    assert roles(world) == {"#growth-alerts": Role.OWNER, "#finance": Role.AFFECTED}


def test_a_table_goes_to_its_owner_with_one_line_for_everybody_whose_types_it_moved() -> None:
    contracts = [contract(f"e{i}", owner=Owner("growth" if i % 2 else "search")) for i in range(6)]
    world = World(*contracts, teams=teams("search"))
    rows = world.step(of(TABLE), *under(TABLE, *(c.event_type for c in contracts)))
    assert roles(world) == {
        "#data-platform": Role.OWNER,
        "#growth-alerts": Role.AFFECTED,
        "#search": Role.AFFECTED,
    }
    assert len(sent(rows)) == 3
    assert all(not other.group_id for other in world.incident.others), "told, not paged"


def test_a_table_that_nobody_owns_goes_to_the_one_team_that_owns_all_it_moved() -> None:
    world = World(contract("a"), contract("b"), exposure=BARE)
    world.step(of(NOBODYS), *under(NOBODYS, "a", "b"))
    assert roles(world) == {"#growth-alerts": Role.OWNER}


def test_a_table_that_nobody_owns_goes_to_the_fallback_which_hears_how_to_change_that() -> None:
    world = World(
        contract("a"),
        contract("b", owner=Owner("search")),
        exposure=BARE,
        teams=teams("search"),
    )
    world.step(of(NOBODYS), *under(NOBODYS, "a", "b"))
    owner = world.incident.owner
    assert (owner.channel, owner.is_fallback) == ("#data-platform", True)
    assert "exposures.analytics_events.owner" in owner.reason
    assert set(roles(world)) == {"#data-platform", "#growth-alerts", "#search"}


@pytest.mark.parametrize(
    ("cause", "owners", "exposure_owner", "expected"),
    [
        (replace(ANDROID, team="mobile"), {}, "data-platform", "mobile"),
        (ANDROID, {"android": "mobile"}, "data-platform", "mobile"),
        (ANDROID, {"ios": "mobile"}, "data-platform", "data-platform"),
        (ANDROID, {}, "", "growth"),
    ],
)
def test_a_cut_goes_to_the_owner_of_its_value_else_of_the_exposure_else_of_what_moved(
    cause: Cause, owners: dict[str, str], exposure_owner: str, expected: str
) -> None:
    dimension = Dimension("platform", "platform", owners=owners)
    exposure = replace(EXPOSURE, dimensions=(dimension,), owner=exposure_owner)
    world = World(contract("a"), contract("b"), exposure=exposure, teams=teams("mobile"))
    world.step(*under(cause, "a", "b"))
    assert world.incident.owner.team == expected


def test_a_platform_that_stopped_across_41_event_types_is_one_incident_and_a_line_for_each_owner() -> (
    None
):
    owners = [f"team-{i % 5}" for i in range(41)]
    contracts = [contract(f"e{i}", owner=Owner(o)) for i, o in enumerate(owners)]
    world = World(*contracts, teams=teams("mobile", *set(owners)))
    cause = replace(ANDROID, team="mobile")
    posts = sent(world.step(*under(cause, *(c.event_type for c in contracts))))
    assert world.incident.severity is Severity.CRITICAL
    assert sorted(p.channel for p in posts) == sorted({"#mobile", *(f"#{o}" for o in owners)})


def test_event_types_that_a_cut_moved_without_an_alert_of_their_own_count_as_well() -> None:
    names = [f"e{i}" for i in range(10)]
    contracts = [contract(n, owner=Owner("search")) for n in names]
    world = World(*contracts, teams=teams("mobile", "search"))
    cut = replace(ANDROID, team="mobile")
    speaks = alert(result(None, cut=cut.cut), cause=replace(cut, affected=tuple(names)))
    world.step(speaks, *under(cut, "e1"))
    assert roles(world) == {"#mobile": Role.OWNER, "#search": Role.AFFECTED}
    assert world.incident.severity is Severity.CRITICAL


def test_a_source_is_one_incident_of_the_operators_whatever_it_holds_up() -> None:
    world = World(contract(), teams={"data-platform": Team("data-platform", "#ops")})
    both = [alert(unreadable(exposure=name), cause=SOURCE) for name in (EXPOSURE.name, "other")]
    (post,) = sent(world.step(*both))
    assert (post.channel, world.incident.others) == ("#ops", ())
    assert "operators" in world.incident.owner.reason


def test_a_rename_goes_to_the_owner_of_the_declared_name() -> None:
    cause = Cause(
        CauseKind.RENAME,
        "r",
        EXPOSURE.name,
        "user_followed_user",
        event_type="user_followed_user",
        other="user_followed",
    )
    world = World(contract())
    declared = alert(result(), cause=cause)
    undeclared = alert(result("user_followed"), cause=cause, explained=True)
    posts = sent(world.step(undeclared, declared))
    assert roles(world) == {"#growth-alerts": Role.OWNER}
    assert len(posts) == 1


def test_nobody_unowned() -> None:
    world = World()
    (post,) = sent(world.step(alert(result("nobody_knows"))))
    assert post.channel == "#data-platform"
    assert "declare it with owner.team" in world.incident.owner.reason


def test_consumers_are_told_and_never_mentioned() -> None:
    world = World(contract(consumers=(Consumer("ranking", "#ranking"), Consumer("board", "x"))))
    posts = {p.channel: p for p in sent(world.step(alert()))}
    assert roles(world) == {"#growth-alerts": Role.OWNER, "#ranking": Role.CONSUMER}
    assert "subteam" in posts["#growth-alerts"].message.blocks
    assert "subteam" not in posts["#ranking"].message.blocks


def test_a_consumer_in_a_channel_that_hears_of_it_anyway_is_not_told_twice() -> None:
    world = World(contract(consumers=(Consumer("growth-dashboards", "#growth-alerts"),)))
    assert len(sent(world.step(alert()))) == 1


def test_the_most_concerned_role_of_a_channel_and_team_wins() -> None:
    first = contract("a", consumers=(Consumer("search", "#search"),))
    second = contract("b", owner=Owner("search"))
    world = World(first, second, teams=teams("search"))
    world.step(of(TABLE), *under(TABLE, "a", "b"))
    assert roles(world)["#search"] is Role.AFFECTED


def test_on_call_is_shown_where_the_critical_tier_moved_and_nowhere_else() -> None:
    own = Owner("growth", oncall="growth-primary")
    for tier, oncall in ((Tier.CRITICAL, "growth-primary"), (Tier.STANDARD, "")):
        world = World(contract(tier=tier, owner=own))
        world.step(alert())
        assert world.incident.owner.oncall == oncall
    assert world.incident.severity is Severity.WARNING
    known = {"growth": Team("growth", "#growth-alerts", oncall="growth-team")}
    world = World(contract(tier=Tier.CRITICAL), teams=known)
    world.step(alert())
    assert world.incident.owner.oncall == "growth-team"
    assert world.incident.severity is Severity.CRITICAL


def test_what_a_cause_explains_is_one_row_that_names_the_cause() -> None:
    world = World(contract("a"), contract("b"), contract("c"))
    a, b, c = under(TABLE, "a", "b", "c")
    (row,) = held_back(world.step(of(TABLE), a, b))
    assert row.last_error == "explained by analytics_events"
    assert set(row.alert_ids) == {a.id, b.id}
    assert held_back(world.step(c)) == [], "one row an incident"


def test_the_owner_stays_while_people_read_its_message() -> None:
    world = World(contract())
    world.step(alert())
    moved = Directory({"growth": Team("growth", "#elsewhere")}, {}, "data-platform")
    world.office = replace(world.office, directory=moved)
    assert sent(world.step(replace(alert(), seen_at=NOW))) == []
    assert world.incident.owner.channel == "#growth-alerts"
