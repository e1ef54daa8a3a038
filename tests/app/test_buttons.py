"""Buttons from the envelope to the answer: who may press, what is done, what is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eventwatch.alerting.routing import Directory
from eventwatch.app.buttons import Buttons, allowed_for
from eventwatch.app.house import House, load
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Team
from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Incident, IncidentState, Recipient, Role
from eventwatch.model.settings import SlackSettings
from eventwatch.model.status import Severity
from eventwatch.notifiers.slack_press import Button
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.project import Project
from tests.fakes.socket_mode import APP_TOKEN, BOT_TOKEN, FakeSocketMode, press

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
ANNA, BERT = "U0ANNA0001", "U0BERT0001"
OWNERS, OPERATORS, LISTED = "S0GROWTH01", "S0DATA0001", "S0LISTED01"
INCIDENT = Incident(
    id="0123456789ab",
    cause=Cause(CauseKind.EVENT_TYPE, "ab", "events", "user_followed_user"),
    state=IncidentState.OPEN,
    severity=Severity.CRITICAL,
    owner=Recipient(Role.OWNER, "growth", "#growth", OWNERS),
    opened_at=NOW,
    began_at=NOW,
    members=(),
)


class Store:
    """As much of a state as a button needs before anything is done."""

    def __init__(self, *incidents: Incident) -> None:
        self.incidents = incidents

    def incidents_like(self, beginning: str, limit: int = 10) -> tuple[Incident, ...]:
        return tuple(i for i in self.incidents if i.id.startswith(beginning))[:limit]


class Done:
    """What was done, in place of the functions behind the buttons."""

    def __init__(self, slack: FakeSocketMode) -> None:
        self.slack, self.woken = slack, 0
        self.done: list[tuple[str, str, str]] = []
        self.error: Exception | None = None
        self.failed = 0
        self.acts = {button.value: self._act(button.value) for button in Button}

    def _act(self, name: str) -> Any:
        def act(_: object, __: object, incident: Incident, author: str, ___: datetime) -> str:
            if self.error is not None:
                self.slack.note(self._count)
                raise self.error
            self.done.append((name, incident.id, author))
            return f"did {name}"

        return act

    def _count(self) -> None:
        self.failed += 1

    def wake(self) -> None:
        self.woken += 1
        raise RuntimeError("nobody listens")


@pytest.fixture
def slack() -> Iterator[FakeSocketMode]:
    with FakeSocketMode(groups={OWNERS: [ANNA], OPERATORS: [BERT], LISTED: []}).running() as fake:
        yield fake


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.config()
    made.declare("user_followed_user")
    return made


def house(project: Project, slack: FakeSocketMode, more: str = "", app: bool = True) -> House:
    path = project.folder / "config.yaml"
    project.config()
    token = f"app_token: {APP_TOKEN}, " if app else ""
    section = f'slack: {{token: {BOT_TOKEN}, {token}base_url: "{slack.base_url}"{more}}}, '
    text = path.read_text().replace("notify: {", "notify: {" + section)
    text = text.replace("'#data-platform'", f"'#data-platform', slack_group_id: {OPERATORS}")
    path.write_text(text)
    return load(path)


@contextmanager
def pressing(
    project: Project, slack: FakeSocketMode, store: Store, more: str = ""
) -> Iterator[Done]:
    done = Done(slack)
    made = Buttons(
        house(project, slack, more),
        store,  # type: ignore[arg-type]
        wake=done.wake,
        acts=done.acts,
    )
    assert made.wanted
    made.start()
    try:
        slack.wait(lambda: slack.connections == 1)
        yield done
        assert made.alive
    finally:
        made.stop()
    assert not made.alive


def answered(slack: FakeSocketMode, count: int = 1) -> str:
    slack.wait(lambda: len(slack.whispers) >= count)
    return slack.whispers[-1]["text"]


@pytest.mark.parametrize("button", list(Button))
def test_a_member_of_the_owners_group_presses_and_is_told_what_happened(
    project: Project, slack: FakeSocketMode, button: Button
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press(action_id=button.value, thread="1790000000.000001"))
        assert answered(slack) == f"did {button.value}"
    assert done.done == [(button.value, INCIDENT.id, "anna")]
    assert done.woken == 1
    (whisper,) = slack.whispers
    assert whisper["user"] == ANNA
    assert whisper["channel"] == "C0GROWTH01"
    assert whisper["thread_ts"] == "1790000000.000001"


def test_the_fallback_teams_group_may_press_too(project: Project, slack: FakeSocketMode) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press(user=BERT, name="bert"))
        answered(slack)
    assert [author for _, _, author in done.done] == ["bert"]


def test_whoever_is_in_no_group_is_told_why_and_nothing_is_done(
    project: Project, slack: FakeSocketMode
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press(user="U0EVE00001", name="eve"))
        said = answered(slack)
    assert said == (
        "You may not do that: only members of the user group of growth and data-platform may."
    )
    assert (done.done, done.woken) == ([], 0)
    assert slack.whispers[0]["user"] == "U0EVE00001"


def test_groups_of_the_config_stand_in_place_of_the_teams(
    project: Project, slack: FakeSocketMode
) -> None:
    with pressing(project, slack, Store(INCIDENT), f", button_groups: [{LISTED}]") as done:
        slack.send(press("e-1"))
        assert "notify.slack.button_groups" in answered(slack)
        slack.groups[LISTED] = [ANNA]
    assert done.done == []


def test_members_are_asked_for_once_for_many_presses(
    project: Project, slack: FakeSocketMode
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        for i in range(5):
            slack.send(press(f"e-{i}"))
        answered(slack, 5)
    assert len(done.done) == 5
    assert [m for m, _, _ in slack.calls].count("usergroups.users.list") == 1


def test_where_slack_does_not_say_who_is_a_member_nobody_may(
    project: Project, slack: FakeSocketMode
) -> None:
    slack.errors["usergroups.users.list"] = "missing_scope"
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press())
        said = answered(slack)
    assert "Slack says missing_scope to usergroups.users.list" in said
    assert "eventwatch incidents explain 0123456789ab" in said
    assert done.done == []


def test_the_same_envelope_again_does_nothing_twice(
    project: Project, slack: FakeSocketMode
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        for _ in range(3):
            slack.send(press("e-1"))
        slack.send(press("e-2", action_id=Button.SILENCE.value))
        answered(slack, 2)
    assert sorted(name for name, _, _ in done.done) == ["eventwatch_ack", "eventwatch_silence"]


@pytest.mark.parametrize("value", ["0123", "0123456789", "ffffffffffff"])
def test_an_incident_is_named_whole_or_not_at_all(
    project: Project, slack: FakeSocketMode, value: str
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press(value=value))
        assert "not remembered any more" in answered(slack)
    assert done.done == []


def test_a_state_that_cannot_be_written_is_told_and_the_next_press_is_heard(
    project: Project, slack: FakeSocketMode
) -> None:
    with pressing(project, slack, Store(INCIDENT)) as done:
        done.error = StoreError("state var/state.db: database is locked. Try <again>")
        slack.send(press("e-1"))
        said = answered(slack)
        assert (
            "That did not work: state var/state.db: database is locked. Try &lt;again&gt;" in said
        )
        done.error = RuntimeError("a defect")
        slack.send(press("e-2"))
        slack.wait(lambda: done.failed == 2)
        done.error = None
        slack.send(press("e-3"))
        answered(slack, 2)
    assert len(done.done) == 1


def test_an_answer_that_cannot_be_given_stops_nothing(
    project: Project, slack: FakeSocketMode
) -> None:
    slack.errors["chat.postEphemeral"] = "channel_not_found"
    with pressing(project, slack, Store(INCIDENT)) as done:
        slack.send(press("e-1"))
        answered(slack)
        del slack.errors["chat.postEphemeral"]
        slack.send(press("e-2"))
        answered(slack, 2)
    assert len(done.done) == 2


def test_a_hostile_name_is_one_visible_line(project: Project, slack: FakeSocketMode) -> None:
    # Every name is read in the tests of the envelope; here a few go all the way.
    sent = [name for name in HOSTILE[::12] if not any("\ud800" <= c <= "\udfff" for c in name)]
    with pressing(project, slack, Store(INCIDENT)) as done:
        for i, name in enumerate(sent):
            slack.send(press(f"e-{i}", name=name))
        answered(slack, len(sent))
    assert len(done.done) == len(sent)
    assert all(author.isprintable() and author for _, _, author in done.done)


def test_without_an_app_level_token_there_are_no_buttons_and_nothing_breaks(
    project: Project, slack: FakeSocketMode
) -> None:
    made = Buttons(house(project, slack, app=False), Store())  # type: ignore[arg-type]
    made.start()
    assert (made.wanted, made.alive, made.connected) == (False, False, False)
    made.stop()
    assert slack.calls == []


def test_who_was_escalated_to_may_press_and_who_merely_reads_may_not() -> None:
    teams = {"data": Team("data", slack_group_id="not-an-id")}
    incident = replace(
        INCIDENT,
        others=(
            Recipient(Role.ESCALATION, "boss", "#boss", "S0BOSS0001"),
            Recipient(Role.CONSUMER, "reader", "#reader", "S0READER01"),
        ),
    )
    found = allowed_for(incident, SlackSettings(), Directory({}, teams, "data"))
    assert found.groups == (OWNERS, "S0BOSS0001")
    nobody = replace(INCIDENT, owner=Recipient(Role.OWNER, "growth", "#growth"))
    assert allowed_for(nobody, SlackSettings(), Directory({}, teams, "data")).groups == ()


def test_where_no_team_has_a_group_the_answer_says_what_to_set(
    project: Project, slack: FakeSocketMode
) -> None:
    incident = replace(INCIDENT, owner=Recipient(Role.OWNER, "growth", "#growth"))
    done = Done(slack)
    wired = house(project, slack)
    nobody = Directory({}, {}, "data-platform")
    made = Buttons(
        wired,
        Store(incident),  # type: ignore[arg-type]
        directory=lambda: nobody,
        acts=done.acts,
    )
    made.start()
    slack.wait(lambda: slack.connections == 1)
    slack.send(press())
    assert "Nobody may press this yet" in answered(slack)
    made.stop()
    assert done.done == []
