from __future__ import annotations

from collections.abc import Callable

import pytest

from eventwatch.config.load import Loaded, load
from eventwatch.config.show import masked_url, shown_text
from eventwatch.config.tree import compose
from eventwatch.model.settings import Secret

from .conftest import GOOD, Write

Load = Callable[..., Loaded]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("duckdb:///a/b.duckdb", "duckdb:///a/b.duckdb"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("postgresql://u:secret@h:5/d", "postgresql://u:********@h:5/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://h/d?password=secret&x=1", "postgresql://h/d?password=********&x=********"),
        ("postgresql://u:a@secret@h/d", "postgresql://u:********@h/d"),
        ("postgresql://u:a/secret@h/d", "postgresql://********"),
        ("secret", "********"),
    ],
)
def test_urls_are_shown_without_their_secrets(url: str, shown: str) -> None:
    assert masked_url(Secret(url)) == shown


def test_interpolated_texts_are_shown_as_they_are_written(loaded: Load) -> None:
    text = GOOD.replace("duckdb://warehouse.duckdb", "${DB}").replace("[platform]", '["${DIM}"]')
    text = text.replace("owner: data", 'owner: "${OWNER}"') + '  slack: {token: "${TOKEN}"}\n'
    env = {
        "DB": "postgres://u:p4ssw0rd@h/d",
        "DIM": "dimx",
        "OWNER": "data",
        "TOKEN": "xoxb-p4ssw0rd",
    }
    shown = shown_text(loaded(text, env=env))
    assert "p4ssw0rd" not in shown
    assert "dimx" not in shown
    for name in env:
        assert "${" + name + "}" in shown


def test_literal_secrets_are_masked(loaded: Load) -> None:
    text = GOOD + "  slack: {webhook_url: 'https://hooks.slack.com/services/p4ssw0rd'}\n"
    text += "state: postgresql://u:p4ssw0rd@h/d\n"
    shown = shown_text(loaded(text))
    assert "p4ssw0rd" not in shown
    assert shown.count("********") == 2


def test_it_is_a_config_itself_that_means_the_same(loaded: Load, write: Write) -> None:
    text = GOOD + "  reminder: {critical: 90m}\n"
    first = loaded(text).settings
    shown = shown_text(loaded(text))
    compose(shown, "f")
    second = load(write(shown), {}).settings
    assert second.exposures[0].connection == first.exposures[0].connection
    assert (second.state, second.history, second.notify) == (
        first.state,
        first.history,
        first.notify,
    )
    assert second.exposures[0].columns == first.exposures[0].columns
