"""F19: a part of the daemon dies, and the process ends with 70, so that a supervisor starts it again."""

from __future__ import annotations

import pytest

from tests.fakes.project import Project
from tests.faults.watched import daemon, lively


@pytest.mark.parametrize(
    "part",
    ["worker", *(pytest.param(p, marks=pytest.mark.slow) for p in ("scheduler", "sender"))],
)
def test_a_thread_that_dies_ends_the_process(project: Project, part: str) -> None:
    lively(project)
    with daemon(project, env={"QUICK_BREAK": part}) as watched:
        assert watched.process.wait(timeout=30) == 70, watched.log.read_text()
        assert watched.told("a thread died"), watched.log.read_text()


@pytest.mark.slow
def test_a_scheduler_that_stands_still_ends_the_process(project: Project) -> None:
    lively(project)
    with daemon(project, env={"QUICK_BREAK": "stuck"}) as watched:
        assert watched.process.wait(timeout=100) == 70, watched.log.read_text()
        assert watched.told("the scheduler stands still")
        assert project.run("health").code == 1
