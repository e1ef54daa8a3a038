"""A rename needs the names, the time, the rows and the mix of values to agree."""

from __future__ import annotations

from eventwatch.alerting.causes_evidence import Evidence, Handover, Moved
from eventwatch.model.alert import Alert
from eventwatch.model.cause import CauseKind
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from tests.alerting.causes_scene import (
    BEGAN,
    HOUR,
    NOW,
    alert,
    keys,
    result,
    rows,
    seen,
    silent,
    table,
    unseen,
    volume,
)

OLD, NEW = "user_followed_user", "user_follows_user"


def moved(of: str, *, new: float = 1.0, mix: bool = True, part: float = 0.0) -> Evidence:
    """The old name keeps ``part`` of its rows; the new one has ``new`` times what is missing."""
    gone = table(dict.fromkeys(("android", "ios", "web"), part))
    came = {v: Moved((r.expected - r.observed) * new, 0.0) for v, r in gone.items()}
    if not mix:
        came = {"web": Moved(sum(r.observed for r in came.values()), 0.0)}
    return Evidence({(OLD, "platform"): gone, (of, "platform"): came}, {OLD: 2.0, of: 2.0})


def kinds(alerts: tuple[Alert, ...]) -> set[CauseKind]:
    return {a.cause.kind for a in alerts if a.cause is not None}


def test_everything_that_shows_it_is_one_cause_with_the_key_of_the_old_name() -> None:
    made = seen(silent(OLD), volume(OLD), unseen(NEW), evidence=moved(NEW))
    assert kinds(made) == {CauseKind.RENAME}
    assert keys(made) == keys(seen(silent(OLD)))
    found = made[0].cause
    assert found is not None
    assert (found.event_type, found.other) == (OLD, NEW)
    assert "name, time, rows and platforms agree" in found.detail


def test_a_part_that_was_renamed_is_a_rename() -> None:
    made = seen(volume(OLD), unseen(NEW), evidence=moved(NEW, part=0.4))
    assert kinds(made) == {CauseKind.RENAME}


def test_other_names_other_times_other_rows_and_other_platforms_are_none() -> None:
    other = "invoice_was_printed"
    assert kinds(seen(silent(OLD), unseen(other), evidence=moved(other))) == {CauseKind.EVENT_TYPE}
    late = unseen(NEW, since=BEGAN - 20 * HOUR)
    assert kinds(seen(silent(OLD), late, evidence=moved(NEW))) == {CauseKind.EVENT_TYPE}
    few = moved(NEW, new=0.1)
    assert kinds(seen(silent(OLD), unseen(NEW), evidence=few)) == {CauseKind.EVENT_TYPE}
    web = moved(NEW, mix=False)
    assert kinds(seen(silent(OLD), unseen(NEW), evidence=web)) == {CauseKind.EVENT_TYPE}


def test_a_word_that_most_names_begin_with_makes_no_rename() -> None:
    """A wrong one would send the story of a new name to the owner of another event type."""
    old, new = "buyer_confirmed_delivery", "buyer_joined_livestream"
    gone = table(dict.fromkeys(("android", "ios", "web"), 0.0))
    came = {v: Moved(r.expected, 0.0) for v, r in gone.items()}
    evidence = Evidence(
        {(old, "platform"): gone, (new, "platform"): came},
        {old: 2.0, new: 2.0},
        declared=(old, *(f"buyer_did_{n}" for n in range(9))),
    )
    assert kinds(seen(silent(old), unseen(new), evidence=evidence)) == {CauseKind.EVENT_TYPE}


def test_duplicates_of_either_name_are_not_part_of_it() -> None:
    twice = Result(**{**vars(result(NEW)), "kind": KindName.DUPLICATES, "aspect": "repeated"})
    made = seen(silent(OLD), unseen(NEW), alert(twice), evidence=moved(NEW))
    assert made[2].cause is not None
    assert made[2].cause.kind is CauseKind.EVENT_TYPE


def test_one_old_name_has_one_new_one() -> None:
    second = "user_follow_user"
    evidence = moved(NEW)
    both = Evidence(
        {**evidence.moved, (second, "platform"): evidence.moved[NEW, "platform"]},
        {**evidence.hours, second: 2.0},
    )
    made = seen(silent(OLD), unseen(NEW), unseen(second), evidence=both)
    assert [a.cause.kind for a in made if a.cause].count(CauseKind.RENAME) == 2


def test_it_stays_one_while_both_sides_are_open() -> None:
    before = seen(silent(OLD), unseen(NEW), evidence=moved(NEW))
    after = seen(*before, now=NOW + HOUR)
    assert (kinds(after), keys(after)) == (kinds(before), keys(before))
    assert kinds(seen(before[1], now=NOW + HOUR)) == {CauseKind.EVENT_TYPE}


def test_a_platform_that_stopped_everywhere_is_no_rename() -> None:
    names = [f"t{i}" for i in range(9)]
    evidence = rows({n: {"android": 0.0} for n in names})
    made = seen(*map(volume, names), unseen("t10"), evidence=evidence)
    assert CauseKind.RENAME not in kinds(made)


def test_a_new_name_that_takes_rows_over_is_told_as_a_rename_before_the_old_one_is_missed() -> None:
    taken = Evidence(handed={NEW: Handover(OLD, 40.0, 200.0, 160.0)})
    (alone,) = seen(unseen(NEW), evidence=taken)
    assert alone.cause is not None
    assert (alone.cause.kind, alone.cause.event_type, alone.cause.other) == (
        CauseKind.RENAME,
        OLD,
        NEW,
    )
    assert len(keys(seen(unseen(NEW), volume(OLD), evidence=taken))) == 1
    assert kinds(seen(volume(NEW), evidence=taken)) == {CauseKind.EVENT_TYPE}
