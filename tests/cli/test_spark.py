from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.cli.spark import sparkline


def test_the_scale_begins_at_nothing() -> None:
    assert sparkline((100, 100, 0), 10) == "██▁"
    assert sparkline((0, 50, 100), 10) == "▁▅█"


def test_what_was_not_measured_is_a_dot() -> None:
    assert sparkline((1.0, float("nan"), 1.0), 10) == "█·█"


def test_all_nothing_is_the_ground() -> None:
    assert sparkline((0, 0), 10) == "▁▁"


def test_a_little_is_more_than_nothing() -> None:
    assert sparkline((1, 1000), 10) == "▂█"


def test_a_long_series_is_averaged_and_ends_with_the_newest() -> None:
    assert sparkline((0,) * 50 + (10,) * 10, 6) == "▁▁▁▁▁█"


def test_without_unicode_it_is_ascii() -> None:
    assert sparkline((0, 1, float("nan"), 2), 10, unicode=False).isascii()


@given(st.lists(st.floats(), max_size=300), st.integers(0, 40))
def test_it_is_never_longer_than_asked_for(values: list[float], width: int) -> None:
    line = sparkline(values, width)
    assert len(line) <= width
    assert len(line) == len(values) or len(values) > width
    assert bool(line) == bool(values and width)
    assert all(c in "▁▂▃▄▅▆▇█·" for c in line)
