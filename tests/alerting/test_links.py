"""Only https links reach a message, and nothing in them is markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.alerting.links import contract_place, contract_url, https_url, runbook
from eventwatch.alerting.spans import Link, Text, slack
from eventwatch.model.contract import Location
from tests.alerting.builders import contract, hostile

TEMPLATE = "https://git.example.com/events/blob/main/{path}#L{line}"


def test_path_and_line_go_into_the_template() -> None:
    assert (
        contract_url(TEMPLATE, Location("growth/follow.proto", 12))
        == "https://git.example.com/events/blob/main/growth/follow.proto#L12"
    )
    assert contract_url(TEMPLATE, Location("a.binpb", None)).endswith("/a.binpb#L1")


def test_a_path_is_url_escaped_and_is_no_template_itself() -> None:
    made = contract_url(TEMPLATE, Location("a b/{line}?x=<y>&z.proto", 3))
    assert made.endswith("/a%20b/%7Bline%7D%3Fx%3D%3Cy%3E%26z.proto#L3")


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "javascript:alert(1)", "ftp://example.com", "//example.com", ""),
        *("https://", "https:///x", "https://ada@example.com/", "https://a:b@example.com/"),
        *("https://example.com/<!channel>", "https://example.com/|x", "https://example.com/ a"),
        *(
            "https://example.com/\n",
            "https://example.com:99999/",
            "https://exa mple.com/",
            "HTTPS:x",
        ),
        "https://example.com/" + "a" * 500,
        "https://[::1",
    ],
)
def test_what_is_not_a_plain_https_url_is_no_link(url: str) -> None:
    assert https_url(url) == ""


def test_without_a_template_file_and_line_are_told() -> None:
    assert contract_place("", contract()) == (Text("growth/follow.proto:12"),)
    assert contract_place("http://git/{path}", contract()) == (Text("growth/follow.proto:12"),)
    assert isinstance(contract_place(TEMPLATE, contract())[0], Link)


def test_a_runbook_that_is_no_https_url_is_left_out() -> None:
    assert runbook(contract(runbook_url="javascript:alert(1)")) == ()
    assert runbook(contract())[0] == Link("https://wiki.example.com/follow?a=1&b=2", "Runbook")


@given(hostile, st.none() | st.integers(1, 10**6), hostile)
def test_no_path_and_no_template_makes_a_link_that_is_more_than_one(
    path: str, line: int | None, template: str
) -> None:
    for each in (TEMPLATE, template, template + "{path}{line}"):
        made = contract_url(each, Location(path, line))
        assert not made or (made.startswith("https://") and not re.search(r"[\s<>|\"`]", made))


def test_a_label_cannot_end_its_link() -> None:
    assert slack((Link("https://example.com/", "a|b>c"),), 100) == "<https://example.com/|a¦b&gt;c>"
