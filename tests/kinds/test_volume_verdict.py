"""When a score is a failure, against the rule written out for one series."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.kinds.volume_verdict import STAYS, Bars, failing

SCORES = st.lists(
    st.tuples(st.sampled_from([0.0, 2.0, 3.1, 5.0, 5.5, 9.0]), st.booleans()),
    min_size=1,
    max_size=12,
)


def bars(
    score: float = 5.0, silence: float = 4.0, z: float = np.nan, rows: float = 0.0, **ways: bool
) -> Bars:
    drops, rises = ways.get("drops", True), ways.get("rises", True)
    one = np.ones(1)
    return Bars(
        score * one, silence * one, z * one, np.array([drops]), np.array([rises]), rows * one
    )


def verdict(of: Bars, history: list[tuple[float, bool]], z: float, observed: float = 1.0) -> bool:
    score = np.array([[s] for s, _ in history])
    alarm = np.array([[a] for _, a in history])
    told = failing(of, score, alarm, z=np.array([z]), observed=np.array([observed]))
    return bool(told[0])


@given(SCORES)
def test_a_failure_goes_on_while_its_alarm_does_and_its_score_is_not_well_under(
    history: list[tuple[float, bool]],
) -> None:
    last, in_alarm = history[-1]
    run = [s for s, _ in history[len(history) - _length(history) :]]
    wanted = last >= 5.0 or (in_alarm and max(run) >= 5.0 and last >= STAYS * 5.0)
    assert verdict(bars(), history, -3.0) == wanted


def _length(history: list[tuple[float, bool]]) -> int:
    """Rows of the alarm that runs at the end."""
    length = 0
    for _, alarm in reversed(history):
        if not alarm:
            break
        length += 1
    return length


def test_silence_has_a_threshold_of_its_own() -> None:
    history = [(4.5, True)]
    assert verdict(bars(), history, -3.0, observed=0.0)
    assert not verdict(bars(), history, -3.0, observed=1.0)


def test_a_plain_z_replaces_the_score() -> None:
    assert verdict(bars(z=3.0), [(0.0, False)], 3.0)
    assert not verdict(bars(z=3.0), [(99.0, True)], 2.9)


def test_only_what_goes_the_wanted_way_fails() -> None:
    loud = [(9.0, True)]
    assert verdict(bars(rises=False), loud, -3.0)
    assert not verdict(bars(rises=False), loud, 3.0)
    assert verdict(bars(drops=False), loud, 3.0)
    assert not verdict(bars(drops=False), loud, -3.0)
    assert not verdict(bars(), loud, 0.0)


def test_a_rise_must_bring_its_rows_and_a_drop_need_not() -> None:
    loud, least = [(9.0, True)], bars(rows=30.0)
    assert not verdict(least, loud, 3.0, observed=29.0)
    assert verdict(least, loud, 3.0, observed=30.0)
    assert verdict(least, loud, -3.0)


@given(st.lists(SCORES.filter(lambda h: len(h) >= 3), min_size=2, max_size=5))
def test_series_are_judged_each_by_itself(histories: list[list[tuple[float, bool]]]) -> None:
    size = min(len(h) for h in histories)
    cut = [h[-size:] for h in histories]
    whole = failing(
        Bars(
            np.full(len(cut), 5.0),
            np.full(len(cut), 4.0),
            np.full(len(cut), np.nan),
            np.ones(len(cut), dtype=bool),
            np.ones(len(cut), dtype=bool),
            np.zeros(len(cut)),
        ),
        np.array([[s for s, _ in h] for h in cut]).T,
        np.array([[a for _, a in h] for h in cut]).T,
        z=np.full(len(cut), -3.0),
        observed=np.ones(len(cut)),
    )
    assert whole.tolist() == [verdict(bars(), h, -3.0) for h in cut]
