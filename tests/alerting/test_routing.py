"""Nothing is unrouted, and the reason says what would change it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from eventwatch.alerting.routing import Directory, route, usable_channel, usable_group
from eventwatch.model.contract import Owner, Team
from eventwatch.model.result import Cut
from eventwatch.model.settings import Dimension
from eventwatch.model.status import Status
from tests.alerting.builders import EXPOSURE, TEAMS, contract, hostile, result, unreadable

DIRECTORY = Directory(TEAMS, {}, "data-platform")


def owned(team: str = "", channel: str = "") -> object:
    return contract(owner=Owner(team, channel))


def test_the_owner_in_the_contract_is_told_in_the_teams_channel() -> None:
    found = route(result(), contract(), EXPOSURE, DIRECTORY)
    assert (found.team, found.channel, found.group_id) == ("growth", "#growth-alerts", "S0123ABCD")
    assert not found.is_fallback


def test_a_channel_in_the_contract_wins_over_the_teams() -> None:
    found = route(result(), contract(owner=Owner("growth", "#invites")), EXPOSURE, DIRECTORY)
    assert (found.team, found.channel, found.group_id) == ("growth", "#invites", "S0123ABCD")


def test_a_channel_of_no_known_form_in_the_contract_is_passed_over() -> None:
    wrong = contract(owner=Owner("growth", "https://hooks.slack.com/services/x"))
    assert route(result(), wrong, EXPOSURE, DIRECTORY).channel == "#growth-alerts"


def test_config_overrides_and_completes_the_contracts_directory() -> None:
    directory = Directory(
        {"growth": Team("growth", "#old", "S0123ABCD", email="g@example.com")},
        {"growth": Team("growth", "#new"), "data-platform": Team("data-platform", "#data")},
        "data-platform",
    )
    team = directory.team("growth")
    assert team is not None
    assert (team.slack_channel, team.slack_group_id, team.email) == (
        "#new",
        "S0123ABCD",
        "g@example.com",
    )
    assert route(result(), contract(), EXPOSURE, directory).channel == "#new"


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (None, "no contract declares this event type"),
        (contract(owner=Owner()), "set owner.team of acme.events.UserFollowedUser"),
        (contract(owner=Owner("grwoth")), "did you mean growth?"),
        (contract(owner=Owner("mute")), "set teams.mute.slack_channel"),
        (contract(owner=Owner("odd")), "of no known form"),
    ],
)
def test_what_has_no_reachable_owner_goes_to_the_fallback_team(declared: object, says: str) -> None:
    teams = {**TEAMS, "mute": Team("mute"), "odd": Team("odd", "@somebody")}
    found = route(result(), declared, EXPOSURE, Directory(teams, {}, "data-platform"))  # type: ignore[arg-type]
    assert (found.team, found.channel) == ("data-platform", "#data-platform")
    assert found.is_fallback
    assert says in found.reason


def test_a_channel_without_a_team_is_still_used() -> None:
    found = route(result(), contract(owner=Owner("", "#invites")), EXPOSURE, DIRECTORY)
    assert (found.team, found.channel, found.is_fallback) == ("", "#invites", False)


def test_the_exposure_as_a_whole_goes_to_its_owner_else_to_the_fallback_team() -> None:
    whole = result(None)
    mine = replace(EXPOSURE, owner="growth")
    assert route(whole, None, mine, DIRECTORY).team == "growth"
    nobodys = route(whole, None, replace(EXPOSURE, owner=""), DIRECTORY)
    assert nobodys.is_fallback
    assert "exposures.analytics_events.owner" in nobodys.reason


def test_a_value_of_a_dimension_may_have_an_owner_of_its_own() -> None:
    owned_android = replace(
        EXPOSURE, dimensions=(Dimension("platform", "platform", owners={"android": "growth"}),)
    )
    android, ios = Cut("platform", "android"), Cut("platform", "ios")
    assert route(result(None, cut=android), None, owned_android, DIRECTORY).team == "growth"
    assert route(result(None, cut=ios), None, owned_android, DIRECTORY).team == "data-platform"
    theirs = route(result(cut=android), contract(), owned_android, DIRECTORY)
    assert theirs.reason == "owner named in the contract"


def test_a_check_may_name_the_team() -> None:
    found = route(result(runs_to="data-platform"), contract(), EXPOSURE, DIRECTORY)
    assert (found.team, found.is_fallback) == ("data-platform", False)


def test_our_own_trouble_goes_to_the_operators_whoever_owns_the_data() -> None:
    mine = replace(EXPOSURE, owner="growth")
    assert route(unreadable(), None, mine, DIRECTORY).is_fallback
    broken = result(status=Status.ERROR)
    assert route(broken, contract(), mine, DIRECTORY).team == "data-platform"


@pytest.mark.parametrize(
    "channel", ["#growth-alerts", "#a", "#équipe", "#チーム", "C0123ABCD", "G0123ABCD12"]
)
def test_names_and_ids_of_channels_are_usable(channel: str) -> None:
    assert usable_channel(channel) == channel


@pytest.mark.parametrize(
    "channel",
    [
        *(
            "",
            "#",
            "growth",
            "#Growth",
            "#a b",
            "#a\n",
            "@ada",
            "U0123ABCD",
            "D0123ABCD",
            "c0123abcd",
        ),
        *("https://hooks.slack.com/services/T/B/X", "#" + "a" * 81, "<!channel>", "#<!channel>"),
    ],
)
def test_anything_else_is_no_channel(channel: str) -> None:
    assert usable_channel(channel) == ""


@pytest.mark.parametrize(
    "group", ["", "growth", "@growth", "U0123ABCD", "S012", "S0123ABCD>", "s0123abcd"]
)
def test_only_the_id_of_a_group_can_be_mentioned(group: str) -> None:
    assert usable_group("S0123ABCD") == "S0123ABCD"
    assert usable_group(group) == ""


@given(hostile, hostile, hostile)
def test_hostile_owners_reach_a_usable_channel(team: str, channel: str, group: str) -> None:
    teams = {**TEAMS, team: Team(team, channel, group)}
    directory = Directory(teams, {}, "data-platform")
    for each in (contract(owner=Owner(team, channel)), contract(owner=Owner(team)), None):
        found = route(result(), each, EXPOSURE, directory)
        assert found.channel
        assert found.channel == usable_channel(found.channel)
        assert found.group_id == usable_group(found.group_id)
        assert len(found.reason) < 600
