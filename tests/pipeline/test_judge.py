"""One kind's trouble is not another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.kinds import registry
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift import DriftCheck
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from eventwatch.model.view import ExposureView
from eventwatch.pipeline import judge as judging
from eventwatch.pipeline.judge import Restriction, judge, lasted
from tests.fakes.views import steady, view_of

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_kind_that_raises_gives_one_error_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(view: ExposureView, rules: Rules[DriftCheck]) -> Iterator[Result]:
        raise ZeroDivisionError("a secret value")
        yield

    kinds = {**registry.KINDS, KindName.DRIFT: registry.Kind(DriftCheck(), broken)}
    monkeypatch.setattr(judging, "KINDS", kinds)
    results = judge(some_view(), (), Restriction())
    errors = [r for r in results if r.status is Status.ERROR]
    assert [(r.kind, r.aspect) for r in errors] == [(KindName.DRIFT, "judging")]
    assert "ZeroDivisionError" in errors[0].summary
    assert "a secret value" not in errors[0].summary
    assert {r.kind for r in results} == set(KindName)


def test_a_restriction_keeps_only_what_is_wanted() -> None:
    view = some_view()
    only = judge(view, (), Restriction(kinds=(KindName.DRIFT,), event_types=("user_*",)))
    assert {r.kind for r in only} <= {KindName.DRIFT}
    assert all(r.event_type is not None for r in only)


def test_lasting_counts_the_instants_without_a_break() -> None:
    bad = Result("e", KindName.DRIFT, "unseen", Status.FAIL, event_type="x")
    good = Result("e", KindName.DRIFT, "unseen", Status.PASS, event_type="x")
    assert lasted([bad], [[bad], [bad], [good], [bad]]) == {bad.fingerprint: 2}
    assert lasted([bad], [[], [bad]]) == {bad.fingerprint: 0}


def some_view() -> ExposureView:
    """A steady table of one event type that nobody declared."""
    return view_of(steady("user_a", NOW - timedelta(days=3), NOW), now=NOW)
