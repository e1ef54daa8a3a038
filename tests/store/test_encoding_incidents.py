"""Causes and recipients come back from columns exactly as they went in."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import Recipient, Role
from eventwatch.model.result import Cut
from eventwatch.store.encoding_incidents import (
    decode_cause,
    decode_recipient,
    decode_recipients,
    encode_cause,
    encode_recipient,
    encode_recipients,
)
from tests.store.incident_samples import cause

any_text = st.text(st.characters(exclude_categories=()), max_size=20) | st.text(
    "\\u0d8\x00\ud83d\ude00=", max_size=12
)
causes = st.builds(
    Cause,
    kind=st.sampled_from(CauseKind),
    key=any_text,
    exposure=any_text,
    subject=any_text,
    cut=st.none() | st.builds(Cut, any_text, any_text),
    event_type=st.none() | any_text,
    other=st.none() | any_text,
    detail=any_text,
    team=any_text,
)
recipients = st.builds(
    Recipient,
    role=st.sampled_from(Role),
    team=any_text,
    channel=any_text,
    group_id=any_text,
    oncall=any_text,
    reason=any_text,
    is_fallback=st.booleans(),
)


@given(causes)
def test_a_cause_comes_back_and_is_text_that_any_engine_takes(one: Cause) -> None:
    text = encode_cause(one)
    assert decode_cause(text) == one
    text.encode("utf-8")
    assert "\x00" not in text


@given(st.lists(recipients, max_size=3).map(tuple))
def test_recipients_come_back(some: tuple[Recipient, ...]) -> None:
    assert decode_recipients(encode_recipients(some)) == some
    assert tuple(decode_recipient(encode_recipient(one)) for one in some) == some


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    raw = json.loads(encode_cause(cause()))
    raw["mood"] = "good"
    assert decode_cause(json.dumps(raw)) == cause()
