from __future__ import annotations

import pytest

from eventwatch.cli import words
from eventwatch.model.result import Amount

INF = float("inf")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1, "events", "1 event"),
        (0, "events", "0 events"),
        (12.34, "events", "12.3 events"),
        (1234.5, "events", "1,234 events"),
        (5400, "seconds", "1 h 30 min"),
        (0.0123, "share", "1.23 %"),
        (0.5, "share", "50.0 %"),
        (3, "values", "3 values"),
        (float("nan"), "events", "unknown"),
        (INF, "events", "without limit"),
    ],
)
def test_quantities(value: float, unit: str, text: str) -> None:
    assert words.quantity(value, unit) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount("events", 1), ""),
        (Amount("events", 1, 480, 410, 560), "about 480 events (410 to 560 events)"),
        (Amount("events", 1, 480), "480 events"),
        (Amount("events", 1, 33.9, 10.4, 71.2), "about 34 events (10 to 71 events)"),
        (Amount("events", 1, 910.2, 740.4, 1114.2), "about 910 events (740 to 1,110 events)"),
        (Amount("events", 1, 3.91, 0.42, 9.6), "about 3.9 events (0.4 to 9.6 events)"),
        (Amount("seconds", 1, None, None, 900), "at most 15 min"),
        (Amount("seconds", 1, 900), "usually at most 15 min"),
        (Amount("events", 1, None, 5, None), "at least 5 events"),
        (Amount("events", 1, None, 5, INF), "at least 5 events"),
        (Amount("events", 1, float("nan")), ""),
        (Amount("events", 1, 0, None, 0), "no events"),
        (Amount("events", 1, None, None, 0), "no events"),
    ],
)
def test_what_was_expected(amount: Amount, text: str) -> None:
    assert words.expected(amount) == text
