"""Lets the daemon run for long among faults, and says whether it grows.

    python benchmarks/soak.py [--minutes 30] [--every 10] [--plot soak.png] [--out soak.json]

Twenty DuckDB files with 25 event types each (500 series), a schedule of ten minutes at 60 times its
speed (a cycle of each every ten seconds; 30 real minutes stand for 30 hours of cycles), rows that go
on coming, and things that go wrong at random: Slack that limits, drops and fails, files that are gone
or locked by a loader, event types that stop, reloads. Time itself is not scaled: no midnight passes.
Prints a table with verdicts; exit code 1 where one is bad.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from eventwatch.model.settings import Secret  # noqa: E402
from tests.fakes.slack import TOKEN, Channel, FakeSlack  # noqa: E402
from tests.fakes.slack_limits import Fault  # noqa: E402
from tests.faults.watched import QUICK, holes, ledger, longest_stall  # noqa: E402

EXPOSURES, TYPES, DAYS = 20, 25, 8
SPEED = 60.0
WARM_UP = 0.25
"""Part of the run that is left out of the slope: caches fill, threads start, pools open."""
MOST_SLOPE_MB = 1.0
"""Per simulated hour."""
HEAD = 'syntax = "proto3";\npackage soak;\nimport "eventwatch/contract/v1/options.proto";\n'


@dataclass(frozen=True)
class Sample:
    """The process at one moment; ``hours`` are simulated."""

    hours: float
    rss_mb: float
    descriptors: int
    threads: int
    state_mb: float
    history_mb: float
    cpu_seconds: float


@dataclass(frozen=True)
class Kept:
    """What the daemon wrote down, on which schedule, and up to where it is looked at."""

    state: Secret
    every: float
    until: datetime


class Shop:
    """Twenty tables, their contracts and a config in a folder."""

    def __init__(self, folder: Path, slack: FakeSlack, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.lock = threading.Lock()
        self.stopped: set[tuple[int, int]] = set()
        self.fed = time.time()
        (folder / "contracts").mkdir()
        (folder / "checks").mkdir()
        self._contracts()
        names = [self.name(i) for i in range(EXPOSURES)]
        exposures = "".join(
            f"  {name}:\n    connection: duckdb://{self.file(i)}\n    table: events\n"
            "    columns: {event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at,"
            " event_id: event_id}\n    look_back: 7d\n"
            for i, name in enumerate(names)
        )
        where = f'{{token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.base_url}"}}'
        (folder / "config.yaml").write_text(
            "contracts: {source: contracts/}\n"
            f"exposures:\n{exposures}"
            "teams: {data-platform: {slack_channel: '#data-platform'}}\n"
            f"notify: {{fallback_team: data-platform, slack: {where}}}\n"
            "state: sqlite:///var/state.db\nhistory: var/history\n"
        )
        now = int(time.time())
        for i in range(EXPOSURES):
            with duckdb.connect(str(self.file(i))) as con:
                con.execute(
                    "CREATE TABLE events (event_id VARCHAR, event_type VARCHAR, "
                    "occurred_at TIMESTAMP, loaded_at TIMESTAMP)"
                )
                for t in range(TYPES):
                    self._insert(con, i, t, now - DAYS * 86400, now)

    def name(self, exposure: int) -> str:
        """As the config calls it."""
        return f"events_{exposure:02d}"

    def file(self, exposure: int) -> Path:
        """Its table."""
        return self.folder / f"{self.name(exposure)}.duckdb"

    def rate(self, kind: int) -> float:
        """Rows an hour: a busy type, and others down to a few."""
        return 1200.0 if kind == 0 else 120.0 / kind

    def feed(self) -> None:
        """The rows since the last time, as a loader writes them."""
        now = time.time()
        for i in range(EXPOSURES):
            try:
                with self.lock, duckdb.connect(str(self.file(i))) as con:
                    for t in range(TYPES):
                        if (i, t) not in self.stopped:
                            self._insert(con, i, t, self.fed, now)
            except duckdb.Error:
                continue  # gone for now, by our own doing
        self.fed = now

    def _insert(
        self, con: duckdb.DuckDBPyConnection, exposure: int, kind: int, since: float, until: float
    ) -> None:
        count = (until - since) / 3600.0 * self.rate(kind)
        rows = int(count) + (self.chance.random() < count % 1.0)
        if rows:
            con.execute(
                f"INSERT INTO events SELECT uuid()::VARCHAR, 'type_{exposure:02d}_{kind:02d}', moment, "
                f"least(moment + INTERVAL 20 SECOND, make_timestamp({int(until * 1e6)})) FROM (SELECT "
                f"make_timestamp(({int(since * 1e6)} + random() * {(until - since) * 1e6})::BIGINT) "
                f"AS moment FROM range({rows}))"
            )

    def _contracts(self) -> None:
        teams = "".join(
            f"  TEAM_TEAM_{n} = {n + 1} [(eventwatch.contract.v1.team) = "
            f'{{ slack_channel: "#team-{n}" }}];\n'
            for n in range(10)
        )
        events = "".join(
            f"message Type{i:02d}N{t:02d} {{\n  option (eventwatch.contract.v1.event) = "
            f'{{ owner {{ team: "team-{(i + t) % 10}" }} event_type: "type_{i:02d}_{t:02d}" '
            'description: "Made up." };\n}\n'
            for i in range(EXPOSURES)
            for t in range(TYPES)
        )
        text = f"{HEAD}enum Team {{\n  TEAM_UNSPECIFIED = 0;\n{teams}}}\n{events}"
        (self.folder / "contracts" / "events.proto").write_text(text)


class Trouble(threading.Thread):
    """Makes something go wrong every few seconds, one at a time, and puts it right again."""

    def __init__(self, shop: Shop, slack: FakeSlack, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.shop, self.slack, self.process = shop, slack, process
        self.over = threading.Event()
        self.made: Counter[str] = Counter()

    def run(self) -> None:
        kinds = (self.slack_fails, self.gone, self.locked, self.stops, self.reload)
        while not self.over.wait(self.shop.chance.uniform(3, 12)):
            made = self.shop.chance.choices(kinds, weights=(5, 2, 4, 3, 1))[0]
            self.made[made.__name__] += 1
            made()

    def slack_fails(self) -> None:
        """The next few answers: limited, failed, dropped after acceptance, or nonsense."""
        faults = [
            Fault(status=429, retry_after="1.5"),
            Fault(status=503),
            Fault(closes=True, stored=True),
            Fault(truncated=True, stored=True),
            Fault(body="<html>"),
        ]
        self.slack.faults += self.shop.chance.choices(faults, k=3)

    def gone(self) -> None:
        """A file is not there for a while."""
        path = self.shop.file(self.shop.chance.randrange(EXPOSURES))
        aside = path.with_suffix(".aside")
        with self.shop.lock:
            path.rename(aside)
            self.over.wait(self.shop.chance.uniform(5, 25))
            path.unlink(missing_ok=True)
            aside.rename(path)

    def locked(self) -> None:
        """A loader holds a file open for writing."""
        path = self.shop.file(self.shop.chance.randrange(EXPOSURES))
        try:
            with self.shop.lock, duckdb.connect(str(path)):
                self.over.wait(1.5)
        except duckdb.Error:
            return  # the daemon reads it just now

    def stops(self) -> None:
        """A busy event type sends nothing more, or comes back."""
        busy = (self.shop.chance.randrange(EXPOSURES), 0)
        if len(self.shop.stopped) >= 3:
            self.shop.stopped.pop()
        else:
            self.shop.stopped.add(busy)

    def reload(self) -> None:
        """As an operator asks for it."""
        self.process.send_signal(signal.SIGHUP)


def sample(pid: int, folder: Path, since: float) -> Sample:
    """What the kernel and the disk say of the process."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    var = folder / "var"
    state = sum(p.stat().st_size for p in var.glob("state.db*"))
    history = sum(_size(p) for p in (var / "history").rglob("*"))
    return Sample(
        hours=(time.monotonic() - since) * SPEED / 3600.0,
        rss_mb=int(fields["VmRSS"].split()[0]) / 1024.0,
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        threads=int(fields["Threads"]),
        state_mb=state / 2**20,
        history_mb=history / 2**20,
        cpu_seconds=ticks,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def slope(samples: list[Sample], field: str) -> float:
    """Per simulated hour: the median of the slopes between halves (Theil 1950, thinned)."""
    late = [s for s in samples if s.hours >= samples[-1].hours * WARM_UP]
    half = len(late) // 2
    found: float = statistics.median(
        (getattr(b, field) - getattr(a, field)) / (b.hours - a.hours)
        for a, b in zip(late[:half], late[half : 2 * half], strict=True)
    )
    return found


def verdicts(
    samples: list[Sample], shop: Shop, slack: FakeSlack, kept: Kept
) -> list[tuple[str, str, bool]]:
    """What is asked, what was seen, and whether it will do."""
    late = [s for s in samples if s.hours >= samples[-1].hours * WARM_UP]
    slots = {i: ledger(kept.state, shop.name(i)) for i in range(EXPOSURES)}
    # What a stop leaves due is ended by the next start.
    slots = {i: tuple(s for s in of if s.scheduled_at <= kept.until) for i, of in slots.items()}
    open_slots = sum(len(holes(of, kept.every)) for of in slots.values())
    ended = Counter(s.status.value for of in slots.values() for s in of)
    keys = Counter(m.key for m in slack.messages if m.key)
    twice = sum(n - 1 for n in keys.values())
    first, last = late[: len(late) // 4], late[-(len(late) // 4) :]
    files = [statistics.median(s.descriptors for s in part) for part in (first, last)]
    rss = slope(samples, "rss_mb")
    stall = max(longest_stall(of).total_seconds() for of in slots.values())
    return [
        ("RSS, MB per simulated hour", f"{rss:+.2f}", rss < MOST_SLOPE_MB),
        ("RSS, MB, first and last", f"{late[0].rss_mb:.0f} {late[-1].rss_mb:.0f}", True),
        ("descriptors, median of early and late", f"{files[0]:.0f} {files[1]:.0f}",
         files[1] <= files[0] + 2),
        ("threads, most", str(max(s.threads for s in late)), True),
        ("state, MB at the end", f"{samples[-1].state_mb:.1f}", samples[-1].state_mb < 200),
        ("state, MB per simulated hour", f"{slope(samples, 'state_mb'):+.2f}", True),
        ("history, MB at the end", f"{samples[-1].history_mb:.1f}", True),
        ("slots", " ".join(f"{k} {n}" for k, n in sorted(ended.items())), bool(ended)),
        ("holes in the slot ledgers", str(open_slots), open_slots == 0),
        ("longest time between cycles of an exposure, s", f"{stall:.0f}", True),
        ("messages accepted by Slack, and twice", f"{len(keys)} {twice}", twice == 0),
        ("CPU, seconds per simulated hour", f"{slope(samples, 'cpu_seconds'):.1f}", True),
    ]  # fmt: skip


def plot(samples: list[Sample], target: Path) -> None:
    """Memory, descriptors and state over simulated hours, as PNG."""
    import altair as alt
    import pandas as pd
    import vl_convert

    frame = pd.DataFrame([asdict(s) for s in samples])
    parts = []
    for field, title in (
        ("rss_mb", "RSS, MB"),
        ("descriptors", "descriptors"),
        ("state_mb", "state, MB"),
    ):
        parts.append(
            alt.Chart(frame[["hours", field]])
            .mark_line(strokeWidth=1.5)
            .encode(
                alt.X("hours:Q", title="simulated hours"),
                alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=True)),
            )
            .properties(width=720, height=150)
        )
    spec = alt.vconcat(*parts).configure(background="white").to_json()
    target.write_bytes(vl_convert.vegalite_to_png(spec, scale=1.5))


