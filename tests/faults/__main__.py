"""``python -m tests.faults``: runs the fault plan, several faults side by side, and prints one table.

The exit code is 1 where anything failed, was lost or was told twice, where the ledger has a hole, where
nothing ran for more than five seconds though it could, and where a case was skipped: what was not tried
is no pass. A dash is a number that has no meaning for its fault.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.faults.figures import Tally, counted
from tests.faults.plan import PLAN, Fault, Try

_SAYING = Lock()
_LONGEST = 900.0
"""Seconds after which one try is ended: it hangs."""
ROOM = 8 * 2**30
"""Bytes that all tries side by side need at most."""


def main() -> int:
    """0: everything was tried, and nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="such as F11,F13")
    parser.add_argument("--long", action="store_true", help="also what takes ten minutes and more")
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 2,
        help="tries side by side (one a core); half as many whose numbers are no times run beside "
        "them, and leave them the cores",
    )
    of = parser.parse_args()
    wanted = {key.strip().upper() for key in of.only.split(",") if key.strip()}
    unknown = wanted - {fault.key for fault in PLAN}
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = [fault for fault in PLAN if not wanted or fault.key in wanted]
    began = time.monotonic()
    tallies = tried(chosen, of.jobs, long=of.long)
    print("\n".join(table(chosen, tallies)))
    _, load, _ = os.getloadavg()
    print(
        f"{time.monotonic() - began:.0f} s on {os.cpu_count()} cores, {of.jobs} tries side by side, "
        f"and {max(1, of.jobs // 2)} behind them; "
        f"{load:.1f} threads wanted to run in the last five minutes"
    )
    return 0 if verdict_of_all(tallies) else 1


def tried(faults: Sequence[Fault], jobs: int, *, long: bool) -> dict[str, Tally]:
    """Everything, what takes longest first."""
    work = [(f.key, each) for f in faults for each in f.tries + (f.long if long else ())]
    work.sort(key=lambda one: -one[1].seconds)
    found: dict[str, Tally] = {fault.key: Tally() for fault in faults}
    with ThreadPoolExecutor(jobs) as pool, ThreadPoolExecutor(max(1, jobs // 2)) as behind:
        runs = [
            (behind if each.steps_back else pool).submit(_run, (key, each)) for key, each in work
        ]
        for (key, _), run in zip(work, runs, strict=True):
            found[key] += run.result()
    return found


def _run(work: tuple[str, Try]) -> Tally:
    """One pytest. Without a report, all of it failed."""
    key, of = work
    with tempfile.TemporaryDirectory(prefix="eventwatch-faults-", dir=_roomy()) as folder:
        report = Path(folder) / "report.xml"
        command = ["nice", "-n", "15"] if of.steps_back else []
        command += [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-o", "junit_family=xunit1"]
        command += [f"--junitxml={report}", "--basetemp", f"{folder}/tmp", *of.tests]
        if os.geteuid() == 0:
            command += [f"--deselect={test}" for test in of.never_as_root]
        env = {**os.environ, "EVENTWATCH_SLOW": "1", "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_LONGEST + of.seconds,
                check=False,
            )
            code, said = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            code, said = 1, f"{error}\n{error.output}"
        tally = counted(report.read_text("utf-8"), code) if report.exists() else Tally(failed=1)
    with _SAYING:
        names = " ".join(test.rpartition("/")[2] for test in of.tests)
        print(f"{key:<4}{tally.seconds:5.0f} s  {verdict(tally):<8} {names}", flush=True)
        if not tally.good:
            print(f"{said}\n{tally}", flush=True)
    return tally


def _roomy() -> Path | None:
    """Memory, where there is enough: a disk that others keep busy is no fault of the daemon's. None:
    the system's folder for such things."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM else None


def verdict(of: Tally) -> str:
    """In one word."""
    if not of.good:
        return "FAILED"
    return "skipped" if of.skipped else "ok" if of.tried else "NOTHING"


def verdict_of_all(tallies: Mapping[str, Tally]) -> bool:
    """Whether all of it was tried and is well."""
    return all(verdict(tally) == "ok" for tally in tallies.values())


def table(chosen: Sequence[Fault], tallies: Mapping[str, Tally]) -> list[str]:
    """One line a fault."""
    lines = [
        f"{'fault':<38}{'tried':>8}{'lost':>6}{'twice':>7}{'holes':>7}{'stall':>8}{'skipped':>9}"
        "  verdict"
    ]
    for fault in chosen:
        of = tallies[fault.key]
        lost, twice, holes = (
            "-" if n is None else f"{n:,}" for n in (of.lost, of.duplicated, of.holes)
        )
        stall = "-" if of.stall is None else f"{of.stall:.1f} s"
        lines.append(
            f"{fault.key:<4} {fault.words:<33}{of.tried:>8,}{lost:>6}{twice:>7}{holes:>7}{stall:>8}"
            f"{of.skipped:>9}  {verdict(of)}"
        )
    wrong = sum(verdict(tallies[fault.key]) != "ok" for fault in chosen)
    return [*lines, f"{len(chosen)} faults: {wrong} not as they must be"]


if __name__ == "__main__":
    sys.exit(main())
