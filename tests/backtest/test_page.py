from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.backtest.compare import Sides, compare
from eventwatch.backtest.incident import Incident, Replay
from eventwatch.backtest.page import MOST_CHARTS, MOST_DRAWINGS, Charts, page
from eventwatch.backtest.picture import Picture
from eventwatch.backtest.report import Backtest, ExposureBacktest, Limits
from eventwatch.backtest.span import Span
from eventwatch.backtest.svg import drawing
from eventwatch.charts.render import dark_rules, inline
from eventwatch.cli.backtest_table import table_text
from eventwatch.model.contract import Catalog
from eventwatch.model.status import Severity
from tests.backtest.incidents import HOUR, START, incident, result
from tests.fakes.hostile_names import HOSTILE

SPAN = Span.of(START, START + timedelta(days=14), HOUR)
PICTURE = Picture(START, HOUR, tuple(float(i % 24) for i in range(200)), ((START, 4.0),))


def backtest(
    now: list[Incident], other: list[Incident] | None = None, name: str = "events"
) -> Backtest:
    pairs = None
    if other is not None:
        pairs = compare(now, other, Sides((), (), Catalog({}, {}, "")), SPAN.last_at)
    found = ExposureBacktest(
        name=name,
        now=Replay(name, tuple(now), 2),
        other=None if other is None else Replay(name, tuple(other), 0),
        comparison=pairs,
        pictures={i.id: PICTURE for i in (*now, *(other or []))},
    )
    return Backtest(SPAN, (found,), {"": 1.0}, against="" if other is None else "checks-new")


class Checker(HTMLParser):
    """Tags, and whether each is closed in turn."""

    VOID = frozenset(("meta", "line", "rect", "path"))

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        assert not [name for name, _ in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def read(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return checker


def test_the_page_has_a_chart_for_each_incident_and_needs_nothing_else() -> None:
    html = page(backtest([incident("a"), incident("b", 30), incident("c", 2, None)]), Limits())
    tags = read(html).tags
    assert tags.count("svg") == 3
    assert "script" not in tags
    assert not re.search(r"https?://", html)
    assert "default-src 'none'" in html


def test_it_tells_who_was_told_how_often_in_each_week() -> None:
    html = page(backtest([incident("a"), incident("b", 30), incident("c", 24 * 8)]), Limits(1))
    assert "<h1>3 incidents, 1.5 a week</h1>" in html
    assert "growth: 2 incidents in the week of 2026-03-02, at most 1 may be" in html
    row = re.search(r"<tr><td>growth</td>.*?</tr>", html, re.DOTALL)
    assert row is not None
    cells = re.findall(r'<td class="(\w+)">([^<]*)', row[0])
    assert cells == [("over", "2"), ("within", "1"), ("none", "·")]


def test_of_two_sets_of_checks_it_shows_what_differs() -> None:
    same = incident("s")
    html = page(backtest([same, incident("a")], [same, incident("b")]), Limits())
    assert set(re.findall(r'<span class="tag (\w+)">', html)) == {"removed", "added"}
    assert "1 added, 1 removed, 0 told at another time, 1 alike" in html


def test_what_began_with_the_last_cycle_has_no_length_and_instants_name_their_zone() -> None:
    newest = int((SPAN.last_at - START) / HOUR)
    made = backtest([incident("a"), incident("b", newest, None)])
    shown = re.findall(r'<span class="right">(.*?)</span>', page(made, Limits()))
    assert shown == ["2026-03-02 00:00 UTC · 5 h", f"{SPAN.last_at:%Y-%m-%d %H:%M} UTC"]
    lines = table_text(made, Limits(), 160).splitlines()
    assert any(
        re.search(rf"{SPAN.last_at:%Y-%m-%d %H:%M} +– WARNING .* b:", line) for line in lines
    )


def test_the_table_of_two_sets_says_in_words_what_becomes_of_each() -> None:
    moved, ends = incident("m", 10, 30), incident("e", 40, 60)
    other = [incident("m", 8, 30), incident("e", 40, 90), incident("n", 70, 75, team="search")]
    text = table_text(backtest([moved, ends], other), Limits(), 200)
    found = re.findall(r"^    (\S.*?) +2026-\d\d-\d\d .* (\w): .*told (\w+)$", text, re.MULTILINE)
    assert found == [
        ("2 h earlier", "m", "growth"),
        ("ends at another time", "e", "growth"),
        ("added", "n", "search"),
    ]
    assert "with checks-new: 1 added · 0 removed · 2 told at another time · 0 alike" in text


CHARTS = Charts(inline, dark_rules(".chart"))
QUICK = Charts(lambda trace: "<svg></svg>", "")
"""Stands for one that takes its time."""


def test_with_the_charts_that_alerts_have_it_still_needs_nothing_else() -> None:
    html = page(backtest([incident("a"), incident("b", 30)]), Limits(), CHARTS)
    tags = read(html).tags
    assert tags.count("svg") == 2
    assert "script" not in tags
    assert not re.search(r"https?://|url\((?!#)", html)
    assert "rows by the hour they were" in html
    assert "prefers-color-scheme: dark" in html
    assert len(html) < 2 * 60_000


def test_no_two_things_of_a_page_with_charts_share_a_name() -> None:
    html = page(backtest([incident("a"), incident("b", 30)]), Limits(), CHARTS)
    names = re.findall(r'\bid="([^"]+)"', html)
    assert len(names) == len(set(names))


def test_of_many_incidents_some_have_a_chart_more_a_plain_drawing_and_the_page_says_so() -> None:
    many = [incident(f"i{i}", i) for i in range(MOST_DRAWINGS + 7)]
    html = page(backtest(many), Limits(), QUICK)
    assert html.count('<div class="chart">') == MOST_CHARTS
    assert html.count('<div class="plain">') == MOST_DRAWINGS - MOST_CHARTS
    assert f"{MOST_CHARTS} incidents have the chart that alerts have too" in html
    assert "7 more have no drawing" in html


def test_the_worst_incidents_are_those_with_a_chart() -> None:
    worst = result(severity=Severity.CRITICAL)
    many = [incident(f"i{i}", i) for i in range(MOST_CHARTS)]
    html = page(backtest([*many, incident("bad", 99, worst=worst)]), Limits(), QUICK)
    card = html[html.index('id="i-bad-99"') :]
    assert card.index('<div class="chart">') < card.index("</svg>")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_place(name: str) -> None:
    def made(name: str) -> str:
        one = incident("a", team=name, opened=result(name, summary=name), worst=result(name))
        return page(backtest([one], name=name), Limits())

    html = made(name)
    assert read(html).tags == read(made("harmless")).tags
    html.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)


@given(
    counts=st.lists(st.floats(0, 1e12), min_size=1, max_size=400),
    step=st.sampled_from([HOUR, timedelta(days=1)]),
    begin=st.integers(-50, 500),
    end=st.none() | st.integers(0, 900),
)
def test_every_drawing_is_well_formed_and_stays_inside(
    counts: list[float], step: timedelta, begin: int, end: int | None
) -> None:
    made = Picture(START, step, tuple(counts), ((START, counts[0]),))
    one = incident("a", begin, None if end is None else begin + end)
    svg = drawing(made, one, START + 400 * HOUR)
    root = ElementTree.fromstring(svg)
    numbers = [
        float(each)
        for path in root.iter("path")
        for each in re.findall(r"-?\d+(?:\.\d+)?", path.attrib["d"])
    ]
    assert all(-1 <= n <= 761 for n in numbers)
    assert "nan" not in svg
    assert "inf" not in svg
