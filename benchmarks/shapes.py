"""Event types of twenty-two shapes in one table: false episodes, and which planted faults are told.

    python benchmarks/shapes.py [--seed 0] [--alone]

Ninety days of hours, 40 series of each shape; the first 28 days are not judged. One fault is planted in
each series at a time where something comes: nothing for 6 hours, half for a day, three times as much
for 3 hours. ``--alone`` gives every shape a table of its own, without a witness.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import run
from eventwatch.detect.panel import Panel
from eventwatch.detect.settings import DetectSettings, grain, threshold_for

FloatArray = NDArray[np.float64]

DAYS, EACH, JUDGED_FROM = 90, 40, 28
BUDGET = 0.003
LEAST_ROWS = 20
HOURS = np.arange(24 * DAYS)
AT = 1_704_067_200 + 3600 * HOURS
"""From a Monday on."""
HOUR, DAY, WEEKDAY = HOURS % 24, HOURS // 24, HOURS // 24 % 7
DAILY = np.exp(0.8 * np.sin((HOUR - 8) / 24 * 2 * np.pi))
LATER = np.exp(0.8 * np.sin((HOUR + (DAY > 45) - 8) / 24 * 2 * np.pi))
WORKDAY = WEEKDAY < 5


@dataclass(frozen=True)
class Fault:
    """What is planted, and for how many hours."""

    name: str
    part: float
    hours: int


FAULTS = (Fault("zero 6 h", 0.0, 6), Fault("half 24 h", 0.5, 24), Fault("x3 3 h", 3.0, 3))


def shapes(rng: np.random.Generator) -> dict[str, Callable[[], FloatArray]]:
    """A maker of one series each."""

    def noisy(mean: NDArray[np.floating], shape: float = 30.0) -> FloatArray:
        moved = rng.gamma(shape, 1 / shape, size=mean.shape)
        return np.asarray(rng.poisson(mean * moved), dtype=np.float64)

    def batch(hour_of: Callable[[int], int]) -> FloatArray:
        made = np.zeros(len(HOURS))
        for day in range(DAYS):
            made[24 * day + hour_of(day)] += rng.poisson(10_000)
        return made

    def bursts() -> FloatArray:
        mean = np.ones(len(HOURS))
        for start in rng.choice(len(HOURS), 60):
            mean[start : start + 3] += rng.exponential(500)
        return np.asarray(rng.poisson(mean), dtype=np.float64)

    def newsletter() -> FloatArray:
        mean = 2.0 + 50_000.0 * ((WEEKDAY == 0) & (HOUR == 10))
        return np.asarray(rng.poisson(mean), dtype=np.float64)

    def walk() -> FloatArray:
        return noisy(100 * DAILY * np.exp(np.cumsum(rng.normal(0, 0.02, len(HOURS)))))

    return {
        "100 an hour": lambda: noisy(100 * DAILY * np.where(WORKDAY | (WEEKDAY == 6), 1.0, 0.6)),
        "a million an hour": lambda: noisy(1e6 * DAILY, 5000),
        "3 an hour": lambda: noisy(3 * DAILY),
        "one in two hours": lambda: rng.poisson(0.5 * DAILY).astype(float),
        "very noisy": lambda: noisy(100 * DAILY, 2),
        "wandering level": walk,
        "growth of 30 % a month": lambda: noisy(50 * DAILY * 1.3 ** (HOURS / 720)),
        "threefold a month": lambda: noisy(20 * DAILY * 3 ** (HOURS / 720)),
        "half a month later": lambda: noisy(2000 * DAILY * 0.5 ** (HOURS / 720)),
        "office hours": lambda: noisy(200.0 * ((HOUR >= 8) & (HOUR < 18) & WORKDAY)),
        "evenings": lambda: noisy(80.0 * ((HOUR >= 17) & (HOUR < 23))),
        "weekends": lambda: noisy(300.0 * ~WORKDAY),
        "daily batch": lambda: noisy(10_000.0 * (HOUR == 3), 400),
        "batch on working days": lambda: noisy(3_000.0 * ((HOUR == 6) & WORKDAY), 100),
        "batch every six hours": lambda: noisy(500.0 * (HOUR % 6 == 1), 200),
        "batch at three or four": lambda: batch(lambda _: 3 + int(rng.random() < 0.3)),
        "batch moves on day 60": lambda: batch(lambda day: 3 if day < 60 else 5),
        "weekly newsletter": newsletter,
        "campaigns": bursts,
        "threefold at month's end": lambda: noisy(100 * DAILY * np.where(DAY % 30 >= 28, 3, 1)),
        "60 % from day 60 on": lambda: noisy(100 * DAILY * np.where(DAY > 60, 0.6, 1.0)),
        "season shifts on day 45": lambda: noisy(500 * LATER),
    }


def scores(counts: FloatArray, *, one_table: bool) -> FloatArray:
    """[T, S]."""
    settings = DetectSettings(witness=one_table, one_place=one_table)
    of = grain(3600)
    return run(Panel(counts, clock_of(AT, of, settings), of), settings).score


def found(
    counts: FloatArray, fault: Fault, rng: np.random.Generator, *, one_table: bool
) -> NDArray[np.bool_]:
    """[S] whether the fault is told while it lasts, or in the hour after."""
    hurt, starts = counts.copy(), []
    for s in range(counts.shape[1]):
        for _ in range(500):
            start = int(rng.integers(24 * 65, 24 * 88))
            if counts[start : start + fault.hours, s].sum() >= LEAST_ROWS:
                break
        rows = hurt[start : start + fault.hours, s]
        if 0 < fault.part < 1:
            rows[:] = rng.binomial(rows.astype(int), fault.part)
        else:
            rows *= fault.part
        starts.append(start)
    score = scores(hurt, one_table=one_table)
    told = threshold_for(BUDGET)
    lasts = [score[at : at + fault.hours + 1, s].max() for s, at in enumerate(starts)]
    return np.asarray(np.array(lasts) >= told)


def episodes(score: FloatArray) -> FloatArray:
    """[S] per 1,000 days."""
    over = score[24 * JUDGED_FROM :] >= threshold_for(BUDGET)
    began = over & ~np.vstack([np.zeros_like(over[:1]), over[:-1]])
    return np.asarray(began.sum(axis=0) / (DAYS - JUDGED_FROM) * 1000)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="every shape in a table of its own")
    of = parser.parse_args()
    rng = np.random.default_rng(of.seed)
    made = {
        name: np.column_stack([make() for _ in range(EACH)]) for name, make in shapes(rng).items()
    }
    tables = [[name] for name in made] if of.alone else [list(made)]
    print(f"{'shape':26}{'false / 1,000 d':>16}" + "".join(f"{f.name:>11}" for f in FAULTS))
    for names in tables:
        counts = np.hstack([made[name] for name in names])
        false = episodes(scores(counts, one_table=not of.alone))
        told = [found(counts, fault, rng, one_table=not of.alone) for fault in FAULTS]
        for k, name in enumerate(names):
            part = slice(EACH * k, EACH * (k + 1))
            row = "".join(f"{each[part].mean():11.2f}" for each in told)
            print(f"{name:26}{false[part].mean():16.1f}{row}")


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
