"""What the doctor says of a project, area by area but Slack; the state is a real file."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Level
from eventwatch.app.doctor_libraries import judged, parts_of, sqlite_finding, wal_is_safe
from eventwatch.model.alert import Delivery, DeliveryState, Message
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.state import CycleRecord
from eventwatch.model.view import Seen
from eventwatch.store.sql import open_store
from tests.fakes.project import Project

from .conftest import about, look, of

NOW = datetime.now(UTC)
# -- Routing -----------------------------------------------------------------------------------------


def test_event_types_and_exposures_that_nobody_owns_are_told(shop: Project) -> None:
    shop.config()
    shop.declare("user_followed_user", team="grwth")
    found = look(shop)
    said = "1 event type of a team that nobody declared (user_followed_user)"
    assert said in of(found, Area.ROUTING, "owners").said
    assert "nobody owns events" in of(found, Area.ROUTING, "exposures").said


def test_event_types_that_came_lately_without_a_contract_are_told(shop: Project) -> None:
    seen, gone = Seen(NOW - timedelta(days=9), NOW), Seen(*[NOW - timedelta(days=9)] * 2)
    ledger = {
        SeriesKey("user_folowed_user"): seen,
        SeriesKey("user_followed_user"): seen,
        SeriesKey("old_one"): gone,
        SeriesKey(None): seen,
        SeriesKey("x", "platform", "ios"): seen,
    }
    recorded(shop, NOW, ledger=ledger)
    found = of(look(shop, now=NOW), Area.ROUTING, "events")
    assert "1 event type without a contract came in the last days (user_folowed_user)" in found.said


def test_owners_without_a_channel_are_told(shop: Project) -> None:
    path = shop.folder / "config.yaml"
    path.write_text(path.read_text().replace("slack_channel: '#growth', ", ""))
    finding = of(look(shop), Area.ROUTING, "channels")
    assert "growth owns something and has no Slack channel" in finding.said


# -- Exposures ---------------------------------------------------------------------------------------


def test_a_column_that_is_missing_is_a_fault_of_the_settings(shop: Project) -> None:
    shop.sql("ALTER TABLE events DROP COLUMN loaded_at")
    found = look(shop)
    assert of(found, Area.EXPOSURES, "events").level is Level.FAIL
    assert "loaded_at" in of(found, Area.EXPOSURES, "events").said
    assert found.exit_code == 2


def test_an_exposure_without_a_load_time_or_an_id_says_what_cannot_be_known(
    shop: Project,
) -> None:
    path = shop.folder / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("loaded_at: loaded_at", "loaded_at: null"))
    assert "cannot be known" in of(look(shop), Area.EXPOSURES, "events").said
    path.write_text(text.replace(", event_id: event_id", ""))
    assert "duplicates are not checked" in of(look(shop), Area.EXPOSURES, "events").said


# -- State -------------------------------------------------------------------------------------------


def state_file(shop: Project) -> Path:
    return shop.folder / "var" / "state.db"


def recorded(
    shop: Project, at: datetime, *rows: Delivery, ledger: dict[SeriesKey, Seen] | None = None
) -> None:
    store = open_store(Secret(f"sqlite:///{state_file(shop)}"))
    store.commit_cycle(CycleRecord("events", "r", at, None, at, None, ledger or {}, (), rows))
    store.heartbeat("exposure:events", at)
    store.close()


def waiting(created_at: datetime, state: DeliveryState = DeliveryState.PENDING) -> Delivery:
    message = Message("t", "[]", "p")
    return Delivery(
        f"{state}-{created_at}", "#growth", "growth", message, (), created_at, state=state
    )


def test_a_state_that_is_used_and_healthy_has_no_complaint(shop: Project) -> None:
    recorded(shop, NOW)
    found = look(shop, now=NOW)
    assert about(found, Area.STATE) == []
    assert of(found, Area.STATE, "outbox").said == "every message was sent"
    assert of(found, Area.STATE, "daemon").said.startswith("every exposure had a cycle lately")


def test_messages_that_wait_and_those_that_were_refused_are_counted(shop: Project) -> None:
    recorded(
        shop,
        NOW,
        waiting(NOW - timedelta(hours=2)),
        waiting(NOW - timedelta(minutes=1)),
        waiting(NOW - timedelta(days=2), DeliveryState.DEAD),
        waiting(NOW - timedelta(days=30), DeliveryState.DEAD),
    )
    found = look(shop, now=NOW)
    outbox = of(found, Area.STATE, "outbox")
    assert (outbox.level, outbox.said) == (Level.FAIL, "2 messages unsent, the oldest for 2 h")
    dead = of(found, Area.STATE, "dead letters")
    assert (dead.level, dead.said.split(" ")[:2]) == (Level.WARNING, ["1", "message"])


def test_a_daemon_that_does_not_run_is_told(shop: Project) -> None:
    recorded(shop, NOW - timedelta(hours=3))
    finding = of(look(shop, now=NOW), Area.STATE, "daemon")
    assert finding.level is Level.FAIL
    assert "events: the last cycle ended 3 h ago" in finding.said


def test_a_heartbeat_in_the_future_is_a_clock_that_went_back(shop: Project) -> None:
    recorded(shop, NOW + timedelta(hours=1))
    finding = of(look(shop, now=NOW), Area.CLOCK, "clock")
    assert finding.level is Level.FAIL
    assert "in the future" in finding.said


@pytest.mark.parametrize("harm", ["cut", "other", "newer", "empty", "pages"])
def test_a_state_that_cannot_be_used_is_told_and_left_as_it_is(shop: Project, harm: str) -> None:
    recorded(shop, NOW)
    path = state_file(shop)
    data = path.read_bytes()
    match harm:
        case "cut":
            path.write_bytes(data[: len(data) // 2])
        case "pages":
            path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
        case "empty":
            path.write_bytes(b"")
        case "other":
            path.unlink()
            with sqlite3.connect(path) as plain:
                plain.execute("CREATE TABLE somebody_elses (x)")
        case "newer":
            with sqlite3.connect(path) as plain:
                plain.execute("UPDATE eventwatch_schema SET version_num = '9999'")
    before = path.read_bytes()
    found = look(shop, now=NOW)
    assert Level.FAIL in {f.level for f in found.findings if f.area is Area.STATE}
    assert of(found, Area.EXPOSURES, "events").level is Level.OK
    assert found.exit_code == 3
    assert path.read_bytes() == before


def test_looking_makes_no_state_and_no_folder(shop: Project) -> None:
    found = look(shop, now=NOW)
    assert "there is none yet" in of(found, Area.STATE, "state").said
    assert not (shop.folder / "var").exists()


def test_a_history_that_cannot_be_written_is_told(shop: Project) -> None:
    path = shop.folder / "config.yaml"
    (shop.folder / "blocked").write_text("a file")
    path.write_text(path.read_text().replace("history: var/history", "history: blocked/history"))
    assert of(look(shop, now=NOW), Area.STATE, "history").level is Level.FAIL


# -- Libraries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "there", "level"),
    [
        ("duckdb", "1.4.9", Level.FAIL),
        ("duckdb", "1.5.0", None),
        ("duckdb", "2.0.0", None),
        ("duckdb", "3.0.0", Level.WARNING),
        ("apscheduler", "3.11.1", Level.FAIL),
        ("apscheduler", "3.11.2", None),
        ("apscheduler", "3.11.10", None),
        ("apscheduler", "4.0.0a6", Level.WARNING),
        ("slack-sdk", "3.39.0", Level.FAIL),
        ("slack-sdk", "3.47.0", None),
    ],
)
def test_versions_with_known_faults_are_told(name: str, there: str, level: Level | None) -> None:
    found = judged(name, there)
    assert (None if found is None else found.level) is level


@pytest.mark.parametrize(
    ("there", "safe"),
    [
        ("3.6.23", True),
        ("3.7.0", False),
        ("3.40.1", False),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("3.50.6", False),
        ("3.50.7", True),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.53.0", True),
    ],
)
def test_the_versions_of_sqlite_that_can_damage_a_file_are_known(there: str, safe: bool) -> None:
    assert wal_is_safe(parts_of(there)) is safe
    assert ("TRUNCATE" in sqlite_finding(there).said) is not safe


# -- As a whole --------------------------------------------------------------------------------------


def test_a_look_that_hangs_or_breaks_hides_no_other(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    class Hanging:
        def verify(self, _: Exposure) -> tuple[()]:
            over.wait(60)
            return ()

    def broken(*_: object) -> None:
        raise RuntimeError("canary")

    real = adapter
    swapped = {"warehouse": Hanging, "state-exam": broken}
    for module in ("doctor", "doctor_exposures", "doctor_state"):
        monkeypatch.setattr(
            f"eventwatch.app.{module}.adapter", lambda name: swapped.get(name) or real(name)
        )
    try:
        found = look(shop, limit=timedelta(seconds=2))
    finally:
        over.set()
    assert "no answer within" in of(found, Area.EXPOSURES, "events").said
    assert "could not be looked at (RuntimeError)" in of(found, Area.STATE, "state").said
    assert of(found, Area.ROUTING, "owners").level is Level.OK
    assert found.exit_code == 3
    assert "canary" not in str(found)
