from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.cli.junit import junit_text
from eventwatch.model.status import Severity
from eventwatch.pipeline.report import Report

from .reports import HOSTILE, exposure, finding, full, hostile, report, result


def tree(made: Report, fail_on: Severity | None = Severity.WARNING) -> ElementTree.Element:
    return ElementTree.fromstring(junit_text(made, fail_on=fail_on))


def test_there_is_a_suite_per_exposure_and_a_case_per_finding() -> None:
    root = tree(full())
    assert [s.get("name") for s in root] == ["events", "orders", "deliveries"]
    first = root[0]
    assert (first.get("tests"), first.get("failures")) == ("10", "4")
    assert (first.get("errors"), first.get("skipped")) == ("1", "4")
    assert root.get("failures") == "4"


def test_a_failure_says_what_who_and_where() -> None:
    (failure,) = (
        case.find("failure")
        for case in tree(full())[0].findall("testcase")
        if case.get("name") == "user_followed_user (bucket)" and case.find("failure") is not None
    )
    assert failure is not None
    assert failure.get("message") == "12 in the last hour, usually about 480"
    assert failure.get("type") == "warning"
    text = failure.text or ""
    assert "owner: growth #growth-alerts" in text
    assert "contract: social/follow.proto:12" in text


def test_failures_are_what_makes_the_exit_code_1() -> None:
    made = report(exposure(finding()))
    assert tree(made)[0].get("failures") == "1"
    for fail_on in (Severity.CRITICAL, None):
        root = tree(made, fail_on)
        assert (root.get("failures"), root.get("skipped")) == ("0", "1")
        assert made.exit_code(fail_on) == 0


def test_what_could_not_be_measured_is_an_error() -> None:
    suite = tree(full())[1]
    assert suite.get("errors") == "1"
    error = suite.find("testcase/error")
    assert error is not None
    assert error.text == "the file is locked by process 42"


def test_an_exposure_without_results_still_has_a_case() -> None:
    assert tree(report(exposure(status_counts={})))[0].get("tests") == "1"


def test_hostile_names_are_well_formed_and_all_there() -> None:
    root = tree(hostile())
    assert len(root) == 2 * len(HOSTILE) + 1
    assert root[10].get("name") == "\\x1b[2J\\x1b]0;owned\\x07"


@pytest.mark.parametrize("made", [full(), hostile()])
def test_counts_add_up(made: Report) -> None:
    root = tree(made)
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.get(name, "")) == len(root.findall(f".//{tag}"))
    assert int(root.get("tests", "")) == len(root.findall(".//testcase"))


@given(st.text(st.characters(), max_size=50))
def test_any_text_is_well_formed(text: str) -> None:
    tree(report(exposure(finding(result(text, summary=text)), name=text, notes=(text,))))
