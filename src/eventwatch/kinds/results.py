"""Makes the results of one kind: what every result of a check has in common stands here once.

A definition that is not enabled must be skipped by the caller: nothing here looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from eventwatch.kinds.definition import Check, severity_of
from eventwatch.model.contract import Contract
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.status import KindName, Severity, Status


@dataclass(frozen=True)
class Maker:
    """Results of one kind about one exposure."""

    exposure: str
    kind: KindName

    def make(
        self,
        check: Check,
        aspect: str,
        status: Status,
        summary: str = "",
        *,
        event_type: str | None = None,
        contract: Contract | None = None,
        cut: Cut | None = None,
        severity: Severity | None = None,
        amount: Amount | None = None,
        since: datetime | None = None,
        learning_until: datetime | None = None,
        facts: Iterable[Fact] = (),
        spark: Spark | None = None,
        total: bool = False,
    ) -> Result:
        """One result. ``severity`` replaces the tier's, never the definition's own."""
        if severity is None or check.severity is not None:
            severity = severity_of(check, contract)
        return Result(
            exposure=self.exposure,
            kind=self.kind,
            aspect=aspect,
            status=status,
            event_type=event_type,
            cut=cut,
            severity=severity,
            summary=summary,
            amount=amount,
            since=since,
            learning_until=learning_until,
            facts=tuple(facts),
            spark=spark,
            hold=check.hold,
            keep=check.keep,
            total=total,
            check=check.source,
        )
