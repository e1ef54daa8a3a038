"""That the state cannot be written is told although no row can be made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventwatch import app
from eventwatch.app.outcry import AFTER, AGAIN, Outcry
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack, Fault
from tests.faults.crowd import with_slack

WHY = (
    "state var/state.db: <!channel> database or disk is full. Free some space; nothing was changed"
)


class Scene:
    """An outcry whose time a test moves, and the Slack that hears it."""

    def __init__(self, project: Project, slack: FakeSlack) -> None:
        self.slack, self.seconds = slack, 0.0
        house = app.load(project.folder / "config.yaml")
        self.outcry = Outcry(lambda: house, seconds=lambda: self.seconds)

    def look(self, why: str, after: float) -> list[str]:
        """Some time later; what was said in all by then."""
        self.seconds += after
        self.outcry.look(why)
        if self.outcry._thread is not None:
            self.outcry._thread.join(20)
        return [str(m.body["text"]) for m in self.slack.messages]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    project = Project(tmp_path / "shop")
    project.declare("user_a")
    project.config()
    slack = FakeSlack()
    with slack.running():
        for name, value in with_slack(project, slack).items():
            monkeypatch.setenv(name, value)
        yield Scene(project, slack)


LONG = AFTER.total_seconds()


def test_what_lasts_is_told_once_to_the_operators_and_that_it_is_over(scene: Scene) -> None:
    assert scene.look(WHY, 0) == []
    assert scene.look(WHY, LONG - 1) == []
    (said,) = scene.look(WHY, 2)
    assert "has not been able to write its state for 2 min" in said
    assert "disk is full" in said
    assert "<!channel>" not in said
    assert scene.slack.messages[0].channel == "C0DATA0001"
    assert len(scene.look(WHY, 10 * LONG)) == 1
    _, over = scene.look("", 5)
    assert "can write its state again" in over
    assert len(scene.look("", LONG)) == 2


def test_what_is_over_in_a_moment_is_told_to_nobody(scene: Scene) -> None:
    for _ in range(5):
        assert scene.look(WHY, LONG - 1) == []
        assert scene.look("", 1) == []


def test_it_is_tried_again_after_a_while_and_not_all_the_time(scene: Scene) -> None:
    scene.slack.faults += [Fault(error="channel_not_found")] * 2
    assert scene.look(WHY, 0) == []
    assert scene.look(WHY, LONG) == []
    assert len(scene.slack.faults) == 1
    assert scene.look(WHY, 1) == []
    assert len(scene.slack.faults) == 1
    assert scene.look(WHY, AGAIN.total_seconds()) == []
    assert len(scene.look(WHY, AGAIN.total_seconds())) == 1


def test_an_answer_that_was_lost_is_taken_for_said(scene: Scene) -> None:
    scene.slack.faults.append(Fault(stored=True, closes=True))
    scene.look(WHY, 0)
    assert len(scene.look(WHY, LONG)) == 1
    assert len(scene.look(WHY, LONG)) == 1
