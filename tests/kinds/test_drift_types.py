"""Event types that nobody declared, that never come, or that should not come any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from eventwatch.kinds.drift import DriftCheck
from eventwatch.kinds.results import Maker
from eventwatch.model.contract import LifecycleState, Owner, Pattern, Tier
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.model.view import ExposureView, Seen
from tests.fakes.views import NOW, Row, catalog, contract, steady, view_of
from tests.kinds.conftest import Asked

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CALM = steady("user_opened_app", NOW - 40 * DAY, NOW, HOUR)


def test_a_new_event_type_without_a_contract_is_told_with_all_that_is_known(drift: Asked) -> None:
    values = [("ios", 6), ("android", 3), (None, 1)]
    rows = [
        Row("user_folowed_user", NOW - 5 * HOUR + i * MINUTE, count=n, values={"platform": v})
        for i, (v, n) in enumerate(values)
    ]
    known = catalog("user_opened_app", "user_followed_user", "user_unfollowed_user")
    result = drift(view_of(CALM + rows, known)).of("unseen", "user_folowed_user")

    assert result.status is Status.FAIL
    assert result.severity is Severity.WARNING
    assert result.since == NOW - 5 * HOUR
    assert "it is new, the first row came 5 h ago; 10 rows in the last 24 h" in result.summary
    assert "misspelling of user_followed_user" in result.summary
    assert "user_folowed_user" not in result.summary
    facts = {f.label: f.text for f in result.facts}
    assert facts["platform"] == "ios 60 %, android 30 %, null 10 %"
    assert facts["first row"] == "Fri 20 Nov 2026 07:03 UTC"
    assert "user_followed_user" in facts["declared names like it"]
    assert result.amount is not None
    assert result.amount.observed == 10


@pytest.mark.parametrize(("last", "severity"), [(0, Severity.WARNING), (3, Severity.INFO)])
def test_an_event_type_known_for_long_is_not_called_new_and_is_quieter_once_it_pauses(
    drift: Asked, last: int, severity: Severity
) -> None:
    rows = CALM + steady("legacy", NOW - 12 * DAY, NOW - last * DAY, HOUR)
    result = drift(view_of(rows, catalog("user_opened_app"))).of("unseen", "legacy")
    assert (result.status, result.severity) == (Status.FAIL, severity)
    assert "though it has come for 12 d" in result.summary


def test_on_the_first_look_what_was_there_from_the_start_is_not_called_new(drift: Asked) -> None:
    young_table = steady("a", NOW - 3 * DAY, NOW, HOUR) + steady("b", NOW - 3 * DAY, NOW, HOUR)
    result = drift(view_of(young_table, catalog("a"))).of("unseen", "b")
    assert "new" not in result.summary
    assert "for at least 3 d" in result.summary


def test_what_the_ledger_remembers_is_not_new_when_it_comes_back(drift: Asked) -> None:
    seen = {
        SeriesKey("legacy"): Seen(NOW - 300 * DAY, NOW - 200 * DAY),
        SeriesKey("user_opened_app"): Seen(NOW - 400 * DAY, NOW),
    }
    rows = [*CALM, Row("legacy", NOW - HOUR)]
    view = view_of(rows, catalog("user_opened_app"), ledger=seen, watching_since=NOW - 400 * DAY)
    result = drift(view).of("unseen", "legacy")
    assert "though it has come for 300 d" in result.summary


def test_an_undeclared_event_type_that_stopped_is_let_go(drift: Asked) -> None:
    rows = CALM + steady("mistake", NOW - 12 * DAY, NOW - 9 * DAY, HOUR)
    assert drift(view_of(rows, catalog("user_opened_app"))).of("unseen", "mistake").status is (
        Status.PASS
    )


def test_an_undeclared_event_type_that_comes_now_and_then_does_not_flap(drift: Asked) -> None:
    rows = CALM + steady("monthly", NOW - 38 * DAY, NOW - 9 * DAY, 10 * DAY)
    assert drift(view_of(rows, catalog("user_opened_app"))).of("unseen", "monthly").status is (
        Status.FAIL
    )


def test_a_renamed_event_type_is_recognised_by_the_moment_of_the_change(drift: Asked) -> None:
    rows = CALM + steady("order_placed", NOW - 30 * DAY, NOW - 2 * DAY, HOUR)
    rows += steady("order_was_placed", NOW - 2 * DAY, NOW, HOUR)
    found = drift(view_of(rows, catalog("user_opened_app", "order_placed")))
    summary = found.of("unseen", "order_was_placed").summary
    assert "order_placed stopped when it began" in summary


def test_a_likeness_to_an_event_type_that_still_comes_is_no_renaming(drift: Asked) -> None:
    rows = CALM + steady("order_placed", NOW - 30 * DAY, NOW, HOUR)
    rows += steady("order_was_placed", NOW - 2 * DAY, NOW, HOUR)
    found = drift(view_of(rows, catalog("user_opened_app", "order_placed")))
    assert "stopped" not in found.of("unseen", "order_was_placed").summary


def test_a_declared_event_type_that_never_came_is_missing(drift: Asked) -> None:
    known = catalog("user_opened_app", contract("gone", tier=Tier.CRITICAL, owner=Owner("growth")))
    result = drift(view_of(CALM, known)).of("missing", "gone")
    assert (result.status, result.severity) == (Status.FAIL, Severity.CRITICAL)
    assert "no row came in 40 d" in result.summary
    assert drift(view_of(CALM, known)).of("missing", "user_opened_app").status is Status.PASS


def test_a_missing_event_type_names_the_undeclared_one_that_may_be_it(drift: Asked) -> None:
    rows = [*CALM, Row("user_folowed_user", NOW - HOUR)]
    found = drift(view_of(rows, catalog("user_opened_app", "user_followed_user")))
    facts = {f.label: f.text for f in found.of("missing", "user_followed_user").facts}
    assert facts["undeclared names like it"] == "user_folowed_user"


def test_an_event_type_has_its_grace_after_the_day_it_is_promised_for(drift: Asked) -> None:
    known = catalog("user_opened_app", contract("soon", since=date(2026, 11, 20)))
    waiting = drift(view_of(CALM, known)).of("missing", "soon")
    assert waiting.status is Status.LEARNING
    assert waiting.learning_until == NOW.replace(hour=0, minute=0, second=0) + DAY
    late = drift(view_of(CALM, known), grace="6h").of("missing", "soon")
    assert late.status is Status.FAIL
    assert late.since == NOW.replace(hour=0, minute=0, second=0)


def test_what_only_the_ledger_remembers_is_not_missing(drift: Asked) -> None:
    seen = {SeriesKey("old"): Seen(NOW - 300 * DAY, NOW - 200 * DAY)}
    found = drift(view_of(CALM, catalog("user_opened_app", "old"), ledger=seen))
    assert found.of("missing", "old").status is Status.PASS


def test_a_sparse_event_type_is_not_missed_in_a_look_back_that_is_cut_off(drift: Asked) -> None:
    sparse = contract("rare", pattern=Pattern.SPARSE)
    found = drift(view_of(CALM, catalog("user_opened_app", sparse)))
    assert found.of("missing", "rare").status is Status.SKIPPED


def test_in_an_empty_exposure_nothing_single_is_missing(drift: Asked) -> None:
    view = view_of([], catalog("a"), measured_from=NOW - 9 * DAY)
    assert drift(view).of("missing", "a").status is Status.SKIPPED


@pytest.mark.parametrize("state", [LifecycleState.RETIRED, LifecycleState.DEPRECATED])
def test_an_event_type_that_comes_after_its_end_is_told(
    drift: Asked, state: LifecycleState
) -> None:
    ended = contract("old", state=state, sunset=date(2026, 11, 10), replaced_by="new")
    rows = CALM + steady("old", NOW - 30 * DAY, NOW, HOUR, 3)
    result = drift(view_of(rows, catalog("user_opened_app", ended))).of("retired", "old")

    assert result.status is Status.FAIL
    assert result.summary == "ended on 10 Nov 2026, but 69 rows still came in the last 24 h"
    assert result.since is not None
    assert result.since.date() == date(2026, 11, 11)
    assert ("replaced by", "new") in [(f.label, f.text) for f in result.facts]


def test_late_rows_of_before_the_end_are_no_news(drift: Asked) -> None:
    ended = contract("old", state=LifecycleState.RETIRED, sunset=date(2026, 11, 10))
    rows = [*CALM, Row("old", NOW - HOUR, NOW - 15 * DAY, count=50)]
    found = drift(view_of(rows, catalog("user_opened_app", ended)))
    assert found.of("retired", "old").status is Status.PASS


def test_a_retirement_in_the_future_has_not_happened(drift: Asked) -> None:
    ending = contract("old", state=LifecycleState.DEPRECATED, sunset=date(2027, 1, 1))
    rows = CALM + steady("old", NOW - 30 * DAY, NOW, HOUR)
    assert drift(view_of(rows, catalog("user_opened_app", ending))).failing() == []


def test_a_retired_event_type_that_is_gone_passes(drift: Asked) -> None:
    ended = contract("old", state=LifecycleState.RETIRED)
    rows = CALM + steady("old", NOW - 30 * DAY, NOW - 2 * DAY, HOUR)
    found = drift(view_of(rows, catalog("user_opened_app", ended)))
    assert found.of("retired", "old").status is Status.PASS
    longer = drift(view_of(rows, catalog("user_opened_app", ended)), recent="7d")
    assert longer.of("retired", "old").status is Status.FAIL


def test_a_draft_that_begins_to_come_is_news_and_no_alarm(drift: Asked) -> None:
    draft = contract("idea", state=LifecycleState.DRAFT, tier=Tier.CRITICAL)
    silent = drift(view_of(CALM, catalog("user_opened_app", draft)))
    assert silent.of("draft", "idea").status is Status.PASS
    rows = [*CALM, Row("idea", NOW - 2 * HOUR, count=4)]
    result = drift(view_of(rows, catalog("user_opened_app", draft))).of("draft", "idea")
    assert (result.status, result.severity) == (Status.FAIL, Severity.INFO)


def test_a_draft_that_came_once_and_stopped_is_no_news(drift: Asked) -> None:
    draft = contract("idea", state=LifecycleState.DRAFT)
    rows = [*CALM, Row("idea", NOW - timedelta(days=9), count=4)]
    result = drift(view_of(rows, catalog("user_opened_app", draft))).of("draft", "idea")
    assert result.status is Status.PASS


def test_an_event_type_declared_for_another_exposure_is_misplaced_here(drift: Asked) -> None:
    other = contract("payment", exposures=("billing",))
    rows = [*CALM, Row("payment", NOW - 2 * HOUR, count=4)]
    found = drift(view_of(rows, catalog("user_opened_app", other)))
    assert found.failing() == [("misplaced", "payment")]
    assert "declared for billing only, but 4 rows came here" in (
        found.of("misplaced", "payment").summary
    )
    assert drift(view_of(CALM, catalog("user_opened_app", other))).failing() == []


def test_null_and_empty_types_are_told_of_the_exposure(drift: Asked) -> None:
    rows = [
        *CALM,
        Row(None, NOW - 2 * HOUR, count=1200),
        Row("", NOW - HOUR),
        Row("  ", NOW - HOUR),
    ]
    found = drift(view_of(rows, catalog("user_opened_app")))
    assert found.failing() == [("empty_type", None), ("null_type", None)]
    null = found.of("null_type")
    assert null.summary == "1,200 rows have no event type (null) in the last 24 h"
    assert null.since == NOW - 2 * HOUR
    assert found.of("empty_type").summary.startswith("2 rows have an empty event type")
    assert drift(view_of(rows, catalog("user_opened_app")), max_untyped=0.99).failing() == []


def test_old_null_types_are_over(drift: Asked) -> None:
    rows = [*CALM, Row(None, NOW - 3 * DAY, count=1200)]
    assert drift(view_of(rows, catalog("user_opened_app"))).failing() == []


def test_a_definition_may_switch_some_event_types_off(drift: Asked) -> None:
    off = DriftCheck.model_validate({"kind": "drift", "events": "tmp_*", "enabled": False})
    rows = [*CALM, Row("tmp_x", NOW - HOUR), Row("y", NOW - HOUR)]
    found = drift(view_of(rows, catalog("user_opened_app")), off)
    assert found.failing() == [("unseen", "y")]


def test_thousands_of_event_types_are_judged_quickly_and_all_of_them(drift: Asked) -> None:
    rows = [Row(f"n{i}", NOW - HOUR - i * timedelta(seconds=1)) for i in range(2000)]
    found = drift(view_of(CALM + rows, catalog("user_opened_app")))
    assert len(found.failing()) == 2000


@pytest.mark.parametrize(
    "wrong", [{"grace": 24}, {"recent": "5m"}, {"max_untyped": 2}, {"dimensions": []}]
)
def test_a_setting_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DriftCheck.model_validate({"kind": "drift", **wrong})


def test_a_result_takes_the_severity_of_its_definition_over_any_other() -> None:
    maker = Maker("events", KindName.DRIFT)
    plain, loud = DriftCheck(), DriftCheck(severity=Severity.CRITICAL)
    assert maker.make(plain, "x", Status.FAIL, severity=Severity.INFO).severity is Severity.INFO
    assert maker.make(loud, "x", Status.FAIL, severity=Severity.INFO).severity is Severity.CRITICAL


def test_a_view_of_the_past_does_not_know_later_event_types(drift: Asked) -> None:
    view: ExposureView = view_of([*CALM, Row("later", NOW - HOUR)], catalog("user_opened_app"))
    earlier = replace(view, now=NOW - 2 * HOUR, rows=view.rows.as_of(NOW - 2 * HOUR))
    assert [r for r in drift(earlier) if r.event_type == "later"] == []
