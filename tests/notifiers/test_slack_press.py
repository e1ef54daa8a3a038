from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.notifiers.slack_press import (
    Button,
    Press,
    app_of,
    app_of_hello,
    envelope_id,
    press_of,
)
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.socket_mode import APP_ID, press

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every value inside stands."""
    if not isinstance(value, dict | list):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(p for key, each in inner for p in places(each, (*path, key)))]


def replaced(value: Any, path: tuple[str | int, ...], by: Any) -> Any:
    """A copy with something else at one place."""
    if not path:
        return by
    made = copy.deepcopy(value)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = by
    return made


@pytest.mark.parametrize("button", list(Button))
def test_each_of_our_buttons_is_known(button: Button) -> None:
    found = press_of(press(action_id=button.value), APP_ID)
    assert found == Press("e-1", button, "0123456789ab", "U0ANNA0001", "anna", "C0GROWTH01")


@pytest.mark.parametrize(
    "envelope",
    [
        press(app_id="A0OTHER"),
        press(action_id="eventwatch_delete"),
        press(action_id="other_app_ack"),
        press(value="x" * 2001),
        press(value="a" * 2001),
        press(value="' or 1=1"),
        press(value=None),
        press(value=["0123456789ab"]),
        press(value={"id": "0123456789ab"}),
        press(user="<!channel>"),
        press(envelope_id=""),
        press(envelope_id="a b"),
        {**press(), "type": "events_api"},
        {**press(), "type": "slash_commands"},
        {**press(), "payload": None},
        {**press(), "payload": "x"},
        replaced(press(), ("payload", "type"), "view_submission"),
        replaced(press(), ("payload", "actions"), []),
        replaced(press(), ("payload", "actions"), press()["payload"]["actions"] * 2),
        {},
    ],
)
def test_what_is_not_a_press_of_ours_is_none(envelope: dict[str, Any]) -> None:
    assert press_of(envelope, APP_ID) is None


def test_while_the_app_is_not_known_nothing_is_believed() -> None:
    assert press_of(press(app_id=""), "") is None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_one_short_line_of_data(name: str) -> None:
    found = press_of(press(name=name), APP_ID)
    assert found is not None
    assert 1 <= len(found.user_name) <= 80
    assert "\n" not in found.user_name


@given(st.sampled_from(places(press())), JSON)
def test_a_hostile_payload_never_raises(path: tuple[str | int, ...], by: Any) -> None:
    envelope = replaced(press(), path, by)
    if isinstance(envelope, dict):
        found = press_of(envelope, APP_ID)
        assert found is None or found.button in Button
        assert isinstance(envelope_id(envelope), str)
        assert isinstance(app_of_hello(envelope), str)


def test_the_app_is_told_by_its_token_or_by_the_first_message() -> None:
    assert app_of("xapp-1-A0123ABC-99-secret") == "A0123ABC"
    assert app_of("xapp-secret") == ""
    assert app_of_hello({"type": "hello", "connection_info": {"app_id": "A01"}}) == "A01"
    assert app_of_hello({"type": "hello"}) == ""
    assert app_of_hello({"type": "x", "connection_info": {"app_id": "A01"}}) == ""
