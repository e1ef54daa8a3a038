"""F23, cut short: minutes of the soak that runs for half an hour by itself (``benchmarks/soak.py``).

Whether memory grows is for the long one: these minutes are all warm-up.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.figures import Figures

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"(?P<what>.{50}) (?P<seen>.{28}) (?:ok|BAD)", re.ASCII)


@pytest.mark.slow
def test_three_minutes_of_everything_at_once(figures: Figures) -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/soak.py", "--minutes", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    found = {m["what"].strip(): m["seen"].split() for m in map(_LINE.fullmatch, lines(done)) if m}
    print(done.stdout)
    assert found, done.stdout + done.stderr
    (faults,) = (line for line in lines(done) if line.startswith("faults: "))
    figures.tried(sum(map(int, re.findall(r"\d+", faults))))
    figures.holes(int(found["holes in the slot ledgers"][0]))
    accepted, twice = map(int, found["messages accepted by Slack, and twice"])
    assert accepted
    figures.messages([], ["a message"] * twice)
    early, late = map(float, found["descriptors, median of early and late"])
    assert late <= early + 2
    assert found["stop, exit code and seconds"][0] == "0"
    assert float(found["stop, exit code and seconds"][1]) <= 8


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stdout.splitlines()
