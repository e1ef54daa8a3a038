"""A value that broke across event types is one cause; in one event type it is that type's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventwatch.alerting.causes import attribute
from eventwatch.alerting.causes_cut import best_cut
from eventwatch.alerting.causes_evidence import Across, Evidence, Moved
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut
from eventwatch.model.settings import Dimension
from eventwatch.model.status import KindName
from tests.alerting.causes_scene import (
    BEGAN,
    HOUR,
    NOW,
    TABLE,
    alert,
    keys,
    of_value,
    result,
    rows,
    scene,
    seen,
    volume,
)

NAMES = tuple(f"t{i:02d}" for i in range(41))
ANDROID = rows({n: {"android": 0.04} for n in NAMES})


def cause(of: Alert) -> Cause:
    assert of.cause is not None
    return of.cause


def test_a_platform_that_stopped_across_41_event_types_is_one_cause() -> None:
    made = seen(*map(volume, NAMES), evidence=ANDROID)
    assert len(keys(made)) == 1
    found = cause(made[0])
    assert found.kind is CauseKind.CUT
    assert found.cut == Cut("platform", "android")
    assert found.detail == "android: 41 event types at −96 %, other platforms normal"


def test_only_the_first_that_speaks_names_what_was_moved() -> None:
    made = seen(*map(volume, NAMES), evidence=ANDROID)
    assert sorted(len(cause(a).affected) for a in made) == [0] * 40 + [41]


def test_an_alert_about_the_value_itself_speaks_for_all() -> None:
    made = seen(of_value("android"), *map(volume, NAMES), evidence=ANDROID)
    assert [a.explained for a in made] == [False] + [True] * 41
    assert len({cause(a).key for a in made}) == 1


def test_event_types_are_named_that_have_no_alert() -> None:
    made = seen(of_value("android"), evidence=ANDROID)
    assert cause(made[0]).affected == NAMES


def test_one_event_type_that_lost_a_platform_is_its_own_cause() -> None:
    evidence = rows({n: {"android": 0.0} if n == "t00" else {} for n in NAMES})
    made = seen(volume("t00"), evidence=evidence)
    assert cause(made[0]).kind is CauseKind.EVENT_TYPE
    assert cause(made[0]).detail == "android: −100 %, other platforms normal"


def test_one_alert_is_enough_where_the_others_show_it_too() -> None:
    evidence = rows({n: {"android": 0.0} if n < "t08" else {} for n in NAMES})
    made = seen(volume("t00"), evidence=evidence)
    assert cause(made[0]).kind is CauseKind.CUT
    assert len(cause(made[0]).affected) == 8


def test_where_all_platforms_fell_no_platform_is_the_cause() -> None:
    evidence = rows({n: dict.fromkeys(("android", "ios", "web"), 0.3) for n in NAMES})
    made = seen(*map(volume, NAMES), evidence=evidence)
    assert {cause(a).kind for a in made} == {CauseKind.EVENT_TYPE}


@pytest.mark.parametrize(("others", "kind"), [(0.3, CauseKind.EVENT_TYPE), (1.0, CauseKind.CUT)])
@pytest.mark.parametrize("names", [("captured", "imported"), ("captured", "imported", "refunded")])
def test_what_has_one_value_only_blames_it_where_the_other_values_go_on(
    names: tuple[str, ...], others: float, kind: CauseKind
) -> None:
    """Else the table stops, and what ran into trouble before would all be put on one value."""
    own = {n: {"backend": Moved(0.0, 80.0)} for n in names}
    half = {v: Moved(150.0, 300.0) for v in ("android", "ios", "web")}
    of_backend = Across(Moved(40.0, 170.0), 6, ("captured", "delivered", "scanned", "suggested"))
    evidence = Evidence(
        moved={(n, "platform"): t for n, t in {**own, "messaged": half, "viewed": half}.items()},
        whole={
            "platform": {
                "backend": of_backend,
                **{v: Across(Moved(180.0 * others, 180.0), 4) for v in half},
            }
        },
    )
    made = seen(*map(volume, (*names, "messaged", "viewed")), evidence=evidence)
    assert {cause(a).kind for a in made[:-2]} == {kind}
    assert {cause(a).kind for a in made[-2:]} == {CauseKind.EVENT_TYPE}


def test_two_values_may_be_the_cause_together() -> None:
    evidence = rows({n: {"android": 0.1, "ios": 0.1} for n in NAMES})
    made = seen(*map(volume, NAMES), evidence=evidence)
    assert len(keys(made)) == 1
    assert cause(made[0]).subject == "android and ios"


def test_no_value_is_named_that_is_not_needed() -> None:
    found = best_cut(rows({n: {"android": 0.0, "web": 0.9} for n in NAMES}), NAMES, down=True)
    assert found is not None
    assert found.values == ("android",)


def test_two_versions_of_an_app_broke() -> None:
    versions = {f"5.{k}": Moved(0.0 if k < 2 else 20.0, 20.0) for k in range(10)}
    evidence = Evidence({(n, "app_version"): versions for n in NAMES})
    found = best_cut(evidence, NAMES, down=True)
    assert found is not None
    assert set(found.values) == {"5.0", "5.1"}


def test_event_types_that_fell_on_different_platforms_are_not_one_cause() -> None:
    down = {n: {"android" if i % 2 else "ios": 0.0} for i, n in enumerate(NAMES)}
    made = seen(*map(volume, NAMES), evidence=rows(down))
    assert {cause(a).kind for a in made} == {CauseKind.CUT}
    assert {cause(a).subject for a in made} == {"android", "ios"}
    for i, one in enumerate(made):
        assert cause(one).subject == ("android" if i % 2 else "ios")


def test_an_event_type_that_fell_for_another_reason_keeps_its_own_cause() -> None:
    down: dict[str, dict[str, float]] = {n: {"android": 0.0} for n in NAMES}
    down["t05"] = dict.fromkeys(("android", "ios", "web"), 0.2)
    made = seen(*map(volume, NAMES), evidence=rows(down))
    assert cause(made[5]).kind is CauseKind.EVENT_TYPE
    assert len(keys(made)) == 2


def test_what_fell_days_before_does_not_belong_to_it() -> None:
    old = volume("t00", since=BEGAN - 40 * HOUR)
    made = seen(old, *map(volume, NAMES[1:]), evidence=ANDROID)
    assert cause(made[0]).kind is CauseKind.EVENT_TYPE


def test_a_value_that_rose_across_event_types_is_one_cause_of_rises_alone() -> None:
    evidence = rows({n: {"ios": 3.0} for n in NAMES})
    risen = [volume(n, came=400.0) for n in NAMES]
    made = seen(*risen, alert(result("t00", kind=KindName.FRESHNESS, aspect="silence")))
    assert {cause(a).kind for a in made} == {CauseKind.EVENT_TYPE}
    made = seen(*risen, evidence=evidence)
    assert len(keys(made)) == 1
    assert cause(made[0]).detail.startswith("ios: 41 event types at +200 %")


def test_a_share_that_rose_because_another_value_fell_is_that_cause() -> None:
    mirror = of_value("ios", came=110.0, usual=80.0)
    made = seen(*map(volume, NAMES), mirror, evidence=ANDROID)
    assert len({cause(a).key for a in made}) == 1


def test_the_key_stays_when_another_value_joins_and_when_the_first_recovers_a_little() -> None:
    before = seen(*map(volume, NAMES), evidence=ANDROID)
    both = rows({n: {"android": 0.3, "ios": 0.0} for n in NAMES})
    after = seen(*before, evidence=both)
    assert keys(after) == keys(before)
    assert cause(after[0]).subject == "android and ios"


def test_on_the_way_out_the_words_stay() -> None:
    before = seen(of_value("android"), evidence=ANDROID)
    fewer = rows({n: {"android": 0.04} if n < "t03" else {} for n in NAMES})
    assert seen(*before, evidence=fewer) == before


def test_the_team_that_the_config_names_for_the_value_owns_it() -> None:
    dimension = Dimension("platform", "platform", owners={"android": "mobile"})
    of = scene(map(volume, NAMES), ANDROID)
    of = replace(of, exposure=replace(TABLE, dimensions=(dimension,)))
    assert cause(attribute(of)[0]).team == "mobile"


@pytest.mark.parametrize("number", [2, 3])
def test_cut_alerts_about_one_value_of_several_event_types_need_no_rows(number: int) -> None:
    cut = Cut("platform", "android")
    made = seen(*(volume(n, aspect="cut", cut=cut) for n in NAMES[:number]))
    assert {cause(a).kind for a in made} == {CauseKind.CUT}
    assert len(keys(made)) == 1


def test_when_it_is_over_what_stays_down_comes_back_by_itself() -> None:
    before = seen(*map(volume, NAMES[:3]), evidence=rows({n: {"android": 0.0} for n in NAMES[:3]}))
    one = rows({n: {"android": 0.0} if n == "t00" else {} for n in NAMES})
    (soon,) = seen(before[0], evidence=one, now=NOW)
    assert cause(soon).key == cause(before[0]).key
    (own,) = seen(soon, evidence=one, now=NOW + 30 * HOUR)
    assert cause(own).kind is CauseKind.EVENT_TYPE
