from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eventwatch.config.interpolate import interpolate
from eventwatch.config.tree import compose

HERE = Path()


def value(text: str, **env: str) -> object:
    tree, faults = interpolate(compose(f"a: {text}", "f"), env, HERE)
    assert faults == ()
    return tree.value["a"]


def fault(text: str, **env: str) -> str:
    _, (found,) = interpolate(compose(f"a: {text}", "f"), env, HERE)
    return str(found)


def test_names_are_replaced_anywhere_inside_a_text() -> None:
    assert value('"x://u:${PG_PASSWORD}@${HOST}/d"', PG_PASSWORD="p", HOST="h") == "x://u:p@h/d"


def test_an_unset_name_is_named() -> None:
    assert fault("${NOPE}") == (
        "f:1: a: the environment variable NOPE is not set; set it before starting eventwatch"
    )


def test_an_empty_name_is_a_fault_too() -> None:
    assert "NOPE is empty" in fault("${NOPE}", NOPE="")


def test_a_default_stands_in_for_unset_and_empty() -> None:
    assert value('"${A:-x y}"') == "x y"
    assert value('"${A:-x}"', A="") == "x"
    assert value('"${A:-x}"', A="b") == "b"


def test_two_dollars_are_the_characters_themselves() -> None:
    assert value('"$${HOME}"', HOME="h") == "${HOME}"


def test_a_value_is_never_parsed_again() -> None:
    assert value("${A}", A="x\nadmin: true") == "x\nadmin: true"
    assert value("${A}", A="${B}", B="b") == "${B}"
    assert value("${A}", A="true") == "true"


def test_only_whole_names_in_capitals_are_read() -> None:
    for text in ('"${home}"', '"${A B}"', '"${A.b}"', '"${}"', '"${A:+x}"', '"${HOME"'):
        assert "write $" in fault(text, HOME="secret")


def test_a_dollar_alone_is_a_dollar() -> None:
    assert value('"$HOME costs 5$"', HOME="h") == "$HOME costs 5$"


def test_keys_are_left_alone() -> None:
    tree, faults = interpolate(compose('"${A}": 1', "f"), {}, HERE)
    assert (tree.value, faults) == ({"${A}": 1}, ())


def test_a_file_gives_its_text_without_the_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    tree, faults = interpolate(compose('a: "${file:token}"', "f"), {}, tmp_path)
    assert (tree.value, faults) == ({"a": "s3cret"}, ())


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = 'a: ["${file:none}", "${file:empty}", "${file:binary}"]'
    _, faults = interpolate(compose(text, "f"), {}, tmp_path)
    assert [f.message.split(" file ")[1].split()[0] for f in faults] == [
        "'none'",
        "'empty'",
        "'binary'",
    ]


def test_what_was_written_is_remembered() -> None:
    tree, _ = interpolate(compose('a: [1, "${B}"]', "f"), {"B": "b"}, HERE)
    assert tree.written == {("a", 1): "${B}"}


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_text_comes_through_whole(text: str) -> None:
    assert value("${A}", A=text) == text


@given(st.text(min_size=8, alphabet="abcdefgh"))
def test_faults_never_hold_a_value(secret: str) -> None:
    assert secret not in fault('"${A} ${B}"', A=secret)
