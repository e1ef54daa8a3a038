"""Changes and distances as people read them: ``−49 %``, ``+8 %``, ``−6.0``.

One way to write a sign everywhere: the minus of print (U+2212), a blank before the percent sign, and no
sign before what rounds to nothing. What is to be pasted or read by programs keeps the ASCII minus.
"""

from __future__ import annotations

import math

MINUS = "−"


def percent_change(change: float) -> str:
    """A change as a part of what was expected: -0.49 is ``−49 %``; next to none is ``0 %``."""
    return f"{signed(change * 100, 0)} %"


def signed(value: float, digits: int = 1) -> str:
    """``+8.2``, ``−6.0``; ``0.0`` without a sign, from whichever side it was rounded."""
    text = f"{abs(value):,.{digits}f}"
    if math.isfinite(value) and not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"
