"""What results were judged with: the version and the settings, as digests that go with each failure.

Not the measurements: those are there to be judged again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from eventwatch import __version__
from eventwatch.kinds.definition import Check
from eventwatch.model.contract import Catalog
from eventwatch.model.result import Basis, Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import Status
from eventwatch.pipeline.measure import history_name

_DIGITS = 12


def with_basis(
    results: Sequence[Result], exposure: Exposure, catalog: Catalog, checks: Sequence[Check]
) -> tuple[Result, ...]:
    """The results; the failing ones say what they were judged with."""
    if not any(result.status is Status.FAIL for result in results):
        return tuple(results)
    basis = basis_of(exposure, catalog, checks)
    return tuple(
        replace(each, basis=basis) if each.status is Status.FAIL else each for each in results
    )


def basis_of(exposure: Exposure, catalog: Catalog, checks: Sequence[Check]) -> Basis:
    """As of now. A definition that only moved within its file is the same."""
    return Basis(
        version=__version__,
        contracts=catalog.digest[:_DIGITS],
        checks=_digest(checks),
        # Whose it is and how patiently it is read decides nothing.
        exposure=_digest(
            (
                history_name(exposure),
                exposure.time_zone.key,
                exposure.holidays,
                exposure.every,
                exposure.bucket,
                exposure.look_back,
                exposure.overlap,
                exposure.late_window,
            )
        ),
    )


def _digest(things: Sequence[object]) -> str:
    text = "\n".join(map(repr, things))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
