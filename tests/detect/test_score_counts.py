"""What the front door for plain series promises, whatever the series."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.detect import DetectSettings, score_counts

NUMBERS = ["expected", "lower", "upper", "z", "p_value", "score"]


def frame(
    values: np.ndarray, start: str = "2026-03-02", freq: str = "1h", names: list[str] | None = None
) -> pd.DataFrame:
    """Rows of [T, S] values."""
    length, series = values.shape
    labels = names or [f"s{i}" for i in range(series)]
    return pd.DataFrame(
        {
            "series": np.repeat(labels, length),
            "ts": np.tile(pd.date_range(start, periods=length, freq=freq, tz="UTC"), series),
            "value": values.T.ravel().astype(float),
        }
    )


def busy(days: int, series: int, seed: int, rate: float = 300.0) -> np.ndarray:
    """Counts with a day and a week, and noise beyond Poisson."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24)
    season = np.exp(0.7 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi))
    season = season * np.where(hour // 24 % 7 >= 5, 0.6, 1.0)
    mean = rate * season[:, None] * rng.gamma(40, 1 / 40, (len(hour), series))
    return np.asarray(rng.poisson(mean), dtype=np.float64)


@st.composite
def panels(draw: st.DrawFn) -> np.ndarray:
    """Small panels of every sort: dense, sparse, zeros, holes."""
    seed = draw(st.integers(0, 10_000))
    days = draw(st.integers(1, 12))
    series = draw(st.integers(1, 4))
    rate = draw(st.sampled_from([0.0, 0.05, 1.0, 40.0, 1e6]))
    values = busy(days, series, seed, rate)
    rng = np.random.default_rng(seed + 1)
    if draw(st.booleans()):
        values[rng.random(values.shape) < 0.15] = np.nan
    if draw(st.booleans()):
        values[int(len(values) * 0.7) :, 0] *= draw(st.sampled_from([0.0, 0.5, 8.0]))
    return values


@settings(max_examples=25, deadline=None)
@given(panels(), st.floats(0.2, 0.95), st.booleans())
def test_a_row_rests_on_no_later_row(values: np.ndarray, part: float, witness: bool) -> None:
    chosen = DetectSettings(witness=witness)
    cut = max(1, int(len(values) * part))
    whole = score_counts(frame(values), bucket="1h", settings=chosen)
    past = score_counts(frame(values[:cut]), bucket="1h", settings=chosen)
    joined = whole.merge(past, on=["series", "ts"], suffixes=("", "_past"))
    assert len(joined) == len(past)
    for name in NUMBERS:
        np.testing.assert_allclose(
            joined[name].to_numpy(), joined[f"{name}_past"].to_numpy(), rtol=1e-9, atol=1e-9
        )
    assert (joined["status"] == joined["status_past"]).all()


@settings(max_examples=25, deadline=None)
@given(panels())
def test_numbers_stay_numbers(values: np.ndarray) -> None:
    result = score_counts(frame(values), bucket="1h")
    judged = result[result["status"].isin(["pass", "fail"])]
    assert np.isfinite(judged[NUMBERS].to_numpy(dtype=float)).all()
    assert np.isfinite(result[["z", "p_value", "score"]].to_numpy(dtype=float)).all()
    assert (result["score"] >= 0).all()
    assert result["p_value"].between(0, 1).all()
    assert (judged["lower"] <= judged["expected"] * (1 + 1e-9) + 1e-9).all()
    assert (judged["upper"] >= judged["expected"] * (1 - 1e-9) - 1e-9).all()
    assert (result.loc[result["value"].isna(), "status"] == "skipped").all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_series_and_rows_does_not_matter(seed: int) -> None:
    rows = frame(busy(6, 4, seed))
    mixed = rows.sample(frac=1.0, random_state=seed)
    straight = score_counts(rows, bucket="1h")
    shuffled = score_counts(mixed, bucket="1h").sort_index()
    pd.testing.assert_frame_equal(straight, shuffled, rtol=1e-9)


def test_the_same_rows_come_back_in_their_order_with_their_index() -> None:
    rows = frame(busy(3, 2, 1)).sample(frac=1.0, random_state=3)
    rows["note"] = "kept"
    result = score_counts(rows, bucket=timedelta(hours=1))
    assert result.index.equals(rows.index)
    assert list(result.columns[:4]) == ["series", "ts", "value", "note"]
    assert list(result.columns[4:]) == [*NUMBERS, "status"]


def test_an_absent_row_is_a_zero_and_a_missing_value_is_not() -> None:
    values = busy(21, 1, 5)
    rows = frame(values)
    gone = rows.drop(index=range(480, 484))
    unseen = rows.copy()
    unseen.loc[480:483, "value"] = np.nan
    after_gone = score_counts(gone, bucket="1h").set_index("ts").iloc[480]
    after_unseen = score_counts(unseen, bucket="1h").set_index("ts").iloc[484]
    assert after_gone.name == after_unseen.name
    assert after_gone["status"] == "fail"
    assert after_unseen["status"] == "pass"


def test_a_stop_of_a_busy_series_fails_within_two_buckets_and_noise_does_not() -> None:
    values = busy(35, 6, 11)
    values[800:830, 2] = 0
    result = score_counts(frame(values), bucket="1h")
    table = result.assign(t=result.groupby("series").cumcount())
    failing = table[(table["status"] == "fail")]
    stopped = failing[(failing["series"] == "s2") & (failing["t"] >= 800)]
    assert stopped["t"].min() <= 801
    assert {801, 810, 829} <= set(stopped["t"])
    others = failing[(failing["series"] != "s2") | (failing["t"] < 800)]
    assert len(others) <= 2


def test_a_half_that_no_hour_shows_is_found_within_a_day() -> None:
    values = busy(42, 3, 12, rate=6.0)
    rng = np.random.default_rng(0)
    values[840:888, 1] = rng.binomial(values[840:888, 1].astype(int), 0.4)
    result = score_counts(frame(values), bucket="1h")
    mine = result[result["series"] == "s1"].reset_index(drop=True)
    assert (mine.loc[840:864, "status"] == "fail").any()
    assert not (mine.loc[:839, "status"] == "fail").any()


def test_the_first_weekend_of_a_series_is_no_alarm() -> None:
    result = score_counts(frame(busy(7, 30, 44)), bucket="1h")
    assert result[result["status"] == "fail"]["series"].nunique() <= 1


def test_growth_is_neither_alarm_nor_blind_spot() -> None:
    values = busy(90, 2, 13) * 1.3 ** (np.arange(90 * 24) / 720)[:, None]
    values = np.round(values)
    values[2000:2004, 0] = 0
    result = score_counts(frame(values), bucket="1h")
    grown = result[result["series"] == "s1"]
    assert (grown["status"] == "fail").sum() <= 3
    dropped = result[result["series"] == "s0"].reset_index(drop=True)
    assert (dropped.loc[2000:2003, "status"] == "fail").any()


def test_a_new_level_is_accepted_in_the_end() -> None:
    values = busy(60, 1, 14)
    values[700:] *= 3
    status = score_counts(frame(values), bucket="1h")["status"].to_numpy()
    assert (status[700:710] == "fail").any()
    assert (status[-240:] == "fail").sum() <= 6


def test_scale_changes_counts_and_not_the_verdict_of_large_ones() -> None:
    values = busy(30, 2, 15, rate=20_000)
    values[600:606, 0] *= 0.5
    once = score_counts(frame(values), bucket="1h")
    tenfold = score_counts(frame(values * 10), bucket="1h")
    assert (once["status"] == tenfold["status"]).mean() > 0.995
    ratio = (tenfold["expected"] / once["expected"]).dropna()
    assert ratio.between(9.5, 10.5).mean() > 0.99


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_change_of_the_clock_is_no_alarm(day: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    end = pd.Timestamp(day, tz="UTC") + pd.Timedelta("3D")
    at = pd.date_range(end - pd.Timedelta("45D"), end, freq="1h", inclusive="left")
    hour = at.tz_convert(zone).hour.to_numpy()
    mean = 500 * np.exp(0.9 * np.sin((hour - 8) / 24 * 2 * np.pi))
    value = np.random.default_rng(7).poisson(mean).astype(float)
    rows = pd.DataFrame({"series": "a", "ts": at, "value": value})
    result = score_counts(rows, bucket="1h", settings=DetectSettings(time_zone=zone))
    assert (result["status"].to_numpy()[-72:] == "fail").sum() == 0


def test_one_row_all_zeros_and_nothing_at_all() -> None:
    one = score_counts(frame(np.array([[5.0]])), bucket="1h")
    assert one["status"].tolist() == ["learning"]
    zeros = score_counts(frame(np.zeros((24 * 20, 2))), bucket="1h")
    assert not (zeros["status"] == "fail").any()
    none = score_counts(frame(np.zeros((0, 1))), bucket="1h")
    assert list(none.columns[-7:]) == [*NUMBERS, "status"]


@pytest.mark.parametrize("bucket", ["5min", "15min", "6h", "1D"])
def test_every_width_of_bucket_learns_and_then_judges(bucket: str) -> None:
    length = 400 if bucket != "5min" else 1500
    values = np.random.default_rng(3).poisson(80, (length, 2)).astype(float)
    values[-2:, 0] = 0
    result = score_counts(frame(values, freq=bucket), bucket=bucket)
    last = result[result["series"] == "s0"].iloc[-1]
    assert last["status"] == "fail"
    assert (result["status"].iloc[: length // 100] == "learning").any()


def test_series_of_different_lengths_and_starts_are_scored_as_if_alone() -> None:
    long, short = busy(30, 1, 21), busy(8, 1, 22)
    both = pd.concat(
        [frame(long, names=["long"]), frame(short, start="2026-03-11 05:00", names=["short"])],
        ignore_index=True,
    )
    result = score_counts(both, bucket="1h")
    assert len(result) == len(both)
    assert not (result["status"] == "fail").any()


def test_a_plain_z_threshold_overrides_the_budget() -> None:
    rows = frame(busy(20, 2, 31))
    loud = score_counts(rows, bucket="1h", settings=DetectSettings(z_threshold=2.0))
    quiet = score_counts(rows, bucket="1h", settings=DetectSettings(z_threshold=50.0))
    assert (loud["status"] == "fail").any()
    assert not (quiet["status"] == "fail").any()


def test_what_the_others_do_too_is_not_held_against_a_series() -> None:
    values = busy(35, 20, 41)
    values[800:812] *= 0.4
    rows = frame(np.round(values))
    alone = score_counts(rows, bucket="1h")
    together = score_counts(rows, bucket="1h", settings=DetectSettings(witness=True))
    hit = alone.groupby("series").cumcount().between(800, 811)
    assert alone[hit & (alone["status"] == "fail")]["series"].nunique() >= 15
    assert together[hit & (together["status"] == "fail")]["series"].nunique() <= 2


@pytest.mark.parametrize(
    ("rows", "bucket", "fault"),
    [
        (pd.DataFrame({"series": ["a"], "ts": ["2026-01-01"]}), "1h", "no column value"),
        (frame(np.ones((2, 1))), "1s", "between a minute and a week"),
        (pd.concat([frame(np.ones((2, 1)))] * 2), "1h", "share a series and a bucket"),
    ],
)
def test_bad_input_is_refused_in_words(rows: pd.DataFrame, bucket: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        score_counts(rows, bucket=bucket)


@pytest.mark.parametrize("witness", [False, True])
def test_a_long_frame_is_scored_in_pieces_as_it_would_be_at_once(
    witness: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(8)
    hours, series = 24 * 60, 8
    counts = random.poisson(60.0, (series, hours)).astype(float)
    counts[2, 900:930], counts[5, 1000:] = 0.0, 200.0
    frame = pd.DataFrame(
        {
            "series": np.repeat([f"s{n}" for n in range(series)], hours),
            "ts": np.tile(pd.date_range("2026-01-01", periods=hours, freq="h"), series),
            "value": counts.ravel(),
        }
    )
    settings = DetectSettings(witness=witness, one_place=witness)
    whole = score_counts(frame, bucket="1h", settings=settings)
    # Pieces of a few days.
    monkeypatch.setattr("eventwatch.detect.resume.LARGEST", 2 * 20 * 24 * series)
    pd.testing.assert_frame_equal(
        score_counts(frame, bucket="1h", settings=settings), whole, check_exact=True
    )
