"""``python -m tests.delivery_proof``: kills, faulty replies, storm size, lost, duplicated."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from tests.delivery_proof.proof import Figures, by_token, by_webhook, postgres_on, sqlite_in
from tests.delivery_proof.storm import StormFigures, storm


def main() -> int:
    """0: nothing was lost and nothing twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.delivery_proof", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000, help="by token (1000)")
    parser.add_argument("--webhook-kills", type=int, default=100, help="by webhook (100)")
    parser.add_argument("--storm", type=int, default=10_000, help="rows that wait at once (10000)")
    parser.add_argument("--short", action="store_true", help="60 kills and 1,000 rows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--state", help="URL of a PostgreSQL server, instead of SQLite; databases are made there"
    )
    of = parser.parse_args()
    if of.short:
        of.kills, of.webhook_kills, of.storm = 60, 15, 1_000
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="eventwatch-proof-"))
        good = []

        def state() -> str:
            if of.state:
                return stack.enter_context(postgres_on(of.state))
            return sqlite_in(Path(folder))

        if of.kills:
            print(f"{of.kills} kills by token", flush=True)
            good.append(show("by token", by_token(state(), of.kills, seed=of.seed), once=True))
        if of.webhook_kills:
            print(f"{of.webhook_kills} kills by webhook", flush=True)
            good.append(show("by webhook", by_webhook(state(), of.webhook_kills), once=False))
        if of.storm:
            print(f"a storm of {of.storm:,}", flush=True)
            good.append(show_storm(storm(state(), of.storm)))
    print("PASSED" if all(good) else "FAILED")
    return 0 if all(good) else 1


def show(title: str, of: Figures, *, once: bool) -> bool:
    """Prints and judges. ``once``: nothing may be there twice."""
    faulty = sum(of.faults.values())
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(of.faults.items()))
    points = {p: n for p, n in of.at_points.items() if p != "random"}
    print(f"\n{title}: {of.seconds:.0f} s, state {of.integrity}")
    print(f"  kills            {of.kills:,}")
    if points:
        print(f"    at named points {sum(points.values()):,} at {len(points)} points")
        print(f"    at random       {of.at_points.get('random', 0):,}")
        for point in of.missed:
            print(f"    never passed    {point}")
    print(f"  rows             {of.rows:,}; messages accepted {of.accepted:,}")
    print(f"  faulty replies   {faulty:,} ({kinds})")
    print(f"  checked          {of.expected:,}")
    print(f"  lost             {len(of.lost):,} {of.lost[:5] or ''}")
    print(
        f"  duplicated       {len(of.duplicated):,} {of.duplicated[:5] if once else '(each says so)'}"
    )
    for line in of.unfinished[:5]:
        print(f"  unfinished       {line}")
    print(flush=True)
    clean = not of.lost and not of.unfinished and of.integrity == "ok"
    missed = bool(points) and bool(of.missed)
    return clean and not missed and (not once or not of.duplicated)


def show_storm(of: StormFigures) -> bool:
    """Prints and judges."""
    share = of.while_limited / max(1, of.asked)
    print(f"\nstorm: {of.seconds:.0f} s")
    print(f"  storm size       {of.size:,} rows in {of.owners} channels")
    print(f"  lost             {len(of.lost):,}")
    print(f"  duplicated       {len(of.duplicated):,}")
    print(f"  rejected (size)  {of.rejected:,}; in a wrong channel {of.misrouted:,}")
    print(f"  while limited    {of.while_limited:,} of {of.asked:,} requests ({share:.2%})")
    print(
        f"  one channel was closed for {of.limited_for:.0f} s: the slowest of {of.calm} others that "
        f"met no fault had {of.slowest:.0%} of the others' mean",
        flush=True,
    )
    clean = not (of.lost or of.duplicated or of.rejected or of.misrouted)
    return clean and share <= 0.01 and of.slowest >= 0.8


if __name__ == "__main__":
    sys.exit(main())
