from __future__ import annotations

import pytest

from eventwatch.config.cron import check_cron


@pytest.mark.parametrize(
    "text",
    [
        "*/5 * * * *",
        "0 9 * * 1-5",
        "0 9 * * mon-fri",
        "0,30 8-18/2 * * *",
        "0 0 29 2 *",
        "5 4 * jan 5-7",
    ],
)
def test_what_cron_knows_is_taken(text: str) -> None:
    assert check_cron(text.upper()) == text


def test_blanks_are_evened_out() -> None:
    assert check_cron("  0   9 * *\t* ") == "0 9 * * *"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@daily", "five fields"),
        ("* * * * * *", "five fields"),
        ("60 * * * *", "minute that is not between 0 and 59"),
        ("* 24 * * *", "hour that is not between"),
        ("* * 0 * *", "day of the month that is not"),
        ("* * * 13 *", "month that is not"),
        ("* * * * 8", "day of the week that is not"),
        ("* * * foo *", "month that is not"),
        ("*/0 * * * *", "step of 0"),
        ("5-1 * * * *", "ends before it begins"),
        ("1- * * * *", "not a number, range, list or step"),
        ("$(x) * * * *", "not a number"),
        ("0 0 30 2 *", "would never run"),
        ("0 0 31 4,6 *", "would never run"),
        ("0 9 13 * 5", "not both"),
    ],
)
def test_what_would_not_run_as_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_cron(text)
