"""Signs and percents have one spelling."""

from __future__ import annotations

import math
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import eventwatch
from eventwatch.model.figures import MINUS, percent_change, signed


def test_a_change_has_the_minus_of_print_and_a_blank_before_the_percent_sign() -> None:
    assert percent_change(-0.49) == "−49 %"
    assert percent_change(1.08) == "+108 %"
    assert percent_change(12.4) == "+1,240 %"


def test_what_rounds_to_nothing_has_no_sign() -> None:
    assert percent_change(-0.004) == percent_change(0.004) == "0 %"
    assert signed(-0.04) == signed(0.04) == signed(0.0) == "0.0"
    assert signed(-0.04, 2) == "−0.04"


def test_a_distance_keeps_its_digits() -> None:
    assert (signed(-6.04), signed(8.15, 0), signed(math.inf)) == ("−6.0", "+8", "+inf")


@given(st.floats(min_value=-1e6, max_value=1e6), st.integers(min_value=0, max_value=3))
def test_it_can_be_read_back_and_no_ascii_minus_is_left(value: float, digits: int) -> None:
    text = signed(value, digits)
    assert "-" not in text
    assert abs(float(text.replace(MINUS, "-").replace(",", "")) - value) <= 0.51 * 10**-digits


def test_no_other_spelling_is_left_in_what_people_read() -> None:
    """Formats that write a sign or a percent by themselves: ``:+.1f``, ``:.0%``. Numbers of JSON do not
    need them."""
    other = re.compile(r"\{[^{}\"']*:[+]?\.?\d*%\}|\{[^{}\"']*:\+[^{}]*\}")
    found = [
        f"{path.name}: {line.strip()}"
        for path in sorted(Path(eventwatch.__file__).parent.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if other.search(line)
    ]
    assert found == []
