"""What the daemon says of itself: gathered from its cycles and its state, shown over HTTP."""

from __future__ import annotations

import http.client
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch import app
from eventwatch.app.house import House, RunOptions
from eventwatch.app.runs import Workplace, new_run_id, run_cycle
from eventwatch.app.vitals import Watching
from eventwatch.model.errors import ConfigError, StoreError
from eventwatch.model.schedule import longest_wait
from eventwatch.model.settings import WebSettings
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.report import ExposureReport
from eventwatch.ports.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HERE = WebSettings("127.0.0.1", 0)


@pytest.fixture
def house(shop: Project) -> House:
    return replace(app.load(shop.folder / "config.yaml"), clock=FakeClock(NOW))


@pytest.fixture
def store(house: House) -> Iterator[Store]:
    opened = app.store(house)
    yield opened
    opened.close()


def having(house: House, web: WebSettings | None) -> House:
    loaded = replace(house.loaded, settings=replace(house.settings, web=web))
    return replace(house, loaded=loaded)


def slot(status: SlotStatus = SlotStatus.RAN) -> Slot:
    return Slot("events", NOW, status, ended_at=NOW)


def report(**changes: object) -> ExposureReport:
    fields: dict[str, object] = {
        "name": "events",
        "at": NOW,
        "rows_read": 100,
        "elapsed": SECOND,
        "kind_counts": Counter({(KindName.VOLUME, Status.PASS): 3}),
    }
    return ExposureReport(**{**fields, **changes})  # type: ignore[arg-type]


def get(address: tuple[str, int] | None, path: str) -> tuple[int, str]:
    assert address is not None
    connection = http.client.HTTPConnection(*address, timeout=5)
    connection.request("GET", path)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def test_what_cycles_came_to_is_counted_by_slot_and_kind(house: House, store: Store) -> None:
    watch = Watching(house, store)
    watch.slot_ended(slot(), report(), 2 * SECOND)
    watch.slot_ended(slot(), report(rows_read=11), 3 * SECOND)
    watch.slot_ended(slot(SlotStatus.SKIPPED), None)
    watch.slot_ended(slot(SlotStatus.RUNNING), None)
    shown = watch.vitals().exposures["events"]
    assert shown.cycles == {"ran": 2, "skipped": 1}
    assert shown.rows_read == 111
    assert (shown.cycle_duration, shown.scan_duration) == (3 * SECOND, SECOND)
    assert shown.results == {("volume", "pass"): 3}


def test_a_cycle_that_could_not_measure_has_no_scan(house: House, store: Store) -> None:
    watch = Watching(house, store)
    watch.slot_ended(slot(SlotStatus.FAILED), report(error="away", rows_read=0), SECOND)
    shown = watch.vitals().exposures["events"]
    assert shown.cycle_duration == SECOND
    assert shown.scan_duration is None


def test_a_slot_ledger_that_counts_already_is_believed(house: House, store: Store) -> None:
    watch = Watching(house, store, slots=lambda: {"events": {"skipped": 7}})
    watch.slot_ended(slot(), report(), SECOND)
    assert watch.vitals().exposures["events"].cycles == {"skipped": 7}


def test_the_age_of_a_cycle_outlives_the_process(house: House, store: Store) -> None:
    store.heartbeat("exposure:events", NOW - timedelta(hours=3))
    watch = Watching(house, store)
    assert watch.vitals().exposures["events"].cycle_age == timedelta(hours=3)


def test_an_exposure_whose_first_cycle_never_ends_grows_old(house: House, store: Store) -> None:
    watch = Watching(house, store)
    assert isinstance(house.clock, FakeClock)
    house.clock.step(timedelta(hours=1))
    shown = watch.vitals().exposures["events"]
    assert shown.cycle_age == timedelta(hours=1)
    assert shown.cycle_age_limit is not None
    assert shown.cycle_age > shown.cycle_age_limit


def test_the_limit_follows_the_schedule(house: House, store: Store) -> None:
    def limit(**changes: object) -> timedelta:
        exposure = replace(house.settings.exposures[0], **changes)  # type: ignore[arg-type]
        settings = replace(house.settings, exposures=(exposure,))
        made = replace(house, loaded=replace(house.loaded, settings=settings))
        found = Watching(made, store).vitals().exposures["events"].cycle_age_limit
        assert found is not None
        assert found > longest_wait(exposure, NOW)
        return found

    assert limit(every=timedelta(minutes=5)) < timedelta(hours=1)
    assert limit(cron="30 2 * * *") > timedelta(days=1)


