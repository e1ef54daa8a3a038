"""A changed configuration: what is valid is used without a restart, what is not is left aside."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

from tests.fakes.project import Project, steady
from tests.faults.watched import Watched, daemon, ledger, ran, reading, wait_for


def shop(project: Project) -> None:
    project.declare("user_a", "user_b")
    project.config("    look_back: 20d\n")
    project.rows(steady(["user_a", "user_b"], until=datetime.now(UTC), days=3))


def goes_on(watched: Watched) -> bool:
    count = ran(watched.state)
    return wait_for(lambda: ran(watched.state) > count)


def test_an_invalid_one_is_refused_and_told_and_a_valid_one_is_swapped_in(
    project: Project,
) -> None:
    shop(project)
    config = project.folder / "config.yaml"
    good = config.read_text()
    with daemon(project) as watched:
        assert wait_for(lambda: ran(watched.state) > 0), watched.log.read_text()
        config.write_text(good.replace("look_back: 20d", "look_back: soon"))
        watched.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: watched.told("the changed configuration is refused")), (
            watched.log.read_text()
        )
        assert watched.told("look_back")
        assert goes_on(watched)
        second = good.split("exposures:\n")[1].split("teams:")[0].replace("  events:", "  more:")
        config.write_text(good.replace("teams:", second + "teams:"))
        watched.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: ran(watched.state, "more") > 0), watched.log.read_text()
        config.write_text(good)
        watched.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: watched.log.read_text().count("are used from now on") == 2)
        count = len(ledger(watched.state, "more"))
        assert goes_on(watched)
        assert goes_on(watched)
        assert len(ledger(watched.state, "more")) <= count + 1
        assert watched.end() == 0


def test_a_state_elsewhere_takes_a_restart(project: Project) -> None:
    shop(project)
    config = project.folder / "config.yaml"
    with daemon(project) as watched:
        assert wait_for(lambda: ran(watched.state) > 0), watched.log.read_text()
        config.write_text(config.read_text().replace("var/state.db", "var/elsewhere.db"))
        watched.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: watched.told("state cannot be changed while the daemon runs"))
        assert goes_on(watched)
        assert not (project.folder / "var" / "elsewhere.db").exists()
        assert watched.end() == 0


def test_what_is_open_of_an_exposure_that_is_renamed_ends(project: Project) -> None:
    project.declare("user_a", "user_b")
    project.config("    look_back: 20d\n")
    # Nobody declared the third, so that there is an incident.
    project.rows(steady(["user_a", "user_b", "user_x"], until=datetime.now(UTC), days=3))
    config = project.folder / "config.yaml"

    def open_of(name: str) -> int:
        with reading(watched.state) as reader:
            return len(reader.exposure_state(name, datetime.now(UTC)).alerts)

    with daemon(project) as watched:
        assert wait_for(lambda: ran(watched.state) > 0, 90), watched.log.read_text()
        assert open_of("events") > 0
        config.write_text(config.read_text().replace("  events:\n", "  renamed:\n"))
        watched.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: ran(watched.state, "renamed") > 0, 90), watched.log.read_text()
        assert wait_for(lambda: open_of("events") == 0, 90), watched.log.read_text()
        assert watched.told("events is watched no more")
        assert open_of("renamed") > 0
        assert watched.end() == 0
