from __future__ import annotations

from collections.abc import Callable

import pytest

from eventwatch.config.load import Loaded

from .conftest import GOOD
from .test_crosscheck import catalog, contract, odd, wrong

Load = Callable[..., Loaded]
WINDOW = "maintenance:\n  - {{name: w, reason: r, from_time: 01:00, to_time: 02:00, {}}}\n"


def test_apprise_urls_of_a_team_that_nobody_knows_are_a_fault(loaded: Load) -> None:
    text = GOOD + '  apprise: {urls: {dato: ["${U}"], growth: ["${U}"], "*": ["${U}"]}}\n'
    found = loaded(text, env={"U": "ntfys://a"})
    assert wrong(found, catalog(teams=("growth",))) == [
        "config.yaml:16 notify.apprise.urls.dato: there is no team 'dato'; did you mean data?"
    ]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ("exposure: event", "'event' matches no exposure; did you mean events?"),
        ("event_type: 'usr_*'", "'usr_*' matches no declared event type"),
        ("kind: volum", "'volum' matches no kind of check; did you mean volume?"),
        ("team: dato", "'dato' matches no team; did you mean data?"),
        ("dimension: platfrm", "'platfrm' matches no watched dimension; did you mean platform?"),
    ],
)
def test_a_window_whose_filter_matches_nothing_is_warned_of(
    loaded: Load, filters: str, said: str
) -> None:
    (found,) = odd(loaded(GOOD + WINDOW.format(filters)), catalog(contract()))
    assert f"config.yaml:17 maintenance[0].{filters.split(':', maxsplit=1)[0]}: " in found
    assert said in found


def test_a_window_that_matches_gives_nothing(loaded: Load) -> None:
    filters = "exposure: 'ev*', event_type: 'user_*', kind: '*', team: data, dimension: platform"
    assert odd(loaded(GOOD + WINDOW.format(filters)), catalog(contract())) == []


def test_a_window_that_mutes_everything_every_day_is_warned_of(loaded: Load) -> None:
    (found,) = odd(loaded(GOOD + WINDOW.format("time_zone: UTC")), catalog(contract()))
    assert "maintenance[0]: mutes everything, every day" in found
    assert odd(loaded(GOOD + WINDOW.format("weekdays: [sun]")), catalog(contract())) == []


@pytest.mark.parametrize(
    ("boss", "said"),
    [
        ("data", ["names the team itself"]),
        ("boss", ["the team boss has no Slack channel, so the fallback team is told instead"]),
        ("growth", []),
    ],
)
def test_whoever_is_escalated_to_must_be_somebody_else_who_can_be_told(
    loaded: Load, boss: str, said: list[str]
) -> None:
    text = GOOD.replace('"#data"}', f'"#data", escalate_to: {boss}' + "}\n  boss:")
    found = odd(loaded(text), catalog(contract(), teams=("growth",)))
    assert len(found) == len(said)
    assert all(
        words in each and "config.yaml:13 teams.data.escalate_to: " in each
        for words, each in zip(said, found, strict=True)
    )


def test_buttons_that_the_operators_may_not_press_are_warned_of(loaded: Load) -> None:
    text = GOOD + '  slack: {token: "${T}", app_token: "${A}"}\n'
    env = {"T": "xoxb-12345678", "A": "xapp-1-12345"}
    (found,) = odd(loaded(text, env=env), catalog(contract()))
    assert "set button_groups here, or teams.data.slack_group_id" in found
    grouped = text.replace('"#data"}', '"#data", slack_group_id: S0123ABCD}')
    assert odd(loaded(grouped, env=env), catalog(contract())) == []
