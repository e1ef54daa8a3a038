from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.config.tree import LARGEST, MOST_NODES, Tree, compose, dotted, read_yaml
from eventwatch.model.errors import ConfigError


def faults(text: str) -> list[str]:
    try:
        compose(text, "f")
    except ConfigError as error:
        return [str(f) for f in error.faults]
    return []


def test_every_key_and_item_knows_its_line() -> None:
    tree = compose("a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", "f")
    assert tree.value == {"a": {"b": 1, "c": ["x", {"y": 2}]}}
    assert tree.line(("a", "c", 1, "y")) == 5
    assert tree.line(("a", "c", 0)) == 4
    assert tree.line(("a", "missing")) == 1


def test_a_key_that_stands_twice_is_refused_with_both_lines() -> None:
    assert faults("owner: team-a\nx: 1\nowner: team-b\n") == [
        "f:3: owner: 'owner' stands twice in one mapping, first on line 1"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("~", None),
        ("1e3", 1000.0),
        ("-5", -5),
        ("'5'", "5"),
        ("", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = compose(f"a: {text}\n", "f").value["a"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!binary", "!x", "!!str"])
def test_tags_are_refused(tag: str) -> None:
    assert "tags are not read here" in faults(f"a: {tag} x")[0]


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", "1e999", "9" * 5000])
def test_numbers_that_are_not_finite_or_far_too_long_are_refused(text: str) -> None:
    assert len(faults(f"a: {text}")) == 1


def test_a_bomb_of_aliases_ends_at_the_limit() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    began = time.monotonic()
    assert f"more than {MOST_NODES:,} values" in faults("\n".join(lines))[0]
    assert time.monotonic() - began < 1


def test_aliases_may_be_used_and_are_shared() -> None:
    tree = compose("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", "f")
    assert tree.value == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]}
    assert tree.line(("c", "b")) == 2


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x\n  b: *x"])
def test_an_alias_of_what_it_stands_in_is_refused(text: str) -> None:
    assert "stands inside what it stands for" in faults(text)[0]


def test_an_alias_without_an_anchor_is_refused() -> None:
    assert faults("a: *nope") == ["f:1: there is no anchor &nope before this alias"]


def test_aliases_cannot_be_nested_deeper_than_the_limit() -> None:
    chain = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    assert "nested deeper" in faults("\n".join(chain))[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_a_fault_and_not_a_recursion(opening: str) -> None:
    assert "nested deeper than 50" in faults(opening * 5000)[0]


def test_a_long_flow_list_ends_at_the_limit_at_once() -> None:
    began = time.monotonic()
    assert "more than 10,000 values" in faults("[" + "1," * 400_000 + "1]")[0]
    assert time.monotonic() - began < 5


def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"a: " + b"x" * LARGEST)
    with pytest.raises(ConfigError, match="larger than"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1", 1),
        ("ok: 1\na: b: c", 2),
        ("a: 1\n\tb: 2", 2),
        ("a: 1\nb: @x", 2),
        ("a: 1\nb: \x01", 2),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line(text: str, line: int) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"f:{line}:")


def test_faults_of_form_never_quote_the_line() -> None:
    assert "hunter2" not in faults("token: hunter2: x\n  bad")[0]


@pytest.mark.parametrize("text", ["1: x", "true: x", "null: x", "? [a]\n: x", "? {a: b}\n: x"])
def test_keys_are_texts(text: str) -> None:
    assert "a key must be text" in faults(text)[0]


def test_merge_keys_are_refused_and_not_taken_for_a_setting() -> None:
    assert "merge keys" in faults("a: &a {b: 1}\nc:\n  <<: *a\n")[0]


def test_a_second_document_is_refused() -> None:
    assert faults("a: 1\n---\nb: 2\n") == ["f:2: only one YAML document is read per file"]


def test_lone_surrogates_are_refused() -> None:
    assert "surrogate" in faults('a: "\\ud800"')[0]
    assert len(faults('a: "\\UFFFFFFFF"')) == 1


def test_bytes_that_are_not_utf_8_are_said_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    (fault,) = caught.value.faults
    assert (fault.line, fault.message) == (2, "is not UTF-8 text; save it as UTF-8")


def test_faults_of_form_are_collected() -> None:
    assert len(faults("a: 1\na: 2\nb: !x 3\n5: x\n")) == 3


@given(st.text(max_size=200))
def test_any_text_is_a_tree_or_faults(text: str) -> None:
    assert faults(text) or isinstance(compose(text, "f"), Tree)


# JSON escapes what lies beyond as two halves of a pair, which YAML does not put together.
_text = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=10)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=20,
)


@given(_plain)
def test_what_another_writer_writes_is_read_back(value: object) -> None:
    import json

    text = json.dumps({"a": value})
    if "<<" not in text:
        assert compose(text, "f").value == {"a": value}


def test_places_are_written_as_people_write_them() -> None:
    assert dotted(("exposures", "a", "dimensions", 1, "cap")) == "exposures.a.dimensions[1].cap"
