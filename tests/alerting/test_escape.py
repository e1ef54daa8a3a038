"""Foreign text does nothing wherever it is shown."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventwatch.alerting.escape import (
    code,
    mrkdwn,
    plain,
    plain_text,
    size,
    terminal,
    truncate,
)
from tests.alerting.builders import hostile
from tests.fakes.hostile_names import HOSTILE

ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")


def assert_inert(text: str) -> None:
    assert "<" not in text
    assert ">" not in text
    assert not ENTITY.search(text)
    assert "`" not in text
    assert text.isprintable()


@given(hostile)
def test_mrkdwn_holds_no_active_form(text: str) -> None:
    assert_inert(mrkdwn(text))


@given(hostile)
def test_a_code_span_can_neither_be_left_nor_mention(text: str) -> None:
    shown = code(text)
    assert_inert(shown)
    assert shown
    assert not shown.startswith(" ")
    assert not shown.endswith(" ")


@given(hostile)
def test_a_header_has_none_of_the_three_special_characters(text: str) -> None:
    assert not set(plain_text(text)) & set("<>&")
    assert plain_text(text).isprintable()


@given(hostile)
def test_a_terminal_gets_one_line_without_controls(text: str) -> None:
    shown = terminal(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=50))
def test_what_prints_is_left_as_it_is(text: str) -> None:
    assert plain(text) == text
    assert html.unescape(mrkdwn(text)) == html.unescape(mrkdwn(text)).replace("`", "ˋ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("a\u200bb", "a\\u200bb"),
        ("\ud800", "\\ud800"),
        ("a\x00b", "a\\x00b"),
        ("a\nb", "a\\nb"),
        ("a\u00a0b", "a\\xa0b"),
        ("событие", "событие"),
        ("😀", "😀"),
    ],
)
def test_what_does_not_print_is_made_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("", "(empty)"), ("  ", "␣␣"), (" a ", "␣a␣")])
def test_blanks_at_the_edges_of_a_name_show(text: str, shown: str) -> None:
    assert code(text) == shown


def test_ampersand_is_escaped_first() -> None:
    assert mrkdwn("&lt;!channel&gt;") == "&amp;lt;!channel&amp;gt;"


@given(hostile, st.integers(1, 500))
@example("a&b", 2)
def test_truncating_first_never_cuts_an_entity(text: str, length: int) -> None:
    cut = truncate(text, length)
    assert len(cut) <= length
    assert_inert(mrkdwn(cut))
    assert cut == text or cut.endswith("…")


def test_nothing_fits_in_no_characters() -> None:
    with pytest.raises(ValueError, match="nothing fits"):
        truncate("a", 0)


@given(st.text())
def test_size_counts_utf16_units(text: str) -> None:
    assert size(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_the_corpus_is_large_and_has_no_twins() -> None:
    assert len(HOSTILE) >= 150
    assert len(set(HOSTILE)) == len(HOSTILE)
