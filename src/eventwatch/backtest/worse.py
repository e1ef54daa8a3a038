"""Which of two results about the same thing is the worse one."""

from __future__ import annotations

from eventwatch.model.result import Amount, Result


def badness(result: Result) -> tuple[float, ...]:
    """Larger is worse; only results of one fingerprint may be compared."""
    amount = result.amount
    size = 0.0 if amount is None else _distance(amount)
    return float(result.severity.rank), float(result.total), round(size, 3)


def _distance(amount: Amount) -> float:
    """How far off: by z where there is one, else against the bound or expectation."""
    if amount.z is not None:
        return abs(amount.z)
    observed = amount.observed
    for bound, sign in ((amount.upper, 1.0), (amount.lower, -1.0)):
        if bound is not None and sign * (observed - bound) > 0:
            return abs(observed - bound)
    return abs(observed - amount.expected) if amount.expected is not None else abs(observed)
