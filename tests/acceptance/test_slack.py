"""From a planted incident to the owner's channel of a Slack, by ``run-once --send``."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.fakes.project import Project, steady
from tests.fakes.slack import TOKEN, FakeSlack, Fault


@pytest.fixture
def shop(project: Project) -> Project:
    """Two declared types and one that nobody knows."""
    now = datetime.now(UTC)
    project.declare("user_a", "user_b", more="tags: 'x'")
    project.rows(steady(["user_a", "user_b", "user_c"], until=now, days=10))
    return project


def connect(project: Project, slack: FakeSlack) -> None:
    """Sends to this Slack."""
    project.config("    look_back: 20d\n")
    config = project.folder / "config.yaml"
    where = f'slack: {{token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.base_url}"}}'
    config.write_text(
        config.read_text().replace(
            "notify: {fallback_team: data-platform}",
            f"notify: {{fallback_team: data-platform, {where}}}",
        )
    )


ENV = {"SLACK_BOT_TOKEN": TOKEN}


def test_the_owner_s_channel_hears_it_once(shop: Project) -> None:
    with FakeSlack().running() as slack:
        connect(shop, slack)
        first = shop.run("run-once", "--send", "--format", "json", env=ENV)
        second = shop.run("run-once", "--send", "--format", "json", env=ENV)
    assert (first.code, second.code) == (1, 1), first.err
    assert len(slack.messages) == 1
    body = slack.messages[0].body
    assert "user_c" in json.dumps(body)
    assert slack.messages[0].channel == "C0DATA0001"


def test_an_answer_that_was_lost_makes_no_second_message(shop: Project) -> None:
    """The message was taken and the connection closed: the next cycle asks before it speaks."""
    with FakeSlack(faults=[Fault(stored=True, closes=True)]).running() as slack:
        connect(shop, slack)
        first = shop.run("run-once", "--send", "--format", "json", env=ENV)
        second = shop.run("run-once", "--send", "--format", "json", env=ENV)
    assert first.code == 1
    assert second.code == 1
    assert len(slack.messages) == 1


def test_a_limit_is_waited_for(shop: Project) -> None:
    with FakeSlack(faults=[Fault(status=429, retry_after="1")]).running() as slack:
        connect(shop, slack)
        done = shop.run("run-once", "--send", "--format", "json", env=ENV)
    assert done.code == 1
    assert len(slack.messages) == 1


def test_the_token_is_in_no_output(shop: Project) -> None:
    with FakeSlack(faults=[Fault(error="invalid_auth")]).running() as slack:
        connect(shop, slack)
        done = shop.run("--log-level", "debug", "run-once", "--send", "--preview", env=ENV)
    assert TOKEN not in done.out + done.err
    assert slack.messages == []


def test_an_audit_speaks_to_nobody(shop: Project) -> None:
    with FakeSlack().running() as slack:
        connect(shop, slack)
        done = shop.run("run-once", "--preview", "--format", "json", env=ENV)
    assert [m["channel"] for m in done.report["messages"]] == ["#data-platform"]
    assert slack.messages == []
