"""Plants changes of the sizes that ``blind-spots`` states and counts how many the live check tells.

    python benchmarks/blind_spots.py [--worlds 3] [--rounds 12] [--part 1.0]

Each world is 24 event types from 0.3 to 1,000 rows an hour over 38 days with a daily and a weekly season
(tests/fakes/planted.py). Six of them change at a random moment of the coming day, in data drawn with
other seeds; the volume kind looks cycle by cycle. ``--part 0.5`` plants half of each stated change.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from eventwatch.kinds.blind_trial import HORIZONS
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.kinds.volume_blind import volume_sights
from tests.fakes.planted import Plant, World, caught

RATES: tuple[float, ...] = (
    0.3,
    0.3,
    0.6,
    1,
    1.5,
    2,
    3,
    5,
    8,
    12,
    20,
    30,
    45,
    60,
    90,
    120,
    200,
    300,
    500,
    700,
    1000,
    *(15, 25, 40),
)
NOW = datetime(2026, 4, 9, 14, 20, tzinfo=UTC)
EVERY = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
AT_ONCE = 6


def world_of(seed: int) -> World:
    """One table; its last day is another day of the week with every seed."""
    return World(RATES, NOW + timedelta(days=seed % 7, hours=3 * (seed % 8)), seed=seed)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--part", type=float, default=1.0)
    options = parser.parse_args()
    told: dict[tuple[int, str], list[bool]] = defaultdict(list)
    asked = 0.0
    for seed in range(options.worlds):
        world = world_of(seed)
        view = world.view(world.past, world.now)
        began = time.process_time()
        rules = rules_for(VolumeCheck(), (), "events", view.catalog)
        stated = volume_sights(view, rules, lambda _: True)
        asked += time.process_time() - began
        rng = np.random.default_rng([seed, 99])
        for horizon, (within, every) in enumerate(zip(HORIZONS, EVERY, strict=True)):
            for way in ("drop", "rise"):
                factors: dict[int, float] = {}
                for column, name in enumerate(world.names):
                    sight = stated[name].sight
                    drop, rise = sight.drops[horizon], sight.rises[horizon]
                    if way == "drop" and drop is not None:
                        factors[column] = 1.0 - options.part * drop
                    if way == "rise" and rise is not None:
                        factors[column] = 1.0 + options.part * (rise - 1.0)
                for _ in range(options.rounds if factors else 0):
                    begins = (world.now.timestamp() + rng.random() * 86400) // 300 * 300
                    chosen = [int(c) for c in rng.permutation(list(factors))[:AT_ONCE]]
                    plants = [Plant(c, factors[c], begins) for c in chosen]
                    hits = caught(world, int(rng.integers(1 << 30)), plants, within, every)
                    told[horizon, way] += list(hits.values())
    print(f"asking took {asked / options.worlds:.1f} s of CPU for {len(RATES)} event types")
    for (horizon, way), found in sorted(told.items()):
        hours = HORIZONS[horizon].total_seconds() / 3600
        print(f"{way:5} within {hours:2.0f} h: {np.mean(found):.3f} of {len(found)}")
    pooled = [hit for found in told.values() for hit in found]
    print(f"all: {np.mean(pooled):.3f} of {len(pooled)}")


if __name__ == "__main__":
    main()
