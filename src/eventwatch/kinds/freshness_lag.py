"""freshness, how slow: the p95 of loaded − occurred of what was loaded lately.

Where no limit is set, the exposure's own last two weeks give one: three times what is usual,
or usual at this hour of the day, so that a nightly backfill is no news.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from eventwatch.kinds.definition import Rules
from eventwatch.kinds.delays import Delays, bin_of, quantile, quantiles
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.results import Maker
from eventwatch.model.contract import Contract
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration, from_epoch
from eventwatch.model.measurement import DELAY_BINS, HOUR
from eventwatch.model.result import Amount, Fact, Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView

MOST_WINDOWS = (2, 4, 8, 24)
"""Hours looked at: the first span with enough rows."""
MIN_ROWS = 100
MIN_ROWS_OF_TYPE = 50
MIN_PAST = 48
"""Hours with enough rows that a limit can be learned from."""
TIMES_USUAL = 3.0
FLOOR_SECONDS = 300.0
"""A learned limit is never lower: nobody acts on seconds that became minutes."""

FloatArray = NDArray[np.float64]


def judge_lags(view: ExposureView, rules: Rules[FreshnessCheck], maker: Maker) -> Iterator[Result]:
    """One result of the exposure, and one per event type whose contract sets a max_lag."""
    check = rules.for_exposure()
    promised = [c for c in view.catalog.declared_in(view.exposure.name) if c.max_lag is not None]
    if not view.exposure.has_load_time:
        reason = "unknown: the exposure has no load time"
        if check.enabled:
            yield maker.make(check, "lag", Status.SKIPPED, reason)
        for contract in promised:
            own = rules.for_event_type(contract.event_type)
            if own.enabled:
                yield _of(maker, own, contract, Status.SKIPPED, reason)
        return
    delays = Delays.of(view.delays, view.now)
    if check.enabled:
        yield _of_exposure(view, check, delays, maker)
    yield from _of_types(view, rules, promised, maker)


def _latest(bins: FloatArray, least: int) -> tuple[FloatArray, int]:
    """The bins of the shortest span of last hours that holds enough rows, and its hours."""
    for hours in MOST_WINDOWS:
        recent = bins[-hours:].sum(axis=0)
        if recent.sum() >= least:
            return recent, hours
    return bins[-MOST_WINDOWS[-1] :].sum(axis=0), MOST_WINDOWS[-1]


def _of_exposure(view: ExposureView, check: FreshnessCheck, delays: Delays, maker: Maker) -> Result:
    recent, hours = _latest(delays.bins, MIN_ROWS)
    rows = int(recent.sum())
    if rows < MIN_ROWS:
        few = f"only {counted(rows, 'row')} in the last 24 h" if rows else "no row in the last 24 h"
        return maker.make(check, "lag", Status.SKIPPED, f"{few}: too few to judge")
    observed = quantile(recent, 0.95)
    limit, usual = check.max_lag, float("nan")
    if limit is None:
        learned = _learned_limit(delays, hours)
        if learned is None:
            return maker.make(
                check,
                "lag",
                Status.LEARNING if view.now - view.measured_from < 2 * _LEARNS else Status.SKIPPED,
                f"p95 {format_duration(observed)}; too few hours with rows to say what is usual",
                amount=Amount("seconds", observed),
                learning_until=view.measured_from + 2 * _LEARNS
                if view.now - view.measured_from < 2 * _LEARNS
                else None,
            )
        usual, limit = learned
    bad = observed > limit.total_seconds()
    words = (
        f"the limit is {format_duration(limit)}"
        if np.isnan(usual)
        else f"usually {format_duration(usual)}"
    )
    half = quantile(recent, 0.5)
    return maker.make(
        check,
        "lag",
        Status.FAIL if bad else Status.PASS,
        f"5 % of the rows of the last {hours} h came more than {format_duration(observed)} after "
        f"they occurred; {words}",
        amount=Amount(
            "seconds",
            observed,
            expected=None if np.isnan(usual) else usual,
            upper=limit.total_seconds(),
        ),
        since=_bad_since(delays, limit.total_seconds()) if bad else None,
        facts=(
            Fact("median", format_duration(half)),
            Fact("rows", f"{rows:,} in {hours} h"),
        )
        if bad
        else (),
    )


_LEARNS = timedelta(days=1)


def _learned_limit(delays: Delays, hours: int) -> tuple[float, timedelta] | None:
    """What is usual and the limit that follows; None: the past says too little."""
    past = delays.bins[: -max(hours, 1)]
    seen = np.flatnonzero(past.sum(axis=1) >= MIN_ROWS)
    if len(seen) < MIN_PAST:
        return None
    values = quantiles(past[seen], 0.95)
    usual = float(np.quantile(values, 0.9))
    for back in range(hours):
        same = (delays.start + seen - (delays.start + len(delays.bins) - 1 - back)) % 24 == 0
        if same.sum() >= 5:
            usual = max(usual, float(np.median(values[same])))
    return usual, timedelta(seconds=min(max(TIMES_USUAL * usual, FLOOR_SECONDS), 3e9))


def _bad_since(delays: Delays, limit: float) -> datetime:
    """Start of the first hour of the bad stretch that lasts until now.

    An hour with many rows is bad by its p95; one with few by its median, since a single late row
    says nothing; one without rows does not end the stretch.
    """
    began = len(delays.bins) - 1
    for h in range(len(delays.bins) - 1, -1, -1):
        bins = delays.bins[h]
        count = bins.sum()
        if not count:
            continue
        if quantile(bins, 0.95 if count >= MIN_ROWS / 4 else 0.5) <= limit:
            break
        began = h
    return from_epoch((delays.start + began) * HOUR)


def _of_types(
    view: ExposureView, rules: Rules[FreshnessCheck], promised: list[Contract], maker: Maker
) -> Iterator[Result]:
    if not promised:
        return
    wanted = {c.event_type: i for i, c in enumerate(promised)}
    which = np.array([wanted.get(k.event_type or "", -1) for k in view.delays.keys], dtype=np.int64)
    chosen = view.delays
    if len(which):
        chosen = chosen.where(which[chosen.series] >= 0)
    end = int(view.now.timestamp()) // HOUR
    age = end - chosen.loaded // HOUR
    chosen = chosen.where(age < MOST_WINDOWS[-1])
    age = np.clip(end - chosen.loaded // HOUR, 0, MOST_WINDOWS[-1] - 1)
    width = MOST_WINDOWS[-1]
    bins: FloatArray = np.zeros(len(promised) * width * DELAY_BINS)
    if len(chosen.series):
        flat = (which[chosen.series] * width + (width - 1 - age)) * DELAY_BINS
        flat = flat + bin_of(chosen)[chosen.series]
        bins = np.bincount(flat, weights=chosen.rows, minlength=len(bins)).astype(np.float64)
    shaped = bins.reshape(len(promised), width, DELAY_BINS)
    for i, contract in enumerate(promised):
        check = rules.for_event_type(contract.event_type)
        if not check.enabled or contract.max_lag is None:
            continue
        recent, hours = _latest(shaped[i], MIN_ROWS_OF_TYPE)
        rows = int(recent.sum())
        if rows < MIN_ROWS_OF_TYPE:
            reason = f"only {counted(rows, 'row')} in the last 24 h: too few to judge"
            yield _of(maker, check, contract, Status.SKIPPED, reason)
            continue
        observed, limit = quantile(recent, 0.95), contract.max_lag.total_seconds()
        bad = observed > limit
        yield maker.make(
            check,
            "lag",
            Status.FAIL if bad else Status.PASS,
            f"5 % of the rows of the last {hours} h came more than {format_duration(observed)} after "
            f"they occurred; the contract allows {format_duration(limit)}",
            event_type=contract.event_type,
            contract=contract,
            amount=Amount("seconds", observed, upper=limit),
            since=_bad_since(Delays(end - width + 1, shaped[i]), limit) if bad else None,
        )


def _of(
    maker: Maker, check: FreshnessCheck, contract: Contract, status: Status, summary: str
) -> Result:
    return maker.make(
        check, "lag", status, summary, event_type=contract.event_type, contract=contract
    )
