"""What every History does, in files and in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.model.measurement import (
    DELAY,
    DUPLICATE,
    FINE,
    HOUR,
    TIME,
    Cells,
    Changed,
    HistoryNote,
    Scan,
    SeriesKey,
)
from eventwatch.ports.history import History
from eventwatch.store.history import MemoryHistory, ParquetHistory
from tests.fakes.hostile_names import HOSTILE
from tests.store.scans import (
    DAY,
    START,
    Counted,
    Event,
    counted,
    counted_table,
    in_hours,
    instant,
    request,
    scan,
)

SETS = ("", "platform", DELAY, DUPLICATE)
MAKERS: dict[str, Callable[[Path], History]] = {
    "files": ParquetHistory,
    "files without a cache": lambda root: ParquetHistory(root, cache_bytes=0),
    "memory": lambda _: MemoryHistory(),
}
NOON = START + DAY // 2
OVERLAP = 600


@pytest.fixture(params=MAKERS)
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    """An empty history."""
    maker: Callable[[Path], History] = MAKERS[request.param]
    return maker(tmp_path / "history")


def everything(history: History, *, merge_loads: bool = False) -> Counted:
    """Every cell."""
    return counted(read(history, SETS, merge_loads=merge_loads))


def read(history: History, sets: tuple[str, ...] = ("",), **options: Any) -> Cells:
    """Cells of all times."""
    return history.cells("events", sets, instant(0), instant(START * 2), **options)


def events_every(step: int, begin: int, end: int, late: int = 0) -> list[Event]:
    """A steady stream of two types on two platforms."""
    return [
        Event(("a", "b")[i % 2], ("ios", None)[i // 2 % 2], at - late * (i % 3), at)
        for i, at in enumerate(range(begin, end, step))
    ]


class TestReplace:
    def test_an_empty_history_covers_nothing(self, history: History) -> None:
        assert history.covered_from("events") is None
        assert history.covered_until("events") is None
        assert len(read(history).series) == 0
        assert history.known_values("events", "platform") == ()
        assert history.day_counts("events", instant(0)) == {}
        history.forget_before("events", instant(NOON))

    def test_a_first_scan_comes_back_whole(self, history: History) -> None:
        found = scan(events_every(700, START - DAY, NOON, late=HOUR), request(NOON, START - DAY))
        history.replace("events", found)
        assert everything(history) == counted_table(found.cells)
        assert history.covered_from("events") == instant(START - DAY)
        assert history.covered_until("events") == instant(NOON)

    def test_the_same_scan_twice_changes_nothing(self, history: History) -> None:
        found = scan(events_every(700, START - DAY, NOON), request(NOON, START - DAY))
        history.replace("events", found)
        before = everything(history)
        history.replace("events", found)
        assert everything(history) == before

    def test_what_was_deleted_in_the_window_is_gone_and_what_lies_before_stays(
        self, history: History
    ) -> None:
        events = events_every(100, START, NOON)
        history.replace("events", scan(events, request(NOON, START)))
        since = NOON - 2 * HOUR
        kept = [e for e in events if e.loaded < since]
        history.replace("events", scan([], request(NOON, since)))
        assert everything(history) == counted_table(scan(kept, request(NOON, START)).cells)

    def test_each_set_is_replaced_from_its_own_start(self, history: History) -> None:
        events = events_every(100, START, NOON)
        history.replace("events", scan(events, request(NOON, START)))
        before = everything(history)
        history.replace("events", scan([], request(NOON, NOON - FINE, hours_from=NOON - HOUR)))
        assert everything(history) == {
            name: counts
            for name, counts in before.items()
            if name[2] < (NOON - FINE if name[0].dimension == "" else NOON - HOUR)
        }

    def test_a_scan_that_did_not_count_repeated_ids_leaves_them(self, history: History) -> None:
        events = events_every(100, START, NOON)
        history.replace("events", scan(events, request(NOON, START)))
        history.replace("events", scan([], request(NOON, START, duplicates=False)))
        assert {key.dimension for key, _, _ in everything(history)} == {DUPLICATE}

    def test_cells_before_the_window_are_not_counted_twice(self, history: History) -> None:
        events = events_every(100, START, NOON)
        history.replace("events", scan(events, request(NOON, START)))
        before = everything(history)
        careless = scan(events, request(NOON, START))
        history.replace(
            "events", Scan(request(NOON, NOON - HOUR), careless.cells, 0, 0, 0, 1, timedelta(0))
        )
        assert everything(history) == before

    def test_a_day_may_be_replaced_alone(self, history: History) -> None:
        now = START + 3 * DAY
        events = events_every(900, START, now)
        history.replace("events", scan(events, request(now, START)))
        changed = [e for e in events if not START + DAY <= e.loaded < START + DAY + 5 * HOUR]
        found = scan(changed, request(now, START + DAY))
        history.replace_day("events", START + DAY, found)
        assert everything(history) == counted_table(scan(changed, request(now, START)).cells)
        assert history.covered_from("events") == instant(START)

    def test_a_null_type_and_an_empty_one_are_two(self, history: History) -> None:
        events = [Event(None, "ios", NOON, NOON), Event("", "ios", NOON, NOON)]
        history.replace("events", scan(events, request(NOON, START)))
        assert {k.event_type for k, _, _ in everything(history)} == {None, ""}

    def test_names_of_any_kind_come_back_as_they_are(self, history: History) -> None:
        names = [n for n in HOSTILE if n == n.encode("utf-8", "ignore").decode()]
        events = [Event(name, name, NOON, NOON) for name in names]
        history.replace("events", scan(events, request(NOON, START)))
        assert {k.event_type for k, _, _ in everything(history)} == set(names)

    def test_counts_beyond_32_bits_and_very_old_occurrences_are_kept(
        self, history: History
    ) -> None:
        found = scan([Event("a", "ios", -(10**10), NOON)], request(NOON, START))
        rows = found.cells.schema.get_field_index("rows")
        large = found.cells.set_column(
            rows, found.cells.schema.field("rows"), [[2**40] * found.cells.num_rows]
        )
        history.replace("events", Scan(found.request, large, 1, 0, 0, 1, timedelta(0)))
        assert everything(history) == counted_table(large)

    def test_a_clock_that_was_ahead_is_put_right(self, history: History) -> None:
        ahead = NOON + 400 * DAY
        history.replace("events", scan([], request(ahead, ahead - DAY)))
        events = events_every(100, START, NOON)
        history.replace("events", scan(events, request(NOON, START)))
        assert history.covered_until("events") == instant(NOON)
        assert history.covered_from("events") == instant(START)
        assert everything(history) == counted_table(scan(events, request(NOON, START)).cells)


class TestCovered:
    def test_days_without_rows_are_covered(self, history: History) -> None:
        now = START + 5 * DAY
        history.replace("events", scan([], request(now, START + HOUR)))
        assert history.covered_from("events") == instant(START + HOUR)

    def test_days_that_nobody_read_are_a_hole(self, history: History) -> None:
        history.replace("events", scan([], request(NOON, START)))
        later = START + 3 * DAY
        history.replace("events", scan([], request(later + HOUR, later)))
        assert history.covered_from("events") == instant(later)

    def test_hours_that_nobody_read_are_a_hole(self, history: History) -> None:
        history.replace("events", scan([], request(START + HOUR, START)))
        history.replace("events", scan([], request(NOON, NOON - HOUR)))
        assert history.covered_from("events") == instant(NOON - HOUR)

    def test_reading_on_where_the_last_scan_ended_leaves_no_hole(self, history: History) -> None:
        history.replace("events", scan([], request(START + DAY - 60, START)))
        history.replace("events", scan([], request(START + DAY + 60, START + DAY - 300)))
        assert history.covered_from("events") == instant(START)

    def test_a_hole_that_was_read_is_closed(self, history: History) -> None:
        history.replace("events", scan([], request(START + HOUR, START)))
        history.replace("events", scan([], request(NOON, NOON - HOUR)))
        history.replace("events", scan([], request(NOON + 60, START)))
        assert history.covered_from("events") == instant(START)


class TestRead:
    def test_only_the_sets_asked_for_come(self, history: History) -> None:
        history.replace("events", scan(events_every(100, START, NOON), request(NOON, START)))
        keys = read(history, ("platform", DELAY)).keys
        assert {key.dimension for key in keys} == {"platform", DELAY}

    def test_the_span_is_by_bucket_start_and_half_open(self, history: History) -> None:
        history.replace("events", scan(events_every(100, START, NOON), request(NOON, START)))
        cells = history.cells("events", ("",), instant(START + HOUR), instant(START + 2 * HOUR))
        assert set(cells.loaded.tolist()) == set(range(START + HOUR, START + 2 * HOUR, FINE))
        assert all(number in cells.series for number in range(len(cells.keys)))

    def test_a_span_within_days_merges_only_the_loads_of_each_day(self, history: History) -> None:
        events = [Event("a", "ios", NOON, NOON + i * HOUR) for i in range(0, 40, 10)]
        now = NOON + 2 * DAY
        history.replace("events", scan(events, request(now, START)))
        cells = history.cells(
            "events",
            ("",),
            instant(NOON + 5 * HOUR),
            instant(NOON + 25 * HOUR),
            merge_loads=True,
        )
        assert counted(cells) == {
            (SeriesKey("a"), NOON, NOON + 10 * HOUR): (1, NOON + 10 * HOUR, NOON + 10 * HOUR),
            (SeriesKey("a"), NOON, NOON + 20 * HOUR): (1, NOON + 20 * HOUR, NOON + 20 * HOUR),
        }

    def test_exposures_do_not_mix(self, history: History) -> None:
        history.replace("events", scan(events_every(100, START, NOON), request(NOON, START)))
        assert history.covered_from("Events") is None
        assert len(history.cells("events ", ("",), instant(0), instant(NOON)).series) == 0

    def test_day_counts_are_rows_by_loaded_day_and_type(self, history: History) -> None:
        now = START + 2 * DAY
        history.replace(
            "events", scan(events_every(HOUR, START - DAY, now), request(now, START - DAY))
        )
        bad = Event("a", None, NOON, NOON)
        cells: Counted = {}
        from tests.store.scans import add, table

        add(cells, SeriesKey("a", TIME, "future"), NOON // HOUR * HOUR, NOON // HOUR * HOUR, bad)
        before = history.day_counts("events", instant(START + HOUR))
        assert before == {
            (START, "a"): 12,
            (START, "b"): 12,
            (START + DAY, "a"): 12,
            (START + DAY, "b"): 12,
        }
        history.replace(
            "events", Scan(request(now, START + DAY), table(cells), 0, 0, 0, 1, timedelta(0))
        )
        assert history.day_counts("events", instant(START)) == {(START, "a"): 12, (START, "b"): 12}

    def test_known_values_are_those_with_most_rows_first(self, history: History) -> None:
        values = [*["ios"] * 3, *["android"] * 5, None, None, "web", "@other"]
        events = [Event("a", v, NOON, NOON + i * 7000) for i, v in enumerate(values)]
        history.replace("events", scan(events, request(NOON + DAY, START)))
        assert history.known_values("events", "platform") == ("android", "ios", "web")


class TestNote:
    def test_it_comes_back(self, history: History) -> None:
        assert history.note("events") == HistoryNote()
        note = HistoryNote(
            recounted_on=date(2026, 3, 2),
            changed_at=datetime(2026, 3, 2, 1, 2, 3, 4, UTC),
            changed=(Changed(START, None, 5, 0), Changed(START, 'a"\x00', 0, 2**40)),
        )
        history.write_note("events", note)
        assert history.note("events") == note
        history.write_note("events", HistoryNote())
        assert history.note("events") == HistoryNote()


class TestForget:
    def test_days_that_ended_before_are_dropped(self, history: History) -> None:
        now = START + 5 * DAY
        history.replace("events", scan(events_every(HOUR, START, now), request(now, START)))
        history.forget_before("events", instant(START + 2 * DAY + HOUR))
        assert min(read(history).loaded) == START + 2 * DAY
        assert history.covered_from("events") == instant(START + 2 * DAY)

    def test_old_days_become_hours_and_lose_no_row(self, history: History) -> None:
        events = events_every(211, START, START + 4 * DAY, late=5000)
        for day in range(1, 5):
            now = START + day * DAY
            history.replace("events", scan(events, request(now, now - DAY)))
        before = everything(history)
        assert any(loaded % HOUR for _, _, loaded in before)
        history.forget_before("events", instant(START))
        after = everything(history)
        assert in_hours(after) == in_hours(before)
        old = START + 2 * DAY
        assert not any(at % HOUR or by % HOUR for _, at, by in after if by < old)
        assert {c for c in after.items() if c[0][2] >= old} == {
            c for c in before.items() if c[0][2] >= old
        }


arrivals = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from(["ios", "web", None]),
        st.integers(-7200, 3 * DAY),
        st.floats(0, 1),
    ),
    max_size=12,
)
steps = st.lists(
    st.tuples(st.integers(1, 30 * HOUR), arrivals, st.booleans(), st.booleans()),
    min_size=1,
    max_size=7,
)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())
@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 3 * DAY), steps=steps)
def test_incremental_scans_equal_one_scan_of_everything(
    maker: Callable[[Path], History], first: int, steps: list[Any]
) -> None:
    """However the cycles fall, whatever is scanned twice and whenever old days are compacted."""
    with tempfile.TemporaryDirectory() as root:
        history = maker(Path(root))
        begin = START + first // HOUR * HOUR
        now, events = begin, list[Event]()
        for advance, rows, twice, forget in steps:
            for event_type, platform, delay, share in rows:
                loaded = now + 1 + int(share * (advance - 1))
                events.append(Event(event_type, platform, loaded - delay, loaded))
            now += advance
            until = history.covered_until("events")
            since = begin if until is None else max(begin, int(until.timestamp()) - OVERLAP)
            found = scan(events, request(now, since))
            for _ in range(2 if twice else 1):
                history.replace("events", found)
            if forget:
                history.forget_before("events", instant(begin))
            whole = counted_table(scan(events, request(now, begin)).cells)
            mine = everything(history)
            assert in_hours(mine) == in_hours(whole)
            fine_from = int(found.request.fine_from.timestamp())

            def fine(cells: Counted, since: int = fine_from) -> Counted:
                return {n: c for n, c in cells.items() if min(n[1], n[2]) >= since}

            assert fine(mine) == fine(whole)
            merged = in_hours(everything(history, merge_loads=True), merge_loads=True)
            assert merged == in_hours(whole, merge_loads=True)
            assert history.covered_from("events") == instant(begin)
            assert history.covered_until("events") == instant(now)
