"""Scores the detector on a folder of labelled panels, and its speed beside a plain rolling mean.

    python benchmarks/detect.py [FOLDER] [--panels synth_hourly,real_hourly] [--witness] [--causal]

FOLDER holds the panels and their harness ``score.py`` (EVENTWATCH_DETECT_BENCH names it too); without
one only the speed is measured. R_k @N is the share of feasible incidents that are found within k
buckets at N false episodes per 1,000 series-days; "false" and "recall" are at the default threshold;
AP is the average precision of single buckets, which counts where people made the labels (kpi_5min,
wsd_5min).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import run
from eventwatch.detect.frames import score_counts
from eventwatch.detect.panel import Panel
from eventwatch.detect.rank import ranked
from eventwatch.detect.settings import DetectSettings, grain

FloatArray = NDArray[np.float64]
PANELS = "synth_hourly,real_hourly,synth_daily,synth_5min,real_5min,kpi_5min,wsd_5min"


class Detector:
    """The engine behind the harness' interface."""

    def __init__(self, *, witness: bool) -> None:
        self.settings = DetectSettings(witness=witness)

    def __call__(
        self, values: FloatArray, ts: NDArray[np.int64], bucket: int
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Scores and flags [T, S]."""
        of = grain(int(bucket))
        at = np.asarray(ts, dtype=np.int64)
        shared = bool((at == at[:, :1]).all())
        clock = clock_of(at[:, 0] if shared else at, of, self.settings)
        scored = run(Panel(values, clock, of), self.settings)
        judged = (scored.age >= self.settings.learning_days) & np.isfinite(values)
        score = np.where(judged, scored.score, 0.0)
        flags = score >= self.settings.threshold
        # As the front door has it.
        near = np.maximum(scored.one_spread, 1e-6)
        worst = ranked(score, values, scored.one_expected, near, self.settings.threshold)
        return worst, flags


def harness(folder: Path) -> ModuleType:
    """The folder's own score.py."""
    spec = importlib.util.spec_from_file_location("score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} holds no score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def panels(folder: Path, names: list[str], *, witness: bool, causal: bool) -> None:
    """One line a panel."""
    score = harness(folder)
    print(
        f"{'panel':16}{'@3':>7}{'@10':>7}{'@30':>7}{'false':>8}{'recall':>8}{'AP':>7}{'CPU s':>8}"
    )
    for name in names:
        collection = score.load(str(folder), name)
        detector = Detector(witness=witness)
        begin = time.process_time()
        scores, flags, _ = score.run(detector, collection)
        seconds = time.process_time() - begin
        matched = []
        for target in (3, 10, 30):
            threshold = score.match(collection, scores, target)
            found = score.evaluate(collection, scores, scores >= threshold, slow=False)
            matched.append(float(found["recall_k"]))
        plain = score.evaluate(collection, scores, flags, slow=False)
        line = "".join(f"{value:7.3f}" for value in matched)
        precision = float(score.avg_prec(collection, scores))
        print(
            f"{name:16}{line}{plain['fp_per_1000sd']:8.1f}"
            f"{float(plain['recall_k']):8.3f}{precision:7.3f}{seconds:8.1f}",
            flush=True,
        )
        if causal:
            print("  cells that rest on later rows:", score.check_causal(detector, collection))


def speed() -> None:
    """CPU of 300 series over 60 days and a year, beside a rolling mean of a week."""
    for days in (60, 365):
        hours = np.arange(days * 24)
        rng = np.random.default_rng(0)
        season = np.exp(0.8 * np.sin((hours % 24 - 8) / 24 * 2 * np.pi))
        mean = 10 ** rng.uniform(-1, 4, 300)[:, None] * season
        counts = rng.poisson(mean * rng.gamma(30, 1 / 30, mean.shape)).astype(float)
        frame = pd.DataFrame(
            {
                "series": np.repeat([f"s{i}" for i in range(300)], len(hours)),
                "ts": np.tile(pd.date_range("2026-01-01", periods=len(hours), freq="h"), 300),
                "value": counts.ravel(),
            }
        )
        begin = time.process_time()
        total = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
        _ = (total[:, 168:] - total[:, :-168]) / 168
        floor = time.process_time() - begin
        of = grain(3600)
        clock = clock_of(3600 * hours, of, DetectSettings())
        begin = time.process_time()
        run(Panel(np.ascontiguousarray(counts.T), clock, of), DetectSettings())
        engine = time.process_time() - begin
        begin = time.process_time()
        score_counts(frame, bucket="1h")
        front = time.process_time() - begin
        print(
            f"300 series x {days} d: engine {engine:.2f} s CPU, score_counts {front:.2f} s, "
            f"{front / max(floor, 1e-3):.0f} x a rolling mean"
        )


def main() -> None:
    """The tables on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=os.environ.get("EVENTWATCH_DETECT_BENCH", ""))
    parser.add_argument("--panels", default=PANELS)
    parser.add_argument("--witness", action="store_true")
    parser.add_argument("--causal", action="store_true")
    options = parser.parse_args()
    if options.folder and Path(options.folder).is_dir():
        panels(
            Path(options.folder),
            options.panels.split(","),
            witness=options.witness,
            causal=options.causal,
        )
    else:
        print("no folder of panels: only the speed is measured", file=sys.stderr)
    speed()


if __name__ == "__main__":
    main()
