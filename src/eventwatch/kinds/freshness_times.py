"""freshness, times that cannot be: null, future or absurdly old ones, and days that changed later.

Few event types at fault are told to their owners, many at once to the owner of the exposure: then it
is the loader's clock, not a producer's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from eventwatch.kinds.arrivals import Arrivals
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.results import Maker
from eventwatch.model.counting import counted
from eventwatch.model.durations import from_epoch
from eventwatch.model.measurement import HOUR, Changed
from eventwatch.model.result import Amount, Fact, Result
from eventwatch.model.status import Severity, Status
from eventwatch.model.view import ExposureView

WORDS = {
    "null_occurred": "without a time of occurrence",
    "future": "that occurred in the future",
    "old": "that occurred absurdly long ago",
}
MIN_ROWS = 10
"""Fewer bad rows of one event type are an accident."""
WIDESPREAD = 5
"""From so many event types at fault on it is the exposure's trouble, if they are a quarter of all."""
MIN_CHANGED = 100
MUCH_CHANGED = 0.1


def judge_times(
    view: ExposureView, rules: Rules[FreshnessCheck], arrivals: Arrivals, maker: Maker
) -> Iterator[Result]:
    """Bad times of the last 24 hours of loads: of the exposure, and of each event type that has any."""
    check = rules.for_exposure()
    names = list(dict.fromkeys((*arrivals.names, *(k.event_type for k in view.bad_times.keys))))
    place = {name: i for i, name in enumerate(names)}
    rows = np.zeros(len(names), dtype=np.int64)
    rows[[place[name] for name in arrivals.names]] += arrivals.counts[:, -24:].sum(axis=1)
    bad: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {
        word: np.zeros(len(names), dtype=np.int64) for word in WORDS
    }
    since = np.full(len(names), np.iinfo(np.int64).max)
    cells = view.bad_times
    day = cells.where(cells.loaded >= int(view.now.timestamp()) // HOUR * HOUR - 23 * HOUR)
    series_of = np.array([place[k.event_type] for k in cells.keys], dtype=np.int64)
    for word, counts in bad.items():
        of_word = np.array([k.value == word for k in cells.keys], dtype=np.bool_)
        if of_word.any():
            hit = day.where(of_word[day.series])
            np.add.at(counts, series_of[hit.series], hit.rows)
    if len(day.series):
        np.minimum.at(since, series_of[day.series], day.first_loaded)
    total = np.sum(list(bad.values()), axis=0)
    share = total / np.maximum(rows + total, 1)
    found = [i for i in range(len(names)) if total[i] > 0]
    failing: list[tuple[int, FreshnessCheck]] = []
    checks = dict(rules.each([names[i] for i in found]))
    for i in found:
        own = checks[names[i]]
        if own.enabled and total[i] >= MIN_ROWS and share[i] > own.max_bad_times:
            failing.append((i, own))
    present = int(((rows + total) > 0).sum())
    widespread = len(failing) >= WIDESPREAD and len(failing) >= present / 4
    overall = int(total.sum())
    of_all = overall / max(int((rows + total).sum()), 1)
    if check.enabled:
        # A null type has no owner and no result of its own: the exposure answers for it.
        orphan = any(names[i] is None for i, _ in failing)
        fails = widespread or orphan
        yield maker.make(
            check,
            "times",
            Status.FAIL if fails else Status.PASS,
            _counted({word: int(counts.sum()) for word, counts in bad.items()}, of_all),
            amount=Amount("share", of_all, upper=check.max_bad_times),
            since=from_epoch(int(since.min())) if fails else None,
            facts=(Fact("event types", f"{len(failing):,} of {present:,}"),) if fails else (),
        )
        yield _load_times(view, check, arrivals, maker)
    for i in found:
        name, own = names[i], checks[names[i]]
        if name is None or not own.enabled:
            continue
        fails = any(i == j for j, _ in failing)
        status = Status.PASS if not fails else Status.SKIPPED if widespread else Status.FAIL
        yield maker.make(
            own,
            "times",
            status,
            _counted({word: int(counts[i]) for word, counts in bad.items()}, float(share[i])),
            event_type=name,
            contract=view.catalog.of(name),
            amount=Amount("share", float(share[i]), upper=own.max_bad_times),
            since=from_epoch(int(since[i])) if status is Status.FAIL else None,
        )


def _counted(counts: dict[str, int], share: float) -> str:
    parts = [f"{counted(n, 'row')} {WORDS[word]}" for word, n in counts.items() if n]
    if not parts:
        return "no row of the last 24 h has a time that cannot be"
    return f"{' and '.join(parts)} in the last 24 h ({_percent(share)} of all)"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.2g} %"


