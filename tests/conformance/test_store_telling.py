"""What every Store does when several tell, commit and acknowledge at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from eventwatch.model.alert import AlertState
from eventwatch.model.incident import Board, Changes, Entry, Role
from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store
from tests.store.incident_samples import cause, incident, member, moment, post, said, tell
from tests.store.samples import NOW, alert, delivery, record

ROOT = Path(__file__).parents[2]
TELL = """
import sys
from tests.conformance.test_store_telling import *
store = open_store(Secret(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(15):
    store.tell(NOW, each_unknown_alert_is_an_incident)
    store.tell(NOW, count)
"""


def each_unknown_alert_is_an_incident(board: Board) -> Changes:
    """One incident, post and row for every open alert that has none: twice would be one too many."""
    known = {m.alert_id for one in board.incidents for m in one.members}
    new = [a for a in board.alerts.values() if a.open and a.id not in known]
    # The same by every process: the second is refused, were it not excluded.
    made = tuple(incident(f"1{a.id}", cause=cause(a.id), members=(member(a.id),)) for a in new)
    return Changes(
        incidents=made,
        posts=tuple(post(f"p{i.id}", entries=(Entry(i.id, Role.OWNER),)) for i in made),
        deliveries=tuple(said(f"d{i.id}", post_id=f"p{i.id}") for i in made),
    )


def count(board: Board) -> Changes:
    """Adds one to every incident: a lost change is one too few."""
    return Changes(incidents=tuple(replace(i, reopened=i.reopened + 1) for i in board.incidents))


def test_processes_that_tell_at_once_take_turns(url: Secret, store: SqlStore) -> None:
    names = [f"a{n}" for n in range(5)]
    tell(store, Changes(incidents=(incident("first", reopened=0, members=()),)))
    store.commit_cycle(record(alerts=tuple(alert(n, n) for n in names), deliveries=()))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TELL, url.reveal()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    said_at_once = [process.communicate(b"go\n", 60)[1] for process in processes]
    assert [p.returncode for p in processes] == [0, 0], said_at_once
    found = {i.id: i for i in store.incidents()}
    assert set(found) == {"first", *(f"1{n}" for n in names)}
    assert found["first"].reopened == 30
    assert len(store.deliveries()) == len(names)


def test_threads_that_tell_at_once_take_turns_and_lose_nothing(
    url: Secret, store: SqlStore
) -> None:
    tell(store, Changes(incidents=(incident("first", reopened=0, members=()),)))
    gate = threading.Barrier(6)

    def work(number: int) -> None:
        mine = open_store(url)
        gate.wait()
        for turn in range(5):
            if number < 3:
                mine.tell(NOW, count)
            elif number < 5:
                name = f"{number}-{turn}"
                mine.update_incident(
                    "first",
                    lambda one: replace(one, reopened=one.reopened + 1),
                    lambda _, name=name: (moment(name, incident_id="first"),),  # type: ignore[misc]
                )
            else:
                one = alert(f"a{turn}", f"type {turn}")
                mine.commit_cycle(record(run_id=f"{turn}", alerts=(one,), deliveries=()))
                over = replace(one, state=AlertState.RESOLVED, ended_at=NOW)
                mine.commit_cycle(record(run_id=f"{turn}+", alerts=(over,), deliveries=()))
        mine.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    (one,) = store.incidents()
    assert one.reopened == 25
    assert len(store.moments("first")) == 10
    assert len(store.alerts_of([f"a{n}" for n in range(5)])) == 5
    assert store.exposure_state("events", NOW).alerts == ()


def test_what_is_acknowledged_during_a_step_is_not_undone_by_it(
    url: Secret, store: SqlStore
) -> None:
    tell(store, Changes(incidents=(incident(acknowledged_by=""),)))
    inside, done = threading.Event(), threading.Event()

    def slowly(board: Board) -> Changes:
        inside.set()
        # It cannot end before this step has: nothing to wait for but a defect.
        done.wait(0.3)
        return Changes(incidents=tuple(replace(i, reopened=9) for i in board.incidents))

    def acknowledge() -> None:
        mine = open_store(url)
        inside.wait(20)
        mine.update_incident(incident().id, lambda one: replace(one, acknowledged_by="ana"))
        done.set()
        mine.close()

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(acknowledge)
        store.tell(NOW, slowly)
        asked.result()
    (one,) = store.incidents()
    assert (one.acknowledged_by, one.reopened) == ("ana", 9)


def test_a_cycle_that_commits_during_a_step_is_seen_by_the_next(
    url: Secret, store: SqlStore
) -> None:
    store.commit_cycle(record(deliveries=()))
    inside = threading.Event()
    seen: list[set[str]] = []

    def look(board: Board) -> Changes:
        seen.append({a.id for a in board.alerts.values() if a.open})
        inside.set()
        return Changes()

    def commit() -> None:
        mine = open_store(url)
        inside.wait(20)
        over = alert(state=AlertState.RESOLVED, ended_at=NOW)
        mine.commit_cycle(record(run_id="r2", alerts=(over, alert("a2", "b")), deliveries=()))
        mine.close()

    with ThreadPoolExecutor(1) as pool:
        committed = pool.submit(commit)
        store.tell(NOW, look)
        committed.result()
    store.tell(NOW, look)
    assert seen == [{"a1"}, {"a2"}]


def test_a_step_that_fails_changes_nothing_and_the_next_one_works(store: SqlStore) -> None:
    def broken(_: Board) -> Changes:
        raise RuntimeError

    for _ in range(2):
        try:
            store.tell(NOW, broken)
        except RuntimeError:
            continue
        raise AssertionError("it was raised by the step")
    changes = Changes(deliveries=(delivery(),))
    assert tell(store, changes) is changes
    assert [d.key for d in store.deliveries()] == ["d1"]
