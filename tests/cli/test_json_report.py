from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from eventwatch.cli.json_report import json_text
from eventwatch.cli.report_schema import report_schema, report_schema_text
from eventwatch.model.result import Amount, Spark
from eventwatch.model.status import Severity
from eventwatch.pipeline.report import Report

from .reports import HOSTILE, NOW, exposure, finding, full, hostile, report, result

SCHEMA = Draft202012Validator(report_schema())


def parsed(made: Report, **options: Any) -> Any:
    chosen = {"fail_on": Severity.WARNING, "messages": True, **options}
    return json.loads(json_text(made, **chosen))


@pytest.mark.parametrize("made", [full(), hostile(), report()], ids=["full", "hostile", "empty"])
def test_reports_keep_to_the_schema(made: Report) -> None:
    SCHEMA.validate(parsed(made))


def test_the_schema_is_right_and_the_file_in_docs_is_the_schema() -> None:
    Draft202012Validator.check_schema(report_schema())
    path = Path(__file__).parents[2] / "docs" / "report.schema.json"
    assert path.read_text(encoding="utf-8") == report_schema_text()


def test_the_schema_refuses_what_it_does_not_know() -> None:
    made = parsed(full())
    made["exposures"][0]["surprise"] = 1
    assert not SCHEMA.is_valid(made)


def test_everything_is_ascii_and_ends_with_a_line_end() -> None:
    text = json_text(hostile(), fail_on=None, messages=True)
    assert text.isascii()
    assert text.endswith("}\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert not re.search(r"\\ud[89ab]..(?!\\ud[c-f])", text.replace("\\\\", ""))


def test_texts_come_through_whole_except_half_pairs() -> None:
    names = [e["name"] for e in parsed(hostile())["exposures"]][::2]
    assert names == ["\\ud800" if n == "\ud800" else n for n in HOSTILE]


def test_equal_reports_give_equal_text() -> None:
    assert json_text(full(), fail_on=None, messages=True) == json_text(
        full(), fail_on=None, messages=True
    )


def test_instants_are_utc_with_z() -> None:
    made = parsed(full())
    assert made["at"] == "2026-03-02T12:00:00Z"
    assert made["exposures"][0]["findings"][1]["since"] == "2026-03-02T10:00:00Z"


def test_numbers_that_are_not_finite_are_null() -> None:
    amount = Amount("events", float("nan"), float("inf"), float("-inf"))
    made = parsed(report(exposure(finding(result(amount=amount)))))
    found = made["exposures"][0]["findings"][0]
    assert [found["amount"][k] for k in ("observed", "expected", "lower")] == [None, None, None]
    assert found["spark"]["values"] == [470.0, 490.0, None, 480.0, 12.0]
    SCHEMA.validate(made)


def test_numpy_numbers_are_numbers() -> None:
    values: Any = (np.float64(1.5), np.int64(2), np.float32("nan"))
    observed: Any = np.int64(5)
    made = result(spark=Spark(NOW, timedelta(hours=1), values), amount=Amount("events", observed))
    found = parsed(report(exposure(finding(made))))["exposures"][0]["findings"][0]
    assert found["spark"]["values"] == [1.5, 2, None]
    assert found["amount"]["observed"] == 5


def test_the_exit_code_is_that_of_the_report() -> None:
    assert parsed(full())["exit_code"] == 1
    assert parsed(full(), fail_on=None)["exit_code"] == 3
    assert parsed(full(), fail_on=None)["fail_on"] == "never"
    assert parsed(report(exposure()))["exit_code"] == 0


def test_messages_are_left_out_unless_asked_for() -> None:
    assert parsed(full(), messages=False)["messages"] == []
    assert parsed(full())["messages"][0]["blocks"][0]["type"] == "section"


def test_nothing_of_a_finding_is_missing() -> None:
    found = parsed(full())["exposures"][0]["findings"][0]
    assert found["owner"]["is_fallback"] is True
    assert found["nearest"] == ["user_followed_user"]
    assert found["contract"] is None
    second = parsed(full())["exposures"][0]["findings"][1]
    assert (second["contract"]["path"], second["contract"]["line"]) == ("social/follow.proto", 12)
    assert second["alert"]["state"] == "firing"


@given(st.text(st.characters(), max_size=50), st.floats())
def test_any_text_and_any_number_make_a_document_of_the_schema(text: str, number: float) -> None:
    made = result(text, summary=text, amount=Amount(text, number, number, number, number))
    document = parsed(report(replace(exposure(finding(made)), name=text, notes=(text,))))
    SCHEMA.validate(document)
