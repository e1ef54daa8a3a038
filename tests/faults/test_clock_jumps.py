"""F11: somebody sets the machine's clock while the daemon runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from eventwatch.daemon.ledger import CLOCK
from eventwatch.model.alert import Action
from tests.clockshim.clockshim import wall_clock
from tests.fakes.project import Project
from tests.faults.figures import Figures
from tests.faults.watched import (
    Watched,
    daemon,
    ledger,
    lively,
    more,
    ran,
    reading,
    wait_for,
)

YEARS = 10 * 365 * 86400
SHORT = ((-3600, 3.0), (YEARS, 3.0))
LONG = (
    *((step, 4.0) for step in (-3600, -60, 7200, YEARS, -YEARS) for _ in range(3)),
    *((30 if i % 2 else -30, 6.0) for i in range(6)),
)


def opened(watched: Watched) -> list[tuple[str, bool]]:
    with reading(watched.state) as reader:
        return sorted((i.id, i.open) for i in reader.incidents(open_only=False))


def jumped(
    project: Project, tmp_path: Path, steps: tuple[tuple[int, float], ...], figures: Figures
) -> None:
    lively(project, minutes=30)
    clock = wall_clock(tmp_path)
    with daemon(project, env=clock.env) as watched:
        assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
        assert wait_for(lambda: opened(watched) != [])
        before = opened(watched)
        for by, seconds in steps:
            two_more = more(watched, 2)
            clock.set_by(by)
            began = time.monotonic()
            assert wait_for(two_more, 30), (by, watched.log)
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
            clock.set_by(0)
            time.sleep(2.0)
        assert watched.end() == 0
    figures.tried(2 * len(steps))
    watched.report(figures)
    assert opened(watched) == before, "an incident opened or closed because of a clock"
    assert {open_ for _, open_ in before} == {True}
    jumps = [s.reason for s in ledger(watched.state, CLOCK)]
    assert sum("clock_jump: the machine's clock jumped by" in each for each in jumps) == len(steps)
    with reading(watched.state) as reader:
        rows = [d for i in reader.incidents(open_only=False) for d in reader.deliveries_of(i.id)]
    posts = [d.key for d in rows if d.action is Action.POST]
    figures.messages([] if posts else ["user_x"], posts[1:])
    assert {d.action for d in rows} <= {Action.POST, Action.UPDATE}, (
        "nothing was said of it but once"
    )


def test_jobs_go_on_and_nothing_is_told_because_of_a_clock(
    project: Project, tmp_path: Path, figures: Figures
) -> None:
    jumped(project, tmp_path, SHORT, figures)


@pytest.mark.slow
def test_each_jump_three_times(project: Project, tmp_path: Path, figures: Figures) -> None:
    jumped(project, tmp_path, LONG, figures)
