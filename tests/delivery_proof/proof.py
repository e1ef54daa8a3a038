"""Kills senders under load, against a Slack with bad days, and counts what is lost and what is twice."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.context
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from eventwatch.model.alert import Action, DeliveryState
from eventwatch.model.faultpoint import POINTS
from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.delivery_proof import sender
from tests.delivery_proof.feed import Feed
from tests.delivery_proof.sender import Job
from tests.delivery_proof.slack_process import running

CHANNELS = 200
FAULTS = {"dropped": 0.03, "broken": 0.01, "limited": 0.01, "unread": 0.02}
_REACHED_WITHIN = 15.0
_LAST = 240.0
"""Seconds for the rest of it: a message that met a fault waits up to a minute for its next turn."""
Sending = multiprocessing.context.ForkServerProcess
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([sender.__name__])


@dataclass
class Figures:
    """What is printed."""

    kills: int = 0
    at_points: dict[str, int] = field(default_factory=dict)
    """Named point → kills there."""
    rows: int = 0
    accepted: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    expected: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """Rows that were neither sent nor ended for a reason of their own."""
    integrity: str = "ok"
    seconds: float = 0.0

    @property
    def missed(self) -> list[str]:
        """Named points that nobody passed."""
        return [point for point in POINTS if not self.at_points.get(point)]


def by_token(
    state: str,
    kills: int,
    *,
    seed: int = 1,
    webhooks: bool = True,
    backlog: int = 300,
    faults: Mapping[str, float] = FAULTS,
    say: Callable[[str], None] = print,
) -> Figures:
    """Half of the kills at named points, each as often as any other, the rest at random moments.
    ``webhooks``: some rows are documents for the JSON webhook. ``backlog``: so many rows wait at
    least, whenever a sender starts."""
    figures, began = Figures(), time.monotonic()
    chance = random.Random(seed)
    feed = Feed(CHANNELS, seed, webhooks=webhooks)
    plan = _plan(kills, chance)
    with running(CHANNELS, dict(faults)) as slack, opened(state) as store:

        def fill() -> None:
            if _count(store, DeliveryState.PENDING) < backlog:
                feed.add(store, backlog // 2)

        for n, crash_at in enumerate(plan, 1):
            fill()
            died = _kill(Job(state, slack, crash_at=crash_at), chance, fill)
            figures.kills += died
            point = crash_at.partition(":")[0] or "random"
            figures.at_points[point] = figures.at_points.get(point, 0) + died
            if n % 100 == 0:
                say(f"  {n} kills, {time.monotonic() - began:.0f} s")
        finish(Job(state, slack), store, _LAST)
        figures.unfinished = _unfinished(store)
        figures.integrity = _integrity(store)
        dump = slack.dump()
    tally = feed.tally(dump)
    figures.rows, figures.expected = feed.made, tally.expected
    figures.accepted, figures.faults = len(dump["messages"]), dump["faults"]
    figures.lost, figures.duplicated = list(tally.lost), list(tally.duplicated)
    figures.seconds = time.monotonic() - began
    return figures


def by_webhook(state: str, kills: int, seed: int = 2) -> Figures:
    """At least once: nothing is lost; what came twice says that it may."""
    figures, began = Figures(), time.monotonic()
    chance = random.Random(seed)
    feed = Feed(20, seed, edits=False)
    with running(20, FAULTS) as slack, opened(state) as store:

        def fill() -> None:
            if _count(store, DeliveryState.PENDING) < 60:
                feed.add(store, 60)

        for _ in range(kills):
            fill()
            figures.kills += _kill(Job(state, slack, by_webhook=True), chance, fill)
        finish(Job(state, slack, by_webhook=True), store, _LAST)
        figures.unfinished = _unfinished(store)
        dump = slack.dump()
    texts = [str(message["text"]) for message in dump["messages"]]
    # The webhook's messages have no key; each names its post in its first line.
    named = [text.partition("\n")[0].removesuffix(" v0") for text in texts]
    hooked = {one["key"] for one in dump["hooked"]}
    figures.lost = sorted((feed.keys - set(named)) | (feed.hooks - hooked))
    marked = {name for name, text in zip(named, texts, strict=True) if "may repeat" in text}
    figures.duplicated = sorted({n for n in named if named.count(n) > 1})
    figures.unfinished += [
        f"{n} is there twice unmarked" for n in figures.duplicated if n not in marked
    ]
    figures.rows, figures.expected = feed.made, len(feed.keys) + len(feed.hooks)
    figures.accepted, figures.faults = len(texts), dump["faults"]
    figures.seconds = time.monotonic() - began
    return figures


def by_token_unharmed(
    state: str, posts: int, faults: Mapping[str, float], seed: int = 3
) -> Figures:
    """Nobody is killed; of so many posts, with what follows them, many answers are lost or broken."""
    figures, began = Figures(), time.monotonic()
    feed = Feed(CHANNELS, seed, webhooks=False)
    with running(CHANNELS, dict(faults)) as slack, opened(state) as store:
        feed.add(store, posts)
        finish(Job(state, slack), store, _LAST)
        figures.unfinished, figures.integrity = _unfinished(store), _integrity(store)
        dump = slack.dump()
    tally = feed.tally(dump)
    figures.rows, figures.expected = feed.made, tally.expected
    figures.accepted, figures.faults = len(dump["messages"]), dump["faults"]
    figures.lost, figures.duplicated = list(tally.lost), list(tally.duplicated)
    figures.seconds = time.monotonic() - began
    return figures


def _plan(kills: int, chance: random.Random) -> list[str]:
    """For each kill its named point, or empty for a random moment."""
    each = max(1, kills // (2 * len(POINTS)))
    named = [f"{point}:{chance.randint(1, 3)}" for point in POINTS for _ in range(each)]
    plan = named + [""] * max(0, kills - len(named))
    chance.shuffle(plan)
    return plan


def _kill(job: Job, chance: random.Random, fill: Callable[[], None]) -> int:
    """Starts a sender under load, for some random moments two of them, and kills it; how many died
    where they should."""
    if job.crash_at:
        return _kill_at_point(_start(job), fill)
    senders = [_start(job) for _ in range(1 if chance.random() < 0.7 else 2)]
    time.sleep(chance.uniform(0.005, 0.25))
    for sending in senders:
        sending.kill()
        sending.join()
    return len(senders)


def _kill_at_point(sending: Sending, fill: Callable[[], None]) -> int:
    ends = time.monotonic() + _REACHED_WITHIN
    while sending.is_alive() and time.monotonic() < ends:
        fill()
        sending.join(0.25)
    # One that did not reach its point is killed as well, at no point that has a name.
    sending.kill()
    sending.join()
    return int(sending.exitcode == 137)


def _start(job: Job) -> Sending:
    """A sender that is about to send."""
    mine, its = _processes.Pipe(duplex=False)
    sending = _processes.Process(target=sender.run, args=(job, its), daemon=True)
    sending.start()
    its.close()
    with contextlib.suppress(EOFError):
        mine.recv_bytes()
    mine.close()
    return sending


def finish(job: Job, store: SqlStore, within: float) -> None:
    """One sender, until nothing is left to be said."""
    sending, ends = _start(job), time.monotonic() + within
    while (
        sending.is_alive()
        and time.monotonic() < ends
        and _count(store, DeliveryState.PENDING, DeliveryState.SENDING)
    ):
        time.sleep(0.2)
    sending.kill()
    sending.join()


@contextlib.contextmanager
def opened(state: str) -> Iterator[SqlStore]:
    store = open_store(Secret(state))
    try:
        yield store
    finally:
        store.close()


def sqlite_in(folder: Path) -> str:
    """A state of its own."""
    return f"sqlite:///{folder}/state-{time.monotonic_ns()}.db"


@contextlib.contextmanager
def postgres_on(server: str) -> Iterator[str]:
    """A state of its own, dropped afterwards."""
    url, name = sa.make_url(server), f"eventwatch_proof_{time.monotonic_ns()}"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def _count(store: SqlStore, *states: str) -> int:
    wanted = ", ".join(f"'{state}'" for state in states)
    query = f"SELECT count(*) FROM eventwatch_delivery WHERE state IN ({wanted})"
    with store._database.reading() as connection:
        return int(connection.execute(sa.text(query)).scalar() or 0)


def _unfinished(store: SqlStore) -> list[str]:
    ended = (DeliveryState.SENT, DeliveryState.WITHHELD)
    return [
        f"{row.key} is {row.state}: {row.last_error}"
        for row in store.deliveries(10**6)
        # A chart is best effort; that it came twice is looked for all the same.
        if row.state not in ended and row.action is not Action.CHART
    ]


def _integrity(store: SqlStore) -> str:
    if store._database.path is None:
        return "ok"
    with store._database.reading() as connection:
        return str(connection.execute(sa.text("PRAGMA integrity_check")).scalar())
