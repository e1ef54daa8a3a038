"""One of a thing is one, and none or many are many."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import eventwatch
from eventwatch.model.counting import counted

# A number with an s behind it, in a text that nothing chooses by how many there are.
_FIXED = re.compile(
    r"\{(?:len\([^}]*\)|[\w.]*count)(?::,)?\} "
    r"(?:exposure|incident|event type|alert|contract|team|message|fault|silence|file|cycle)s\b"
)


def test_one_is_one() -> None:
    assert counted(1, "fault") == "1 fault"
    assert counted(0, "fault") == "0 faults"
    assert counted(1_200, "delivery", "deliveries") == "1,200 deliveries"


def test_no_text_puts_an_s_behind_any_number() -> None:
    found = []
    for file in sorted(Path(eventwatch.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and _FIXED.search(ast.unparse(node)):
                found.append(f"{file.name}:{node.lineno}: {ast.unparse(node)}")
    # Where one was excluded before.
    known = ("contracts name", "messages look like the envelope", "weeks of")
    assert [one for one in found if not any(word in one for word in known)] == []
