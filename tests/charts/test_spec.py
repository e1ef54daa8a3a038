"""The specification that every picture is made from."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.alerting.escape import plain
from eventwatch.charts.render import ready, spec, spec_text
from eventwatch.charts.spec import DARK, HEIGHT, LIGHT, SENTENCE, TITLE, WIDTH, Look
from eventwatch.charts.text import columns, lines_of, title_of
from eventwatch.model.errors import ConfigError
from eventwatch.model.trace import Mark, Trace
from tests.fakes import traces
from tests.fakes.hostile_names import HOSTILE


def marks(document: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for layer in document["layer"]:
        if "layer" in layer:
            found += marks(layer)
        else:
            found.append(layer["mark"]["type"])
    return found


def axis(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        layer["encoding"][name] for layer in document["layer"] if name in layer.get("encoding", {})
    )
    return found


@pytest.mark.parametrize("made", [traces.trace(), traces.with_gaps(), traces.by_day()])
def test_it_is_a_valid_vega_lite_document_of_a_fixed_size(made: Trace) -> None:
    import altair as alt

    document = spec(made)
    alt.LayerChart.from_dict(document, validate=True)
    assert (document["width"], document["height"]) == (WIDTH, HEIGHT)
    assert document["autosize"] == {"type": "fit", "contains": "padding"}


def test_it_shows_what_is_bad_the_range_what_was_expected_what_was_seen_and_the_open_end() -> None:
    assert marks(spec(traces.trace())) == ["rect", "area", "area", "line", "line", "line", "point"]


def test_below_a_heading_that_says_what_happened_the_title_is_a_caption() -> None:
    alone, below = spec(traces.trace()), spec(traces.trace(sentence=""))
    assert (
        below["title"]["fontSize"] < alone["title"]["subtitleFontSize"] < alone["title"]["fontSize"]
    )
    assert below["title"]["color"] == LIGHT.faint


def test_without_trouble_nothing_is_marked() -> None:
    calm = replace(traces.trace(), bad=(), open_until=None)
    assert marks(spec(calm)) == ["area", "line", "line"]


def test_counts_begin_at_0_and_the_end_of_time_is_where_the_bucket_has_come_to() -> None:
    made = traces.trace()
    document = spec(made)
    assert axis(document, "y")["scale"]["domain"][0] == 0
    assert made.open_until is not None
    assert axis(document, "x")["scale"]["domain"][1] == int(made.open_until.timestamp())


def test_the_axis_of_time_names_local_days() -> None:
    document = axis(spec(traces.trace()), "x")["axis"]
    assert '"Tue 3"' in document["labelExpr"]
    assert traces.ZONE in document["title"]


def test_a_bucket_of_which_nothing_is_known_is_a_gap_and_not_a_zero() -> None:
    document = spec(traces.with_gaps())
    lines = [each for each in document["layer"] if each.get("mark", {}).get("type") == "line"]
    rows = [document["datasets"][each["data"]["name"]] for each in lines if "name" in each["data"]]
    rows += [each["data"]["values"] for each in lines if "values" in each["data"]]
    seen = next(points for points in rows if {p["run"] for p in points} == {0, 1})
    start = int(traces.START.timestamp())
    assert not [p for p in seen if start + 10 * 3600 < p["t"] < start + 14 * 3600]


def test_it_holds_its_data_and_asks_for_nothing() -> None:
    text = spec_text(traces.with_gaps())
    document = json.loads(text)
    document.pop("$schema")
    assert '"url"' not in json.dumps(document)
    assert "http" not in json.dumps(document)


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_text_is_a_few_short_lines_of_visible_letters(name: str) -> None:
    title = title_of(name, TITLE)
    assert title.strip()
    assert len(title) <= TITLE
    lines = lines_of(name * 3, SENTENCE, 2)
    assert len(lines) <= 2
    assert all(columns(line) <= SENTENCE for line in lines)
    assert all(part.isprintable() for part in (title, *lines))


@pytest.mark.parametrize(
    "name", ["', evil()]//", '"}) || alert(1)', "\u202e\x00\ud800", "a" * 5000]
)
def test_foreign_text_stands_only_where_text_is_shown(name: str) -> None:
    mark = (Mark(traces.START + timedelta(hours=30), name),)
    made = replace(traces.trace(name, name), marks=mark)
    document, usual = spec(made), spec(replace(traces.trace(), marks=mark))
    assert axis(document, "x") == axis(usual, "x")
    assert axis(document, "y") == axis(usual, "y")
    assert document["title"]["text"] == title_of(name, TITLE)
    assert spec_text(made).isascii()


@given(st.text(), st.integers(2, 90), st.integers(1, 4))
def test_lines_hold_the_text_as_far_as_it_fits(text: str, width: int, most: int) -> None:
    lines = lines_of(text, width, most)
    assert len(lines) <= most
    assert all(columns(line) <= width for line in lines)
    whole = plain(text).strip()
    if columns(whole) <= width and whole:
        assert lines == [whole]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_letters_and_lines_can_be_told_from_their_ground(look: Look) -> None:
    ground = luminance(look.ground)

    def contrast(colour: str) -> float:
        high, low = sorted((luminance(colour), ground), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert min(map(contrast, (look.text, look.faint, look.line, look.bad))) >= 4.5
    assert contrast(look.expected) >= 3


@pytest.mark.parametrize("package", ["altair", "vl_convert"])
def test_without_the_extra_the_error_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=r"pip install 'eventwatch\[charts\]'"):
        ready()