def main() -> int:
    """The table on standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between cycles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path, help="samples as JSON")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    channels = [Channel(f"C0TEAM{n:04d}", f"team-{n}") for n in range(10)]
    channels.append(Channel("C0DATA0001", "data-platform"))
    slack = FakeSlack(channels=channels, limited=True, ticks=True, keeps_requests=False)
    with tempfile.TemporaryDirectory(prefix="eventwatch-soak-") as place, slack.running():
        folder = Path(place)
        print(f"making {EXPOSURES} tables", flush=True)
        shop = Shop(folder, slack, chance)
        log = (folder / "daemon.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, str(QUICK), "config.yaml", str(options.every)],
            cwd=folder, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
                 "SLACK_BOT_TOKEN": TOKEN},
        )  # fmt: skip
        trouble = Trouble(shop, slack, process)
        trouble.start()
        began, samples = time.monotonic(), []
        while time.monotonic() - began < options.minutes * 60:
            time.sleep(5)
            if process.poll() is not None:
                print(f"the daemon ended with {process.returncode}")
                print((folder / "daemon.log").read_text("utf-8", "replace")[-4000:])
                return 1
            shop.feed()
            samples.append(sample(process.pid, folder, began))
            if len(samples) % 60 == 0:
                print(f"{datetime.now(UTC):%H:%M} {samples[-1]}", flush=True)
        until = datetime.now(UTC) - timedelta(seconds=6 * options.every)
        trouble.over.set()
        trouble.join(30)
        process.send_signal(signal.SIGTERM)
        stopped = time.monotonic()
        code = process.wait(30)
        stopped = time.monotonic() - stopped
        state = Secret(f"sqlite:///{folder}/var/state.db")
        found = verdicts(samples, shop, slack, Kept(state, options.every, until))
        found.append(("stop, exit code and seconds", f"{code} {stopped:.1f}", stopped <= 8))
        if options.out:
            options.out.write_text(json.dumps([asdict(s) for s in samples]))
        if options.plot:
            plot(samples, options.plot)
        tail = (folder / "daemon.log").read_text("utf-8", "replace").splitlines()
        errors = Counter(
            json.loads(line).get("event", "") for line in tail if '"level": "error"' in line
        )
        print(f"faults: {dict(trouble.made)}")
        print(f"errors in the log: {dict(errors.most_common(5))}")
        for what, seen, good in found:
            print(f"{what:50} {seen:28} {'ok' if good else 'BAD'}")
        return 0 if all(good for _, _, good in found) else 1


if __name__ == "__main__":
    sys.exit(main())