def test_a_real_cycle_fills_every_vital(house: House, store: Store, shop: Project) -> None:
    shop.sql(
        "INSERT INTO events SELECT 'user_followed_user', t, t, CAST(t AS VARCHAR), 'ios' FROM "
        "range(TIMESTAMP '2026-10-30', TIMESTAMP '2026-11-02 08:55:00', INTERVAL 5 MINUTE) r(t)"
    )
    watch = Watching(house, store, app.keeper(house))
    history = app.adapter("history")(house.settings.history)
    place = Workplace(house, store, history, house.catalog)
    exposure = house.settings.exposures[0]
    made = run_cycle(place, exposure, RunOptions(), new_run_id(NOW))
    watch.slot_ended(slot(), made, SECOND)
    vitals = watch.vitals()
    shown = vitals.exposures["events"]
    assert shown.rows_read > 0
    assert shown.scan_duration is not None
    assert shown.cycle_age == timedelta(0)
    assert {kind for kind, _ in shown.results} >= {"freshness", "drift", "volume"}
    assert sum(shown.results.values()) == sum(made.status_counts.values())
    assert vitals.contracts_digest == house.catalog.digest
    assert vitals.contracts_age < timedelta(minutes=1)


def test_contracts_that_break_grow_old(house: House, store: Store, shop: Project) -> None:
    keeper = app.keeper(house)
    watch = Watching(house, store, keeper)
    shop.contracts("message Broken {")
    keeper.current()
    first = watch.vitals()
    keeper.current()
    assert watch.vitals().contracts_age > first.contracts_age
    assert watch.vitals().contracts_digest == house.catalog.digest


def test_nothing_listens_unless_it_is_asked_for(house: House, store: Store) -> None:
    watch = Watching(house, store)
    watch.start(alive=lambda: True)
    assert watch.address is None
    watch.stop()


def test_over_http_it_is_alive_ready_and_counted(house: House, store: Store) -> None:
    watch = Watching(having(house, HERE), store)
    why = ["the daemon is starting"]
    watch.start(alive=lambda: True, not_ready=lambda: why[0], leads=lambda: False)
    try:
        assert get(watch.address, "/livez") == (200, "yes\n")
        assert get(watch.address, "/readyz") == (503, "no: the daemon is starting\n")
        why[0] = ""
        assert get(watch.address, "/readyz") == (200, "yes\n")
        text = get(watch.address, "/metrics")[1]
        assert 'eventwatch_cycle_age_limit_seconds{exposure="events"}' in text
        assert "eventwatch_leader 0.0" in text
    finally:
        watch.stop()


def test_a_state_that_goes_away_is_not_ready_and_comes_back(house: House, store: Store) -> None:
    class Away:
        gone = True

        def tally(self) -> object:
            if self.gone:
                raise StoreError("gone")
            return store.tally()

    state = Away()
    watch = Watching(having(house, HERE), state)  # type: ignore[arg-type]
    watch.start(alive=lambda: True)
    try:
        assert get(watch.address, "/livez")[0] == 200
        assert get(watch.address, "/readyz") == (503, "no: the state cannot be read\n")
        state.gone = False
        assert get(watch.address, "/readyz")[0] == 200
    finally:
        watch.stop()


def test_a_reload_may_open_move_and_close_the_door(house: House, store: Store) -> None:
    watch = Watching(house, store)
    watch.start(alive=lambda: True)
    watch.use(having(house, HERE), None)
    first = watch.address
    assert get(first, "/livez")[0] == 200
    # Another line of the file is no other address.
    watch.use(having(house, replace(HERE, location="config.yaml:99")), None)
    assert watch.address == first
    watch.use(having(house, None), None)
    assert watch.address is None
    with pytest.raises(OSError):
        get(first, "/livez")


def test_a_reload_to_an_address_that_is_taken_changes_nothing(house: House, store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = replace(HERE, port=other.getsockname()[1])
        watch = Watching(having(house, HERE), store)
        watch.start(alive=lambda: True)
        try:
            with pytest.raises(ConfigError, match="cannot listen"):
                watch.use(having(house, taken), None)
            assert get(watch.address, "/livez")[0] == 200
            assert watch.vitals().version
        finally:
            watch.stop()
