"""Enumerations that every floor shares."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What a check says. FAIL is about the data, ERROR is about us; never one as the other."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    SKIPPED = "skipped"
    LEARNING = "learning"


class Severity(StrEnum):
    """How loud. Ordered by ``rank``."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return ("info", "warning", "critical").index(self.value)


class KindName(StrEnum):
    """The check kinds that ship."""

    FRESHNESS = "freshness"
    DRIFT = "drift"
    VOLUME = "volume"
    DUPLICATES = "duplicates"
