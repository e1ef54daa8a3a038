"""``python -m tests.faults``: runs the fault plan and prints one table.

A dash is a number that the tests of this fault assert and do not give. "in part" says that the plan
asks for more than is tried here; it is no pass, and the last line counts it. The exit code is that of
what was tried: 1 where anything failed, was lost, or was told twice.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.delivery_proof.proof import by_token, by_webhook, sqlite_in
from tests.delivery_proof.storm import storm
from tests.faults.plan import PLAN, Fault


@dataclass(frozen=True)
class Tally:
    """What came of one fault. None: not counted, only asserted."""

    tried: int = 0
    failed: int = 0
    skipped: int = 0
    lost: int | None = None
    duplicated: int | None = None

    @property
    def good(self) -> bool:
        """Nothing that was tried went wrong."""
        return not (self.failed or self.lost or self.duplicated)


def main() -> int:
    """0: nothing that was tried went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="such as F11,F13")
    parser.add_argument("--kills", type=int, default=300, help="of senders, for F2 and F3 (300)")
    parser.add_argument("--storm", type=int, default=10_000, help="messages, for F4 (10000)")
    parser.add_argument(
        "--long", action="store_true", help="with the pause of ten minutes, for F16"
    )
    of = parser.parse_args()
    wanted = {key.strip().upper() for key in of.only.split(",") if key.strip()}
    unknown = wanted - {fault.key for fault in PLAN}
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = [fault for fault in PLAN if not wanted or fault.key in wanted]
    tallies = {f.key: tried_by_tests(f, long=of.long) for f in chosen if f.tests}
    tallies |= delivered({fault.key for fault in chosen}, of.kills, of.storm)
    print("\n".join(table(chosen, tallies)))
    return 0 if all(tally.good for tally in tallies.values()) else 1


def tried_by_tests(fault: Fault, *, long: bool) -> Tally:
    """Each case of pytest is one try. Without a report, the whole fault failed."""
    print(f"{fault.key} {fault.words}", flush=True)
    tests = fault.tests + (fault.long if long else ())
    with tempfile.TemporaryDirectory(prefix="eventwatch-faults-") as folder:
        report = Path(folder) / "report.xml"
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *tests],
            env={**os.environ, "EVENTWATCH_SLOW": "1", "OMP_NUM_THREADS": "1"},
            check=False,
        ).returncode
        if not report.exists():
            return Tally(failed=1)
        return counted(report.read_text("utf-8"), code)


def counted(report: str, code: int) -> Tally:
    """The numbers of a JUnit report. An exit code that no case explains is a failure."""
    suites = list(ElementTree.fromstring(report).iter("testsuite"))

    def total(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    tried = total("tests") - skipped
    if not failed and (code or not tried):
        failed = 1
    return Tally(tried=tried, failed=failed, skipped=skipped)


def delivered(keys: set[str], kills: int, size: int) -> dict[str, Tally]:
    """F2 and F3 are one run: kills at named points while Slack answers badly."""
    found: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory(prefix="eventwatch-faults-") as folder:
        if keys & {"F2", "F3"}:
            of = by_token(sqlite_in(Path(folder)), kills)
            hook = by_webhook(sqlite_in(Path(folder)), max(1, kills // 10))
            lost = len(of.lost) + len(hook.lost)
            wrong = len(of.unfinished) + len(hook.unfinished) + len(of.missed)
            wrong += (of.integrity != "ok") + (hook.integrity != "ok")
            # A webhook cannot be asked what it took, so what may repeat there says so.
            faulty = sum(of.faults.values()) + sum(hook.faults.values())
            for key, tried in (("F2", of.kills + hook.kills), ("F3", faulty)):
                if key in keys:
                    found[key] = Tally(tried, wrong, 0, lost, len(of.duplicated))
        if "F4" in keys:
            rain = storm(sqlite_in(Path(folder)), size)
            wrong = rain.rejected + rain.misrouted + (rain.slowest < 0.8)
            wrong += rain.while_limited / max(1, rain.asked) > 0.01
            found["F4"] = Tally(rain.size, wrong, 0, len(rain.lost), len(rain.duplicated))
    return found


def table(chosen: list[Fault], tallies: Mapping[str, Tally]) -> list[str]:
    """One line a fault. Holes and stalls are asserted by their tests and have no figure."""
    lines = [
        f"{'fault':<37}{'tried':>7}{'failed':>7}{'skipped':>8}{'lost':>6}{'twice':>6}"
        f"{'holes':>6}{'stall':>6}  verdict"
    ]
    partly = 0
    for fault in chosen:
        of = tallies.get(fault.key)
        verdict = "ok" if of is not None and of.good else "FAILED"
        if of is None:
            of, verdict = Tally(), "not tried"
        missing = fault.missing or ("cases skipped" if of.skipped else "")
        if missing and verdict != "FAILED":
            partly += 1
            verdict = f"{'in part' if of.tried else verdict}; missing: {missing}"
        lost, twice = ("-" if n is None else str(n) for n in (of.lost, of.duplicated))
        lines.append(
            f"{fault.key:<4} {fault.words:<32}{of.tried:>7,}{of.failed:>7}{of.skipped:>8}"
            f"{lost:>6}{twice:>6}{'-':>6}{'-':>6}  {verdict}"
        )
    failed = sum(not tally.good for tally in tallies.values())
    return [*lines, f"{len(chosen)} faults: {failed} failed, {partly} not or only partly tried"]


if __name__ == "__main__":
    sys.exit(main())
