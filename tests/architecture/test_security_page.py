"""docs/security.md names code and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| S\d", line)
]


def test_every_rule_stands_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [f"S{i}" for i in range(1, 23)]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_rule_names_exists(row: list[str]) -> None:
    code, proofs = (re.findall(r"`([^`]+)`", cell) for cell in row[2:])
    assert code
    assert proofs
    for path in code:
        assert (ROOT / "src" / "eventwatch" / path).exists() or (ROOT / path).exists(), path
    for proof in proofs:
        file, _, name = proof.partition("::")
        assert re.search(rf"\bdef {name}\(", (ROOT / file).read_text(encoding="utf-8")), proof
