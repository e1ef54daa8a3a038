"""Judges cuts (event type x value) of an audit table: what is falsely told on clean days, and how fast
planted losses of one platform are found.

    python benchmarks/cuts.py TABLE.duckdb [--days 14] [--ranks 5,10,20,40,80]

The table is one that the audit generator made. Clean days are those before its planted incidents; the
loop runs the volume kind each hour and counts what cuts add to what event types tell anyway. Then one
platform of event types of several sizes is thinned in the counts, and the hours until it is told (by
the cut, or by its event type) are printed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from eventwatch.kinds import volume_cuts
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.model.measurement import HOUR, Cells, SeriesKey
from eventwatch.model.result import Result
from eventwatch.model.settings import Dimension, Exposure, Secret
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.audit_volume import Table, _ledger

DIMENSIONS = ("platform", "app_version")
CUT_DAYS = 35
EXPOSURE = Exposure(
    "analytics_events",
    Secret("duckdb://"),
    dimensions=tuple(Dimension(name, name) for name in DIMENSIONS),
)


class CutTable(Table):
    """All rows, and all cuts as hourly cells, read once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        parts = []
        with duckdb.connect(str(path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            for name in DIMENSIONS:
                parts.append(
                    con.execute(
                        f"""SELECT event_type, '{name}' AS d, {name} AS v,
                        floor(epoch(occurred_at) / {HOUR})::BIGINT * {HOUR} AS o,
                        floor(epoch(loaded_at) / {HOUR})::BIGINT * {HOUR} AS l, count(*) AS n,
                        floor(min(epoch(loaded_at)))::BIGINT AS a,
                        floor(max(epoch(loaded_at)))::BIGINT AS b
                    FROM analytics_events GROUP BY ALL"""
                    ).fetchnumpy()
                )
        found = {c: np.concatenate([np.asarray(p[c]) for p in parts]) for c in parts[0]}
        keys = list(zip(*(found[c].astype(str) for c in ("event_type", "d", "v")), strict=True))
        place = {key: i for i, key in enumerate(sorted(set(keys)))}
        self.cuts = Cells(
            tuple(SeriesKey(*key) for key in place),
            np.array([place[key] for key in keys], dtype=np.int32),
            *(found[c].astype(np.int64) for c in ("o", "l", "n", "a", "b")),
        )
        self.ledger = dict(_ledger(self.cuts))

    def at(self, now: datetime) -> ExposureView:
        """As the pipeline would make it, hours at a time: ``now`` must be a whole hour for the cuts
        to be exact; rows of the hour that has begun are left out."""
        view = self.view(now, EXPOSURE)
        at = int(now.timestamp()) // HOUR * HOUR
        cuts = self.cuts.where(
            (self.cuts.loaded < at) & (self.cuts.loaded >= at - CUT_DAYS * 24 * HOUR)
        )
        known = {k: s for k, s in self.ledger.items() if s.first_at <= now}
        return replace(view, cuts=cuts, ledger={**view.ledger, **known})


def thinned(table: CutTable, event_type: str, platform: str, since: datetime, part: float) -> None:
    """Takes rows of one platform of one event type away, from both sets: ``part`` is what stays."""
    rng = np.random.default_rng(7)
    cuts, cells = table.cuts, table.cells
    series = table.cuts.keys.index(SeriesKey(event_type, "platform", platform))
    mine = (cuts.series == series) & (cuts.occurred >= since.timestamp())
    gone = cuts.rows * mine - rng.binomial(cuts.rows * mine, part)
    table.cuts = replace(cuts, rows=cuts.rows - gone).where(cuts.rows - gone > 0)
    column = table.keys.index(SeriesKey(event_type))
    rows = cells.rows.copy()
    for occurred, loaded, count in zip(
        cuts.occurred[gone > 0], cuts.loaded[gone > 0], gone[gone > 0], strict=True
    ):
        own = np.flatnonzero(
            (cells.series == column)
            & (cells.occurred // HOUR * HOUR == occurred)
            & (cells.loaded // HOUR * HOUR == loaded)
        )
        rows[own] -= rng.multivariate_hypergeometric(rows[own], int(count))
    table.cells = replace(cells, rows=rows).where(rows > 0)


def results_of(view: ExposureView) -> list[Result]:
    """Of the volume kind."""
    return list(judge(view, rules_for(VolumeCheck(), (), EXPOSURE.name, view.catalog)))


def name_of(result: Result) -> str:
    """Event type, aspect, value."""
    cut = "" if result.cut is None else f"/{result.cut.dimension}={result.cut.value}"
    return f"{result.event_type}/{result.aspect}{cut}"


def clean(table: CutTable, end: datetime, days: int) -> None:
    """False incidents of the days before ``end``."""
    at, opened, cost = end - timedelta(days=days), {False: 0, True: 0}, []
    open_now: Mapping[str, Result] = {}
    while at < end:
        began = time.process_time()
        view = table.at(at)
        ready = time.process_time()
        results = results_of(view)
        cost.append((time.process_time() - ready, ready - began))
        failing = {name_of(r): r for r in results if r.status is Status.FAIL}
        for name in failing.keys() - open_now.keys():
            opened[failing[name].cut is not None] += 1
            print(f"   false {at:%m-%d %H:%M} {name}: {failing[name].summary}")
        open_now = failing
        at += timedelta(hours=1)
    print(
        f"{days} clean days, {len(cost)} cycles: {opened[False]} false incidents of event types, "
        f"{opened[True]} more by cuts; judged in {np.median([c for c, _ in cost]) * 1e3:.0f} ms CPU"
    )


def cost_of(table: CutTable, at: datetime) -> None:
    """CPU of a cycle with and without cuts, with saved state."""
    view = table.at(at)
    results_of(view)
    for word, one in (("without", replace(view, cuts=Cells.empty())), ("with", view)):
        spent = []
        for _ in range(5):
            began = time.process_time()
            results_of(one)
            spent.append(time.process_time() - began)
        print(f"a cycle {word} cuts: {min(spent) * 1e3:.0f} ms CPU; {len(one.cuts.series):,} cells")
    print(f"   {len(view.cuts.keys):,} cuts, {len(table.keys)} event types")


def power(table: CutTable, end: datetime, ranks: Sequence[int], limit: int = 36) -> None:
    """Hours from the loss of a platform to the first result that tells it."""
    kept = table.cuts, table.cells
    since = (end - timedelta(days=2)).replace(hour=6)
    for part in (0.0, 0.5):
        for rank in ranks:
            event_type = f"evt_{rank:03d}"
            key = SeriesKey(event_type, "platform", "android")
            series = table.cuts.keys.index(key)
            mine = (table.cuts.series == series) & (table.cuts.occurred < since.timestamp())
            mine &= table.cuts.occurred >= (since - timedelta(days=7)).timestamp()
            per_hour = table.cuts.rows[mine].sum() / 168
            thinned(table, event_type, "android", since, part)
            first: dict[str, tuple[int, Result]] = {}
            for hours in range(1, limit):
                for r in results_of(table.at(since + timedelta(hours=hours))):
                    told = r.status is Status.FAIL
                    told |= r.status is Status.SKIPPED and r.aspect == "cut"
                    if told and r.event_type == event_type:
                        first.setdefault(f"{r.aspect} {r.status.value}", (hours, r))
            words = "; ".join(f"{k} after {h} h" for k, (h, _) in first.items()) or "not told"
            print(f"android to {part:.0%} in {event_type} ({per_hour:.1f} rows/h): {words}")
            for _, result in first.values():
                facts = ", ".join(f"{f.label}: {f.text}" for f in result.facts)
                print(f"      {result.summary} [{facts}]")
            table.cuts, table.cells = kept


def main() -> None:
    """The table on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--days", type=int, default=14, help="clean days to loop over")
    parser.add_argument("--ranks", default="5,10,20,40,80", help="event types that lose a platform")
    parser.add_argument(
        "--part", type=float, help="part of the budget, to see how near false ones are"
    )
    options = parser.parse_args()
    if options.part:
        volume_cuts.PART_OF_BUDGET = options.part
    labels = json.loads(
        options.table.with_name(options.table.stem + "_labels.json").read_text("utf-8")
    )
    table = CutTable(options.table)
    now = datetime.fromisoformat(labels["now"]).astimezone(UTC)
    for result in results_of(table.at(now)):
        if result.cut is not None:
            print(
                f"at the audit's instant: {result.status.value} {name_of(result)}: {result.summary}"
            )
            print("      ", [f"{f.label}: {f.text}" for f in result.facts])
    cost_of(table, now)
    end = min(datetime.fromisoformat(i["start"]) for i in labels["incidents"])
    end = end.replace(minute=0)
    ranks = [int(rank) for rank in options.ranks.split(",") if rank]
    power(table, end, ranks)
    if options.days:
        clean(table, end, options.days)


if __name__ == "__main__":
    main()
