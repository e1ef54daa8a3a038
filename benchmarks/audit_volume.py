"""Judges an events table by the volume kind alone, at many instants, without the rest of the house.

    python benchmarks/audit_volume.py TABLE.duckdb [--days 14] [--step-hours 1]

The table is one that the audit generator made (columns event_type, occurred_at, loaded_at; labels in
``*_labels.json`` beside it). Prints which planted incidents are found at the audit's instant, and how
many false incidents a loop of hourly cycles over the clean days before them would have opened.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.model.contract import Catalog, Contract, Location, Owner
from eventwatch.model.measurement import FINE, HOUR, Cells, SeriesKey
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView, Seen

TEAMS = 10
LOOK_BACK = timedelta(days=60)


def catalog_of(names: list[str]) -> Catalog:
    """Every event type of the table, dealt out to ten teams in turn."""
    contracts = {
        name: Contract(name, name, Location("bench.proto", None), Owner(f"team-{i % TEAMS}"))
        for i, name in enumerate(sorted(names))
    }
    return Catalog(contracts, {}, "")


class Table:
    """All rows as fine cells, read once."""

    def __init__(self, path: Path) -> None:
        with duckdb.connect(str(path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            found = con.execute(
                f"""SELECT event_type,
                    floor(epoch(occurred_at) / {FINE})::BIGINT * {FINE} AS o,
                    floor(epoch(loaded_at) / {FINE})::BIGINT * {FINE} AS l, count(*) AS n,
                    floor(min(epoch(loaded_at)))::BIGINT AS a, floor(max(epoch(loaded_at)))::BIGINT AS b
                FROM analytics_events GROUP BY ALL"""
            ).fetchnumpy()
        names, series = np.unique(np.asarray(found["event_type"]).astype(str), return_inverse=True)
        self.keys = tuple(SeriesKey(str(name)) for name in names)
        self.catalog = catalog_of([str(name) for name in names])
        self.cells = Cells(
            self.keys,
            series.astype(np.int32),
            *(np.asarray(found[c], dtype=np.int64) for c in ("o", "l", "n", "a", "b")),
        )
        order = np.argsort(self.cells.loaded, kind="stable")
        self.cells = self.cells.where(order)  # type: ignore[arg-type]

    def view(self, now: datetime, exposure: Exposure) -> ExposureView:
        """As the pipeline would make it: fine for 48 hours, hours before."""
        at = int(now.timestamp()) // FINE * FINE
        cells = self.cells.where(self.cells.loaded < at)
        fine_from = (at - 48 * HOUR) // HOUR * HOUR
        start = datetime.fromtimestamp((at - LOOK_BACK.total_seconds()) // 86400 * 86400, UTC)
        cells = cells.where(cells.loaded >= start.timestamp())
        hours = cells.loaded < fine_from
        occurred = np.where(
            hours | (cells.occurred < fine_from), cells.occurred // HOUR * HOUR, cells.occurred
        )
        loaded = np.where(hours, cells.loaded // HOUR * HOUR, cells.loaded)
        merged = _merged(cells, occurred, loaded)
        return ExposureView(
            exposure=exposure,
            now=now,
            catalog=self.catalog,
            rows=merged,
            cuts=Cells.empty(),
            delays=Cells.empty(),
            duplicates=Cells.empty(),
            bad_times=Cells.empty(),
            ledger=dict(_ledger(merged)),
            measured_from=start,
            watching_since=start,
        )


def _merged(
    cells: Cells,
    occurred: np.ndarray[tuple[int], np.dtype[np.int64]],
    loaded: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Cells:
    order = np.lexsort((loaded, occurred, cells.series))
    key = np.stack([cells.series[order], occurred[order], loaded[order]])
    first = np.flatnonzero(np.r_[True, (np.diff(key, axis=1) != 0).any(axis=0)])
    return Cells(
        cells.keys,
        cells.series[order][first],
        occurred[order][first],
        loaded[order][first],
        np.add.reduceat(cells.rows[order], first),
        np.minimum.reduceat(cells.first_loaded[order], first),
        np.maximum.reduceat(cells.last_loaded[order], first),
    )


def _ledger(cells: Cells) -> Iterator[tuple[SeriesKey, Seen]]:
    first = np.full(len(cells.keys), np.iinfo(np.int64).max)
    last = np.zeros(len(cells.keys), dtype=np.int64)
    np.minimum.at(first, cells.series, cells.first_loaded)
    np.maximum.at(last, cells.series, cells.last_loaded)
    for i, key in enumerate(cells.keys):
        if last[i] > 0:
            yield (
                key,
                Seen(
                    datetime.fromtimestamp(int(first[i]), UTC),
                    datetime.fromtimestamp(int(last[i]), UTC),
                ),
            )


def results_at(table: Table, now: datetime, exposure: Exposure) -> tuple[list[Result], float]:
    """Results, and the CPU seconds that judging took."""
    view = table.view(now, exposure)
    rules = rules_for(VolumeCheck(), (), exposure.name, view.catalog)
    begin = time.process_time()
    results = list(judge(view, rules))
    return results, time.process_time() - begin


def main() -> None:
    """The table on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--days", type=int, default=0, help="clean days to loop over")
    parser.add_argument("--step-hours", type=float, default=1.0)
    options = parser.parse_args()
    exposure = Exposure("analytics_events", Secret("duckdb://"))
    table = Table(options.table)
    labels = json.loads(
        options.table.with_name(options.table.stem + "_labels.json").read_text("utf-8")
    )
    now = datetime.fromisoformat(labels["now"])
    results, seconds = results_at(table, now, exposure)
    failing = {r.event_type: r for r in results if r.status is Status.FAIL}
    planted = {}
    for incident in labels["incidents"]:
        planted[incident["event_type"]] = incident
        r = failing.get(incident["event_type"])
        began = datetime.fromisoformat(incident["start"])
        off = (
            ""
            if r is None or r.since is None
            else f"{(r.since - began).total_seconds() / 3600:+.1f} h"
        )
        print(
            f"{incident['kind']:18} {incident['event_type']:10} "
            f"expected {incident['expected_rows_without_incident']:>9} "
            f"{'found' if r else '-':6} {off:8} {r.summary if r else ''}"
        )
    false = [r for e, r in failing.items() if e not in planted]
    print(f"false at the instant: {len(false)}; judged in {seconds:.2f} s CPU")
    for r in false:
        print("   ", r.event_type, r.summary, r.amount and r.amount.z)
    if not options.days:
        return
    end = min(datetime.fromisoformat(i["start"]) for i in labels["incidents"])
    at = end - timedelta(days=options.days)
    at = at.replace(minute=30)
    open_now: set[str] = set()
    opened = 0
    cycles = 0
    while at < end:
        results, _ = results_at(table, at, exposure)
        failing_now = {f"{r.event_type}/{r.aspect}" for r in results if r.status is Status.FAIL}
        for name in failing_now - open_now:
            opened += 1
            r = next(x for x in results if f"{x.event_type}/{x.aspect}" == name)
            print("   false", at, name, r.summary, [f"{f.label}: {f.text}" for f in r.facts])
        open_now = failing_now
        cycles += 1
        at += timedelta(hours=options.step_hours)
    print(f"false incidents over {options.days} clean days, {cycles} cycles: {opened}")


if __name__ == "__main__":
    main()
