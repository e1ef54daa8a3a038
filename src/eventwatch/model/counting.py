"""Counts as people read them. The one place that knows a plural."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 fault``, ``2 faults``, ``1,200 faults``; with ``plural`` for what takes more than an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
