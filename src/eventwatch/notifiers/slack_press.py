"""What somebody pressed, read from an envelope of Socket Mode. Pure.

Nothing in an envelope is believed beyond its form: who pressed is authorised later, by groups that
Slack itself lists, and the incident is looked up in the state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from eventwatch.alerting.escape import truncate

LONGEST_VALUE = 2000
"""Of a button, by Slack's rules."""
_ID = re.compile(r"[A-Z0-9]{2,40}")
_USER = re.compile(r"[UW][A-Z0-9]{2,40}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,40}")
_TS = re.compile(r"[0-9]{1,15}\.[0-9]{1,10}")
_INCIDENT = re.compile(r"[0-9a-f]{4,64}")
_ENVELOPE = re.compile(r"[!-~]{1,200}")
_APP = re.compile(r"xapp-[0-9]+-(A[A-Z0-9]{2,40})-.*", re.DOTALL)


class Button(StrEnum):
    """The buttons under an incident, by their ``action_id``."""

    ACKNOWLEDGE = "eventwatch_ack"
    SILENCE = "eventwatch_silence"
    NOT_A_PROBLEM = "eventwatch_not_a_problem"


@dataclass(frozen=True)
class Press:
    """One button, pressed once."""

    id: str
    """The envelope's: the same press has the same one, however often Slack sends it."""
    button: Button
    incident_id: str
    user_id: str
    user_name: str
    """As Slack calls the user, unescaped; the id where there is no name."""
    channel: str
    """Id of the channel where the message stands."""
    thread: str = ""
    """``ts`` of the thread that the message is in; empty: none."""


def envelope_id(envelope: Mapping[str, Any]) -> str:
    """What has to be acknowledged; empty: nothing."""
    found = envelope.get("envelope_id")
    return found if isinstance(found, str) and _ENVELOPE.fullmatch(found) else ""


def app_of(token: str) -> str:
    """Id of the app that an app-level token belongs to; empty where it does not say."""
    found = _APP.fullmatch(token)
    return "" if found is None else found[1]


def app_of_hello(message: Mapping[str, Any]) -> str:
    """Id of the app that a connection is for; empty where it does not say."""
    info = message.get("connection_info")
    return _text(info, "app_id", _ID) if message.get("type") == "hello" else ""


def press_of(envelope: Mapping[str, Any], app_id: str) -> Press | None:
    """The press that an envelope tells of; None: it is none of ours. Never raises."""
    payload = envelope.get("payload")
    if envelope.get("type") != "interactive" or not isinstance(payload, Mapping):
        return None
    if payload.get("type") != "block_actions" or not app_id:
        return None
    if payload.get("api_app_id") != app_id:
        return None
    actions = payload.get("actions")
    # A button's press is always alone; a list of several is nothing that Slack sends.
    if not isinstance(actions, list) or len(actions) != 1:
        return None
    button = _button(actions[0])
    incident = _text(actions[0], "value", _INCIDENT)
    user = payload.get("user")
    user_id = _text(user, "id", _USER)
    channel = _text(payload.get("channel"), "id", _CHANNEL) or _text(
        payload.get("container"), "channel_id", _CHANNEL
    )
    id_ = envelope_id(envelope)
    if button is None or not (id_ and incident and user_id and channel):
        return None
    return Press(
        id=id_,
        button=button,
        incident_id=incident,
        user_id=user_id,
        user_name=_name(user) or user_id,
        channel=channel,
        thread=_text(payload.get("container"), "thread_ts", _TS),
    )


def _button(action: object) -> Button | None:
    found = action.get("action_id") if isinstance(action, Mapping) else None
    if not isinstance(found, str) or found not in [each.value for each in Button]:
        return None
    return Button(found)


def _name(user: object) -> str:
    for key in ("username", "name"):
        found = user.get(key) if isinstance(user, Mapping) else None
        if isinstance(found, str) and found.strip():
            return truncate(" ".join(found.split()), 80)
    return ""


def _text(of: object, key: str, form: re.Pattern[str]) -> str:
    found = of.get(key) if isinstance(of, Mapping) else None
    if not isinstance(found, str) or len(found) > LONGEST_VALUE:
        return ""
    return found if form.fullmatch(found) else ""