def _load_times(
    view: ExposureView, check: FreshnessCheck, arrivals: Arrivals, maker: Maker
) -> Result:
    """Rows that were loaded in the future or never, as they stand in the whole exposure now."""
    bad = view.future_loaded + view.null_loaded
    rows = int(arrivals.counts.sum())
    share = bad / max(rows + bad, 1)
    fails = bad >= MIN_ROWS and share > check.max_bad_times
    parts = [
        f"{counted(n, 'row')} {one if n == 1 else many}"
        for n, one, many in (
            (view.null_loaded, "has no load time", "have no load time"),
            (view.future_loaded, "is to be loaded in the future", "are to be loaded in the future"),
        )
        if n
    ]
    return maker.make(
        check,
        "load_times",
        Status.FAIL if fails else Status.PASS,
        f"{' and '.join(parts)}; they are in no count" if parts else "every row has a load time",
        amount=Amount("share", share, upper=check.max_bad_times),
    )


def judge_changes(view: ExposureView, check: FreshnessCheck, maker: Maker) -> Iterator[Result]:
    """One result on the past days whose rows are not those that were measured."""
    days: dict[int, list[Changed]] = {}
    for change in view.changed:
        days.setdefault(change.day, []).append(change)
    now_there = _rows_per_day(view, sorted(days))
    told: list[tuple[float, int, str, list[Changed]]] = []
    for day, changes in sorted(days.items()):
        lost = sum(max(c.before - c.after, 0) for c in changes)
        added = sum(max(c.after - c.before, 0) for c in changes)
        before = max(now_there[day] + lost - added, sum(c.before for c in changes), 1)
        date = from_epoch(day)
        for count, did in ((lost, "deleted"), (added, "added")):
            share = count / before
            if count > MIN_CHANGED and share > check.max_changed:
                rows = f"{count:,} rows loaded on {date:%a} {date.day} {date:%b}"
                told.append((share, count, f"{rows} were {did} since ({_percent(share)})", changes))
    if not told:
        yield maker.make(check, "changed", Status.PASS, "no past day changed")
        return
    told.sort(key=lambda t: (-t[0], t[2]))
    share, count, summary, changes = told[0]
    affected = sorted(changes, key=lambda c: -abs(c.after - c.before))[:3]
    facts = [Fact("also", text) for _, _, text, _ in told[1:4]]
    facts += [
        Fact("event type", f"{_name(c.event_type)}: {c.before:,} → {c.after:,}") for c in affected
    ]
    yield maker.make(
        check,
        "changed",
        Status.FAIL,
        summary,
        severity=Severity.WARNING if share >= MUCH_CHANGED else Severity.INFO,
        amount=Amount("events", count, start_at=from_epoch(changes[0].day)),
        since=from_epoch(min(c.day for _, _, _, all_of in told for c in all_of)),
        facts=facts,
    )


def _rows_per_day(view: ExposureView, days: list[int]) -> dict[int, int]:
    step = int(timedelta(days=1).total_seconds())
    counted = {}
    for day in days:
        inside = (view.rows.loaded >= day) & (view.rows.loaded < day + step)
        counted[day] = int(view.rows.rows[inside].sum())
    return counted


def _name(event_type: str | None) -> str:
    return "(null)" if event_type is None else event_type or "(empty)"
