"""A new name is held against the declared names like it: whose rows went missing as it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from eventwatch.alerting.causes_evidence import Handover
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from eventwatch.pipeline.handovers import handovers
from tests.fakes.views import NOW, Row, catalog, view_of

OLD, NEW = "checkout_started", "checkout_was_started"
MINUTE = timedelta(minutes=1)
BEGAN = NOW.replace(minute=0, second=0) - 40 * MINUTE
OTHERS = ("cart_opened", "item_seen")
CATALOG = catalog(OLD, *OTHERS)


def unseen(name: str) -> Alert:
    made = Result("events", KindName.DRIFT, "unseen", Status.FAIL, name, since=BEGAN)
    return Alert(made.fingerprint, made.fingerprint, AlertState.FIRING, made, BEGAN, NOW)


def rows(name: str, before: float, after: float, seed: int = 3) -> list[Row]:
    """So many a minute, by chance, before and after it began."""
    chance = np.random.default_rng(seed)
    at, found = BEGAN - 8 * 60 * MINUTE, []
    while at < NOW:
        count = int(chance.poisson(before if at < BEGAN else after))
        if count:
            found.append(Row(name, at + MINUTE / 2, at, count))
        at += MINUTE
    return found


def handed(*of: list[Row], new: str = NEW) -> dict[str, Handover]:
    every = [row for some in of for row in some]
    return handovers(view_of(every, CATALOG), [unseen(new)])


def usual(rate: float = 5.0) -> list[Row]:
    return [row for i, name in enumerate(OTHERS) for row in rows(name, 5.0, rate, seed=7 + i)]


@pytest.mark.parametrize(("kept", "came"), [(0.0, 2.0), (0.8, 1.2), (0.0, 1.2)])
def test_rows_that_go_missing_as_a_like_name_begins_are_its_rows(kept: float, came: float) -> None:
    found = handed(rows(OLD, 2.0, kept), rows(NEW, 0.0, came), usual())
    assert found[NEW].old == OLD
    assert found[NEW].observed < found[NEW].expected


@pytest.mark.parametrize(
    ("of", "new"),
    [
        ((2.0, 2.0, 2.0), NEW),
        ((2.0, 0.0, 0.1), NEW),
        ((2.0, 0.0, 20.0), NEW),
        ((2.0, 0.0, 2.0), "invoice_printed"),
        ((0.01, 0.0, 0.01), NEW),
    ],
    ids=["nothing is missing", "far fewer", "far more", "another name", "too rare"],
)
def test_what_takes_nothing_over_is_handed_nothing(
    of: tuple[float, float, float], new: str
) -> None:
    before, kept, came = of
    assert handed(rows(OLD, before, kept), rows(new, 0.0, came), usual(), new=new) == {}


def test_only_a_name_that_nobody_declared_takes_rows_over() -> None:
    every = [*rows(OLD, 2.0, 0.0), *rows(NEW, 0.0, 2.0), *usual()]
    new = unseen(NEW)
    assert list(handovers(view_of(every, CATALOG), [new])) == [NEW]
    fell = replace(new, result=replace(new.result, kind=KindName.VOLUME, aspect="bucket"))
    assert handovers(view_of(every, CATALOG), [fell]) == {}


def test_a_slip_of_one_name_is_handed_nothing_of_another_that_fell() -> None:
    slip = "cart_opned"
    fell = [*rows("cart_opener", 2.0, 0.0), *usual(), *rows(slip, 0.0, 2.0)]
    known = catalog(*OTHERS, "cart_opener")
    assert handovers(view_of(fell, known), [unseen(slip)]) == {}


def test_a_night_in_which_all_fall_is_no_rename() -> None:
    assert handed(rows(OLD, 5.0, 2.5), rows(NEW, 0.0, 2.5), usual(2.5)) == {}


def test_one_old_name_is_handed_to_one_new_one() -> None:
    second = "checkout_is_started"
    every = [
        *rows(OLD, 4.0, 0.0),
        *rows(NEW, 0.0, 4.0),
        *rows(second, 0.0, 2.5),
        *usual(),
    ]
    found = handovers(view_of(every, CATALOG), [unseen(NEW), unseen(second)])
    assert {name: each.old for name, each in found.items()} == {NEW: OLD}


def test_chance_alone_hands_over_hardly_ever() -> None:
    """Of a truly new name, at whatever pace both come."""
    paces = (0.3, 1.0, 3.0)
    tried = [
        bool(handed(rows(OLD, old, old, seed), rows(NEW, 0.0, new, seed + 1), usual()))
        for seed in range(0, 60, 2)
        for old in paces
        for new in paces
    ]
    assert sum(tried) <= 0.01 * len(tried)
