"""Reading the configuration again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventwatch import app
from eventwatch.daemon import reload
from eventwatch.daemon.reload import Reloader, fingerprint
from eventwatch.model.errors import ConfigError, Fault, StoreError
from tests.fakes.project import Project


@pytest.fixture
def house(tmp_path: Path) -> app.House:
    project = Project(tmp_path / "shop")
    project.declare("user_a")
    project.config()
    return app.load(project.folder / "config.yaml")


class Heard:
    """What became of the readings."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._more = threading.Condition()

    def take(self, _: app.House) -> None:
        self.add("taken")

    def add(self, said: str) -> None:
        with self._more:
            self.said.append(said)
            self._more.notify_all()

    def wait(self, count: int) -> list[str]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.said) >= count, 20)
            return list(self.said)


def reloader(
    house: app.House, load: Callable[[], app.House], heard: Heard, *, watch: bool = False
) -> Reloader:
    made = Reloader(house, load, heard.take, heard.add, watch=watch)
    made.thread.start()
    return made


def test_what_is_valid_is_taken(house: app.House) -> None:
    heard = Heard()
    made = reloader(house, lambda: house, heard)
    made.ask()
    assert heard.wait(1) == ["taken"]
    made.stop()
    made.thread.join(10)
    assert not made.thread.is_alive()


def test_all_that_goes_wrong_is_refused_and_the_next_reading_is_done(house: app.House) -> None:
    def faults() -> app.House:
        raise ConfigError([Fault("config.yaml", 3, "is wrong"), Fault("config.yaml", 4, "too")])

    def defect() -> app.House:
        raise ZeroDivisionError

    def gone() -> app.House:
        raise FileNotFoundError(2, "No such file")

    loads: Iterator[Callable[[], app.House]] = iter([faults, defect, gone, lambda: house])
    heard = Heard()

    def load() -> app.House:
        return next(loads)()

    made = reloader(house, load, heard)
    for count in range(1, 5):
        made.ask()
        heard.wait(count)
    assert heard.said[0] == "config.yaml:3: is wrong (and 1 more)"
    assert "ZeroDivisionError" in heard.said[1]
    assert "No such file" in heard.said[2]
    assert heard.said[3] == "taken"
    made.stop()


@pytest.mark.parametrize("watch", [False, True])
def test_what_only_the_state_refused_is_read_again_unasked(
    house: app.House, monkeypatch: pytest.MonkeyPatch, watch: bool
) -> None:
    monkeypatch.setattr(reload, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(reload, "AGAIN_EVERY", 0.05)

    class Away(Heard):
        def take(self, given: app.House) -> None:
            if len(self.said) < 2:
                raise StoreError("state: the server is away")
            super().take(given)

    heard = Away()
    made = reloader(house, lambda: house, heard, watch=watch)
    made.ask()
    assert heard.wait(3) == ["state: the server is away"] * 2 + ["taken"]
    made.stop()
    made.thread.join(10)
    assert len(heard.said) == 3


@pytest.mark.parametrize("changed", ["config.yaml", "checks/new.yaml", "contracts/events.proto"])
def test_a_file_that_changes_is_read_where_that_is_wanted(
    house: app.House, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "LOOK_EVERY", 0.05)
    heard = Heard()
    made = reloader(house, lambda: house, heard, watch=True)
    path = house.settings.path.parent / changed
    before = path.read_text() if path.exists() else ""
    threading.Event().wait(0.2)
    path.write_text(before + "\n")
    assert heard.wait(1) == ["taken"]
    made.stop()


def test_files_that_nobody_reads_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    seen = fingerprint([tmp_path, tmp_path / "gone.yaml"])
    (tmp_path / ".a.yaml.swp").write_text("")
    (tmp_path / "a.yaml~").write_text("")
    assert fingerprint([tmp_path]) == seen
    assert [Path(name).name for name, *_ in seen] == ["a.yaml"]
