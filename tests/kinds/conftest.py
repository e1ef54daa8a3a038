"""Asks one kind about one view, with the definitions a test gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eventwatch.kinds.definition import Check, rules_for
from eventwatch.kinds.registry import KINDS
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView


class Verdicts(list[Result]):
    """The results of one kind, asked in words."""

    def of(self, aspect: str, event_type: str | None = None, value: str | None = None) -> Result:
        """The one result of that aspect and thing."""
        found = [
            r
            for r in self
            if r.aspect == aspect
            and r.event_type == event_type
            and (value is None or (r.cut is not None and r.cut.value == value))
        ]
        assert len(found) == 1, f"{aspect} of {event_type}: {found}"
        return found[0]

    def failing(self) -> list[tuple[str, str | None]]:
        """Aspect and event type of everything that fails, sorted."""
        return sorted(
            ((r.aspect, r.event_type) for r in self if r.status is Status.FAIL),
            key=lambda pair: (pair[0], pair[1] or ""),
        )


Asked = Callable[..., Verdicts]


def ask(kind: KindName, view: ExposureView, *definitions: Check, **settings: Any) -> Verdicts:
    """What a kind says; ``settings`` make a definition that rules everything."""
    entry = KINDS[kind]
    written = list(definitions)
    if settings:
        written.append(type(entry.defaults)(kind=kind, **settings))
    rules = rules_for(entry.defaults, written, view.exposure.name, view.catalog)
    return Verdicts(entry.judge(view, rules))


@pytest.fixture
def freshness() -> Asked:
    """Asks freshness."""
    return lambda view, *checks, **settings: ask(KindName.FRESHNESS, view, *checks, **settings)


@pytest.fixture
def drift() -> Asked:
    """Asks drift."""
    return lambda view, *checks, **settings: ask(KindName.DRIFT, view, *checks, **settings)


@pytest.fixture
def duplicates() -> Asked:
    """Asks duplicates."""
    return lambda view, *checks, **settings: ask(KindName.DUPLICATES, view, *checks, **settings)
