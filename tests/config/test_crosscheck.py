from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eventwatch.config.load import Loaded, cross_check, cross_warnings
from eventwatch.model.contract import Catalog, Contract, Location, Owner, Team
from eventwatch.model.errors import path_text

from .conftest import GOOD

Load = Callable[..., Loaded]


def catalog(*contracts: Contract, teams: tuple[str, ...] = ()) -> Catalog:
    return Catalog(
        {c.event_type: c for c in contracts},
        {t: Team(t, slack_channel=f"#{t}") for t in teams},
        "d",
    )


def contract(event_type: str = "user_followed_user", **changes: object) -> Contract:
    made: dict[str, object] = {
        "event_type": event_type,
        "message_name": "a.B",
        "location": Location("a.proto", 7),
        "owner": Owner("data"),
        **changes,
    }
    return Contract(**made)  # type: ignore[arg-type]


def wrong(loaded: Loaded, made: Catalog) -> list[str]:
    return [f"{Path(f.path).name}:{f.line} {f.key}: {f.message}" for f in cross_check(loaded, made)]


def odd(loaded: Loaded, made: Catalog) -> list[str]:
    return [
        f"{Path(f.path).name}:{f.line} {f.key}: {f.message}" for f in cross_warnings(loaded, made)
    ]


def test_what_fits_together_gives_nothing(loaded: Load) -> None:
    made = catalog(contract(expected_values={"platform": ("ios",)}))
    checks = {"a.yaml": "- {kind: volume, events: 'user_*', teams: data, exposures: ev*}"}
    assert wrong(loaded(checks=checks), made) == []
    assert odd(loaded(checks=checks), made) == []


def test_teams_of_the_contracts_count(loaded: Load) -> None:
    text = GOOD.replace('teams:\n  data: {slack_channel: "#data"}\n', "")
    assert wrong(loaded(text), catalog(contract(), teams=("data",))) == []


def test_unknown_teams_are_named_where_they_stand(loaded: Load) -> None:
    text = GOOD.replace("owner: data", "owner: dato")
    text = text.replace("[platform]", "[{column: platform, owners: {ios: mobile-team}}]")
    text = text.replace('"#data"}', '"#data", escalate_to: boss}')
    text = text.replace("fallback_team: data", "fallback_team: date")
    assert wrong(loaded(text), catalog()) == [
        "config.yaml:10 exposures.events.dimensions[0].owners.ios: there is no team 'mobile-team'; "
        "add it to teams in config.yaml or to the contracts' team enum",
        "config.yaml:11 exposures.events.owner: there is no team 'dato'; did you mean data?",
        "config.yaml:13 teams.data.escalate_to: there is no team 'boss'; add it to teams in "
        "config.yaml or to the contracts' team enum",
        "config.yaml:15 notify.fallback_team: there is no team 'date'; did you mean data?",
    ]


@pytest.mark.parametrize("team", ["{oncall: x}", ""])
def test_a_fallback_team_without_a_channel_is_a_fault(loaded: Load, team: str) -> None:
    (found,) = wrong(loaded(GOOD.replace('{slack_channel: "#data"}', team)), catalog())
    assert "the team data has no Slack channel; set teams.data.slack_channel" in found


def test_a_misspelled_exposure_in_a_contract_is_a_fault(loaded: Load) -> None:
    made = catalog(contract(exposures=("event",)))
    assert wrong(loaded(), made) == [
        "a.proto:7 user_followed_user: there is no exposure 'event'; did you mean events?"
    ]
    assert odd(loaded(), made) == []


def test_a_fault_at_a_contract_stands_where_the_file_is_found_from_here(
    loaded: Load, tmp_path: Path
) -> None:
    (tmp_path / "contracts").mkdir()
    (found,) = cross_check(loaded(), catalog(contract(exposures=("event",))))
    assert (found.path, found.line) == (path_text(tmp_path / "contracts" / "a.proto"), 7)


def test_an_exposure_that_another_installation_watches_is_only_said(loaded: Load) -> None:
    made = catalog(contract(exposures=("warehouse_two",)))
    assert wrong(loaded(), made) == []
    assert "names the exposure 'warehouse_two'" in odd(loaded(), made)[0]


def test_an_owner_that_nobody_knows_is_said_at_the_contract(loaded: Load) -> None:
    (found,) = odd(loaded(), catalog(contract(owner=Owner("dta"))))
    assert found.startswith(
        "a.proto:7 user_followed_user: there is no team 'dta'; did you mean data?"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("events: user_folowed_*", "'user_folowed_*' matches no declared event type; did you mean"),
        ("teams: dota", "'dota' matches no team; did you mean data?"),
        ("exposures: [events, evnts]", "'evnts' matches no exposure; did you mean events?"),
        ("dimensions: country", "'country' matches no watched dimension"),
    ],
)
def test_patterns_that_match_nothing_are_said(loaded: Load, line: str, message: str) -> None:
    checks = {"a.yaml": f"\n- kind: drift\n  {line}\n"}
    (found,) = odd(loaded(checks=checks), catalog(contract()))
    assert found.startswith("a.yaml:2 ")
    assert message in found


def test_promises_about_a_dimension_that_is_not_watched_are_said_once(loaded: Load) -> None:
    made = catalog(
        contract("a", expected_values={"country": ("de",)}),
        contract("b", expected_values={"country": ("fr",)}),
    )
    (found,) = odd(loaded(), made)
    assert found == (
        "config.yaml:10 exposures.events.dimensions: 2 contracts name values of country, which is "
        "not watched here; add country to dimensions"
    )
