"""The app asks for the scopes that the code uses, for no others, and the page says the same."""

from __future__ import annotations

import re
from pathlib import Path

from eventwatch.config.tree import read_yaml
from eventwatch.notifiers.slack_press import Button
from eventwatch.notifiers.slack_scopes import APP_METHODS, ESSENTIAL, LOST, METHODS

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = read_yaml(ROOT / "deploy" / "slack-manifest.yaml").value
# Families of methods of the Web API; a name like "chart.png" is none of them.
METHOD = re.compile(
    r'"((?:apps|auth|chat|conversations|files|reactions|team|usergroups|users|views)'
    r'\.[A-Za-z]+(?:\.[A-Za-z]+)?)"'
)


def called() -> set[str]:
    """Methods of Slack that are named in the sources."""
    return {
        method
        for path in (ROOT / "src/eventwatch/notifiers").glob("slack*.py")
        if path.name != "slack_scopes.py"
        for method in METHOD.findall(path.read_text(encoding="utf-8"))
    }


def test_every_method_that_is_called_is_known_with_its_scopes() -> None:
    assert called() == METHODS.keys() | APP_METHODS.keys()


def test_the_manifest_asks_for_what_the_methods_need_and_for_nothing_else() -> None:
    needed = {scope for scopes in METHODS.values() for scope in scopes}
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed
    assert set(LOST) == needed
    assert ESSENTIAL in needed


def test_buttons_come_over_socket_mode() -> None:
    settings = MANIFEST["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"]["is_enabled"] is True


def test_the_page_names_every_scope_and_every_button() -> None:
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    scopes = {s for table in (METHODS, APP_METHODS) for scopes in table.values() for s in scopes}
    for name in (*scopes, "deploy/slack-manifest.yaml"):
        assert name in page, name
    for label in ("Acknowledge", "Silence 4 h", "Not a problem"):
        assert label in page
    assert len(Button) == 3
