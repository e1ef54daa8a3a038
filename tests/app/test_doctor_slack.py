"""What the doctor says of Slack: a fake one that is asked and never posted to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.app.doctor import Area, Level
from tests.fakes.project import Project
from tests.fakes.slack import ALL_SCOPES, Channel, FakeSlack

from .conftest import about, look, of

GROUPS = {
    "usergroups": [{"id": "S0123ABCDE", "date_delete": 0}, {"id": "S0GONE0001", "date_delete": 7}]
}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = FakeSlack(
        channels=[Channel("C0GROWTH01", "growth"), Channel("C0DATA0001", "data-platform")],
        scopes=ALL_SCOPES | {"usergroups:read"},
        methods={
            "usergroups.list": lambda _: {"ok": True, **GROUPS},
            "apps.connections.open": lambda _: {"ok": True, "url": "wss://wss-primary.slack.com/"},
        },
    )
    with fake.running():
        yield fake


def with_slack(shop: Project, slack: FakeSlack, more: str = "") -> None:
    path = shop.folder / "config.yaml"
    section = f'slack: {{token: {slack.token}, base_url: "{slack.base_url}"{more}}}'
    path.write_text(path.read_text().replace("notify: {", f"notify: {{{section}, "))


def test_a_slack_that_is_ready_has_no_complaint(shop: Project, slack: FakeSlack) -> None:
    with_slack(shop, slack, ", app_token: xapp-1-A01-x, button_groups: [S0123ABCDE]")
    slack.methods["apps.connections.open"] = lambda _: {"ok": True, "url": "wss://x"}
    slack.token = "xoxb-123-canary-token"
    found = look(shop)
    # The fake has one token for everything, and the app-level one is another.
    assert [f.subject for f in about(found, Area.MESSAGES)] == ["buttons"]
    assert of(found, Area.MESSAGES, "channels").said == "the app is in #growth, #data-platform"
    assert of(found, Area.CLOCK, "clock").level is Level.OK
    assert not [m for m in slack.requests if "chat." in m[0]]


def test_a_channel_that_cannot_be_posted_to_is_told_with_who_would_not_hear(
    shop: Project, slack: FakeSlack
) -> None:
    slack.channels[0].member = False
    slack.channels[1].archived = True
    slack.methods["conversations.list"] = lambda _: {
        "ok": True,
        "channels": [
            {"id": "C0GROWTH01", "name": "growth", "is_archived": False},
            {"id": "C0DATA0001", "name": "data-platform", "is_archived": True},
        ],
    }
    with_slack(shop, slack)
    found = look(shop)
    growth = of(found, Area.MESSAGES, "#growth")
    assert growth.level is Level.FAIL
    assert "the app is not in it (for user_followed_user, exposure events)" in growth.said
    assert "/invite @eventwatch" in growth.advice
    data = of(found, Area.MESSAGES, "#data-platform")
    assert (data.level, data.said.split(":")[0]) == (Level.FAIL, "is archived")
    assert found.exit_code == 3


def test_a_public_channel_that_the_app_may_post_to_from_outside_is_a_warning(
    shop: Project, slack: FakeSlack
) -> None:
    slack.channels[0].member = False
    slack.scopes |= {"chat:write.public"}
    slack.methods["conversations.list"] = lambda _: {
        "ok": True,
        "channels": [{"id": "C0GROWTH01", "name": "growth"}],
    }
    with_slack(shop, slack)
    assert of(look(shop), Area.MESSAGES, "#growth").level is Level.WARNING


def test_channels_given_by_id_are_asked_for_one_by_one(shop: Project, slack: FakeSlack) -> None:
    path = shop.folder / "config.yaml"
    path.write_text(
        path.read_text()
        .replace("'#growth'", "C0GROWTH01")
        .replace("'#data-platform'", "C0NONE0001")
    )
    with_slack(shop, slack)
    slack.methods["conversations.info"] = lambda asked: (
        {"ok": True, "channel": {"id": "C0GROWTH01", "is_member": True}}
        if asked["channel"] == "C0GROWTH01"
        else {"ok": False, "error": "channel_not_found"}
    )
    found = look(shop)
    assert of(found, Area.MESSAGES, "channels").said == "the app is in C0GROWTH01"
    assert "there is no such channel" in of(found, Area.MESSAGES, "C0NONE0001").said


def test_each_scope_that_is_missing_says_what_is_lost(shop: Project, slack: FakeSlack) -> None:
    slack.scopes = frozenset({"channels:read", "groups:read", "files:write"})
    with_slack(shop, slack)
    found = look(shop)
    assert of(found, Area.MESSAGES, "scope chat:write").level is Level.FAIL
    history = of(found, Area.MESSAGES, "scope channels:history")
    assert (history.level, "come twice" in history.said) == (Level.WARNING, True)
    # Without an app-level token nobody presses a button.
    assert "scope usergroups:read" not in [f.subject for f in found.findings]


def test_groups_that_nobody_would_be_reached_by_are_told(shop: Project, slack: FakeSlack) -> None:
    with_slack(shop, slack, ", app_token: xapp-1-A01-x, button_groups: [S0GONE0001, S0NONE0001]")
    found = look(shop)
    assert "is disabled" in of(found, Area.MESSAGES, "S0GONE0001").said
    assert "does not exist" in of(found, Area.MESSAGES, "S0NONE0001").said
    assert of(found, Area.MESSAGES, "groups").said == "1 of 3 user groups found"


def test_a_token_that_is_refused_ends_the_look_at_slack_alone(
    shop: Project, slack: FakeSlack
) -> None:
    slack.auth_error = "token_revoked"
    with_slack(shop, slack)
    found = look(shop)
    assert "token_revoked" in of(found, Area.MESSAGES, "slack").said
    assert of(found, Area.EXPOSURES, "events").level is Level.OK
    assert found.exit_code == 3


def test_a_slack_that_is_away_says_what_to_look_at(shop: Project, slack: FakeSlack) -> None:
    with_slack(shop, slack)
    path = shop.folder / "config.yaml"
    path.write_text(path.read_text().replace(f":{slack.port}/", ":9/"))
    finding = of(look(shop), Area.MESSAGES, "slack")
    assert finding.said == "Slack cannot be reached: connection refused"
    assert "HTTPS_PROXY" in finding.advice


def test_a_clock_that_is_wrong_is_told_from_slacks(shop: Project, slack: FakeSlack) -> None:
    with_slack(shop, slack)
    ahead = look(shop, now=datetime.now(UTC) + timedelta(minutes=10))
    assert of(ahead, Area.CLOCK, "clock").level is Level.FAIL
    assert "ahead of Slack's" in of(ahead, Area.CLOCK, "clock").said
    behind = look(shop, now=datetime.now(UTC) - timedelta(hours=1))
    assert "behind Slack's" in of(behind, Area.CLOCK, "clock").said
