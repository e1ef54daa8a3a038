"""What is wrong with us is told as that, once per kind."""

from __future__ import annotations

from eventwatch.alerting.state import track
from eventwatch.alerting.trouble import NOT_JUDGED, gather, is_trouble
from eventwatch.model.alert import Change
from eventwatch.model.result import Result
from eventwatch.model.status import KindName, Status
from tests.alerting.builders import MINUTE, NOW, result, told, unreadable


def error(name: str, kind: KindName = KindName.VOLUME) -> Result:
    return result(name, kind=kind, status=Status.ERROR, summary="the history is torn")


def test_errors_of_one_kind_become_one_and_stay_as_they_are() -> None:
    errors = [error(f"e{i}") for i in range(8)]
    gathered = gather([result(), unreadable(), *errors])
    assert gathered[:10] == (result(), unreadable(), *errors)
    (summed,) = gathered[10:]
    assert (summed.aspect, summed.event_type, summed.status) == (NOT_JUDGED, None, Status.ERROR)
    assert summed.summary == "8 things could not be judged: the history is torn"
    assert [f.text for f in summed.facts] == ["e0", "e1", "e2", "e3", "e4", "and 3 more"]
    assert is_trouble(summed)


def test_each_kind_has_its_own() -> None:
    gathered = gather([error("a"), error("a", KindName.DUPLICATES)])
    assert len({r.fingerprint for r in gathered}) == 4


def test_without_errors_nothing_is_added() -> None:
    assert gather([result(), unreadable()]) == (result(), unreadable())


def test_an_error_about_one_event_type_holds_its_alert_and_opens_one_of_ours() -> None:
    data = told(result("a"))
    results = gather([error("a")])
    moved = track([data], results, NOW, judged=lambda _: True)
    changes = {t.alert.result.aspect: t.change for t in moved}
    assert changes == {"bucket": Change.NONE, NOT_JUDGED: Change.PENDING}
    later = track([t.alert for t in moved], results, NOW + 10 * MINUTE, judged=lambda _: True)
    assert [t.change for t in later if t.alert.result.aspect == NOT_JUDGED] == [Change.FIRED]
