"""Records come back from columns exactly as they went in."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.model.result import Amount, Basis, Cut, Fact, Result, Spark
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.store.encoding import (
    decode_event_type,
    decode_instant,
    decode_result,
    decode_text,
    decode_texts,
    encode_event_type,
    encode_instant,
    encode_result,
    encode_text,
    encode_texts,
    key_of,
)
from tests.store.samples import NASTY, NOW, result

any_text = st.text(st.characters(exclude_categories=()), max_size=20) | st.text(
    "\\u0d8\x00\ud83d\ude00=", max_size=12
)
instants = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))
spans = st.timedeltas()
numbers = st.floats()
results = st.builds(
    Result,
    exposure=any_text,
    kind=st.sampled_from(KindName),
    aspect=any_text,
    status=st.sampled_from(Status),
    event_type=st.none() | any_text,
    cut=st.none() | st.builds(Cut, any_text, any_text),
    severity=st.sampled_from(Severity),
    summary=any_text,
    amount=st.none()
    | st.builds(
        Amount,
        any_text,
        numbers,
        st.none() | numbers,
        st.none() | numbers,
        st.none() | numbers,
        st.none() | instants,
        st.none() | instants,
        st.none() | numbers,
        st.none() | numbers,
    ),
    since=st.none() | instants,
    learning_until=st.none() | instants,
    facts=st.lists(st.builds(Fact, any_text, any_text), max_size=3).map(tuple),
    spark=st.none()
    | st.builds(
        Spark,
        instants,
        spans,
        st.lists(numbers, max_size=4).map(tuple),
        st.lists(numbers, max_size=4).map(tuple),
    ),
    hold=spans,
    keep=spans,
    total=st.booleans(),
    check=any_text,
    runs_to=any_text,
    basis=st.none() | st.builds(Basis, any_text, any_text, any_text, any_text),
)


@settings(max_examples=60, deadline=None)
@given(results)
def test_a_result_comes_back_exactly(one: Result) -> None:
    text = encode_result(one)
    # By repr: NaN does not equal itself, and -0.0 equals 0.0.
    assert repr(decode_result(text)) == repr(one)
    text.encode("utf-8")
    assert "\x00" not in text


def test_a_result_is_plain_json_for_other_readers() -> None:
    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(encode_result(result()), parse_constant=refuse)


def test_a_result_of_another_version_is_refused() -> None:
    raw = json.loads(encode_result(result()))
    raw["version"] = 2
    with pytest.raises(ValueError, match="version 2"):
        decode_result(json.dumps(raw))


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    raw = json.loads(encode_result(result()))
    raw["mood"] = "good"
    assert repr(decode_result(json.dumps(raw))) == repr(result())


@given(any_text, any_text)
def test_texts_come_back_and_stay_different(one: str, other: str) -> None:
    written = encode_text(one)
    assert decode_text(written) == one
    assert "\x00" not in written
    written.encode("utf-8")
    assert (written == encode_text(other)) == (one == other)


@given(st.lists(any_text).map(tuple))
def test_lists_of_texts_come_back(texts: tuple[str, ...]) -> None:
    assert decode_texts(encode_texts(texts)) == texts


@given(instants, instants)
def test_instants_come_back_and_sort(one: datetime, other: datetime) -> None:
    assert decode_instant(encode_instant(one)) == one
    assert (encode_instant(one) < encode_instant(other)) == (one < other)
    assert -(2**63) <= encode_instant(one) < 2**63


def test_an_instant_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode_instant(NOW.replace(tzinfo=None))


@given(st.none() | any_text)
def test_no_name_is_taken_for_the_null_type(event_type: str | None) -> None:
    assert decode_event_type(encode_event_type(event_type)) == event_type


@given(st.lists(any_text, max_size=3), st.lists(any_text, max_size=3))
def test_keys_are_short_and_differ_where_the_parts_do(one: list[str], other: list[str]) -> None:
    assert len(key_of(*one)) == 40
    assert (key_of(*one) == key_of(*other)) == (one == other)


def test_numpy_numbers_are_kept_as_numbers() -> None:
    import numpy as np

    one = result(amount=Amount("events", np.float64(0.1), np.float64(math.nan)), spark=None)
    amount = decode_result(encode_result(one)).amount
    assert amount is not None
    assert amount.observed == 0.1
    assert amount.expected is not None
    assert math.isnan(amount.expected)
    assert decode_result(encode_result(result(hold=timedelta.max))).hold == timedelta.max
    assert decode_text(encode_text(NASTY)) == NASTY
