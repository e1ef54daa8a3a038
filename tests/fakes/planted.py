"""A table whose counts are known to be negative binomial, with changes planted in futures of their own:
the independent witness for what ``blind-spots`` states.

Nothing here uses the detector. Rows are counts of 5-minute bins by delay, so a view takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.measurement import FINE, HOUR, Cells, SeriesKey
from eventwatch.model.settings import Exposure, Secret
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView, Seen

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DELAYS = (0.7, 0.2, 0.1)
"""Parts of the rows that are loaded in the bin they occurred in, the next, and three later."""
LATER = (0, 1, 3)
SPREAD = 0.03
"""Relative variance of an hour beyond Poisson."""
START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True)
class Plant:
    """One change of one event type, from an instant on."""

    column: int
    factor: float
    begins: float
    """Epoch seconds."""


@dataclass
class World:
    """Event types with a daily and a weekly season that share nothing else."""

    rates: Sequence[float]
    """Rows an hour."""
    now: datetime
    seed: int = 0
    contracts: tuple[Contract, ...] = ()
    spread: float = SPREAD
    past: IntArray = field(init=False)
    """[bins, S, delays]."""

    def __post_init__(self) -> None:
        bins = (int(self.now.timestamp()) - self.start) // FINE
        self.past = self._drawn(np.random.default_rng(self.seed), 0, bins, ())

    @property
    def start(self) -> int:
        """Epoch seconds of the first bin."""
        return int(START.timestamp())

    @property
    def names(self) -> tuple[str, ...]:
        """Event types."""
        return tuple(f"type_{i:02d}" for i in range(len(self.rates)))

    def future(self, seed: int, span: timedelta, plants: Sequence[Plant]) -> IntArray:
        """Past and a future of its own, as ``past``."""
        first = len(self.past)
        bins = int(span.total_seconds()) // FINE
        rng = np.random.default_rng([self.seed, 1, seed])
        return np.concatenate([self.past, self._drawn(rng, first, bins, plants)])

    def _drawn(
        self, rng: np.random.Generator, first: int, bins: int, plants: Sequence[Plant]
    ) -> IntArray:
        at = self.start + FINE * np.arange(first, first + bins)
        hour = at % 86400 / HOUR
        season = np.exp(0.6 * np.sin((hour - 8) / 24 * 2 * np.pi) - 0.08)
        season = season * np.where((at // 86400 + 3) % 7 >= 5, 0.7, 1.0)
        hours = at // HOUR - at[0] // HOUR
        own = rng.gamma(1 / self.spread, self.spread, (int(hours[-1]) + 1, len(self.rates)))
        mean = np.array(self.rates) * FINE / HOUR * season[:, None] * own[hours]
        for plant in plants:
            part = np.clip((at + FINE - plant.begins) / FINE, 0.0, 1.0)
            mean[:, plant.column] *= 1.0 + part * (plant.factor - 1.0)
        return np.stack([rng.poisson(mean * part) for part in DELAYS], axis=-1)

    def view(self, rows: IntArray, at: datetime) -> ExposureView:
        """What can be seen at ``at``: 5-minute bins of two days, hours before."""
        end = (int(at.timestamp()) - self.start) // FINE
        size = len(self.rates)
        border = max(end - 576, 0) // 12 * 12
        old = rows[:border].sum(axis=2).reshape(-1, 12, size).sum(axis=1)
        hour, series = np.nonzero(old)
        parts = [(series, hour * HOUR, hour * HOUR, old[hour, series], HOUR)]
        young = rows[border:end]
        for d, later in enumerate(LATER):
            place, series = np.nonzero(young[: max(len(young) - later, 0), :, d])
            counts = young[place, series, d]
            place = place + border
            parts.append((series, place * FINE, (place + later) * FINE, counts, FINE))
        columns = [np.concatenate([p[i] for p in parts]).astype(np.int64) for i in range(4)]
        width = np.concatenate([np.full(len(p[0]), p[4]) for p in parts])
        occurred, loaded = columns[1] + self.start, columns[2] + self.start
        keys = tuple(SeriesKey(name) for name in self.names)
        born = datetime.fromtimestamp(self.start, UTC) - timedelta(days=200)
        return ExposureView(
            exposure=Exposure("events", Secret("duckdb://")),
            now=at,
            catalog=Catalog({c.event_type: c for c in self.contracts}, {}, ""),
            rows=Cells(
                keys,
                columns[0].astype(np.int32),
                occurred,
                loaded,
                columns[3],
                loaded + 1,
                loaded + width - 1,
            ),
            cuts=Cells.empty(),
            delays=Cells.empty(),
            duplicates=Cells.empty(),
            bad_times=Cells.empty(),
            ledger={key: Seen(born, at) for key in keys},
            measured_from=datetime.fromtimestamp(self.start, UTC),
            watching_since=datetime.fromtimestamp(self.start, UTC),
        )


def caught(  # noqa: PLR0917 - a scene and when to look at it
    world: World,
    seed: int,
    plants: Sequence[Plant],
    within: timedelta,
    every: timedelta,
    checks: tuple[VolumeCheck, ...] = (),
) -> Mapping[int, bool]:
    """Which planted changes the live volume check tells within the time, looked at cycle by cycle and
    at the end; by column."""
    begins = datetime.fromtimestamp(min(p.begins for p in plants), UTC)
    rows = world.future(seed, begins + within - world.now + timedelta(minutes=5), plants)
    told = {p.column: False for p in plants}
    looks = [begins + every * (k + 1) for k in range(int(within / every))]
    for at in looks:
        view = world.view(rows, at)
        rules = rules_for(VolumeCheck(), checks, "events", view.catalog)
        failed = {r.event_type: r for r in judge(view, rules) if r.status is Status.FAIL}
        for plant in plants:
            result = failed.get(world.names[plant.column])
            if result is None or result.amount is None:
                continue
            usual = result.amount.expected
            if usual is None:
                usual = result.amount.lower if plant.factor < 1 else result.amount.upper
            if usual is not None and (result.amount.observed < usual) == (plant.factor < 1):
                told[plant.column] = True
        if all(told.values()):
            break
    return told
