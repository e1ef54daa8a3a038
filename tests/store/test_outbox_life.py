"""The outbox against a small model of it: any order of writing, claiming and answering."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from eventwatch.model.alert import Action, Delivery, DeliveryState, Message, Outcome, Verdict
from eventwatch.model.incident import Changes
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store
from tests.store.incident_samples import post, said
from tests.store.samples import MINUTE, NOW

CHANNELS = ("#a", "#b", "#c")
FALLBACK = "#fallback"
PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING
SENT, DEAD = DeliveryState.SENT, DeliveryState.DEAD
WITHHELD = DeliveryState.WITHHELD
SHORT = Message("t", "[]", "t")


@dataclass
class Known:
    """A post as the model sees it."""

    channel: str
    home: str
    reference: str = ""
    dead: bool = False


class Life(RuleBasedStateMachine):
    """Every step is done by both; then both must hold the same rows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.store = open_store(Secret(f"sqlite:///{self.folder}/state.db"))
        self.rows: list[Delivery] = []
        """In the order in which they are to be said."""
        self.posts: dict[str, Known] = {}
        self.under_way: list[Delivery] = []
        """Every claim that was ever given, old ones too."""
        self.now = NOW
        self.made = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def name(self) -> str:
        self.made += 1
        return f"{self.made:03}"

    def write(self, one: Delivery) -> None:
        """What is written now is said after what was written before."""
        self.now += timedelta(seconds=1)
        one = replace(one, created_at=self.now, message=SHORT)
        self.store.tell(self.now, lambda _: Changes(deliveries=(one,)))
        place = self.posts.get(one.post_id)
        if place is not None and one.action is not Action.POST:
            one = replace(one, channel=place.channel)
            if place.dead:
                one = replace(one, state=DEAD)
        waits = [r for r in self.edits(one.post_id) if one.action is Action.UPDATE]
        if waits and one.state is PENDING:
            self.put(waits[0].key, replace(waits[0], key=one.key))
        else:
            self.rows.append(one)

    def edits(self, post_id: str) -> list[Delivery]:
        return [
            r
            for r in self.rows
            if (r.action, r.state, r.post_id) == (Action.UPDATE, PENDING, post_id)
        ]

    def put(self, key: str, row: Delivery) -> None:
        self.rows = [row if r.key == key else r for r in self.rows]

    @initialize()
    def begin(self) -> None:
        """Two live messages in one channel that were accepted, and a third that was not yet."""
        self.make_post("#a")
        self.make_post("#a")
        self.say_all()
        self.say_all()
        self.make_post("#b")

    @precondition(lambda self: len(self.posts) < 4)
    @rule(channel=st.sampled_from(CHANNELS))
    def make_post(self, channel: str) -> None:
        name = self.name()
        made = post(f"p{name}", channel=channel, created_at=self.now)
        self.store.tell(self.now, lambda _: Changes(posts=(made,)))
        self.posts[made.id] = Known(channel, channel)
        self.write(said(name, channel=channel, post_id=made.id))

    @precondition(lambda self: self.posts)
    @rule(
        data=st.data(),
        action=st.sampled_from((Action.UPDATE, Action.REPLY, Action.CHART)),
    )
    def add_to_post(self, data: st.DataObject, action: Action) -> None:
        name = data.draw(st.sampled_from(sorted(self.posts)))
        # The writer may think of where the post was meant to be.
        self.write(said(self.name(), action, channel=self.posts[name].home, post_id=name))

    @rule(minutes=st.integers(1, 9))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(
        limit=st.integers(1, 4),
        busy=st.frozensets(st.sampled_from((*CHANNELS, FALLBACK)), max_size=1),
    )
    def claim(self, limit: int, busy: frozenset[str]) -> None:
        claimed = self.store.claim_deliveries(self.now, limit, busy=busy)
        closed = busy | {r.channel for r in self.rows if r.state is SENDING}
        heads = [head for c in (*CHANNELS, FALLBACK) if c not in closed and (head := self.head(c))]
        heads.sort(key=lambda r: (r.created_at, r.key))
        assert [r.key for r in claimed] == [r.key for r in heads[:limit]]
        for one in claimed:
            if one.action is not Action.POST:
                assert one.parent == self.posts[one.post_id].reference != ""
            self.put(one.key, one)
            self.under_way.append(one)

    def head(self, channel: str) -> Delivery | None:
        """What is to be said next in a channel."""
        mine = [r for r in self.rows if r.state is PENDING and r.channel == channel]
        ready = [
            r
            for r in mine
            if (r.not_before is None or r.not_before <= self.now)
            and (r.action is Action.POST or self.posts[r.post_id].reference)
            and not (r.action is Action.REPLY and self.older_reply(r))
        ]
        order = sorted(ready, key=lambda r: (r.action is Action.CHART, r.created_at, r.key))
        return order[0] if order else None

    def older_reply(self, one: Delivery) -> bool:
        return any(
            r.action is Action.REPLY and r.state is PENDING and r.post_id == one.post_id
            for r in self.rows[: self.rows.index(one)]
        )

    @rule()
    def say_all(self) -> None:
        """A good minute: all that can be said is said."""
        self.claim(9, frozenset())
        for one in [r for r in self.rows if r.state is SENDING]:
            self.answered(one, Verdict.SENT, None, False)

    @rule(
        verdicts=st.lists(st.sampled_from(Verdict), min_size=1, max_size=3),
        pause=st.none() | st.integers(1, 9),
        meanwhile=st.none() | st.sampled_from((Action.UPDATE, Action.REPLY)),
        falls_back=st.booleans(),
        frozen=st.booleans(),
    )
    def attempt(
        self,
        verdicts: list[Verdict],
        pause: int | None,
        meanwhile: Action | None,
        falls_back: bool,
        frozen: bool,
    ) -> None:
        """All that can be said is tried; more is written meanwhile, and a frozen process answers
        after somebody else took its row."""
        self.claim(9, frozenset())
        for n, one in enumerate([r for r in self.rows if r.state is SENDING]):
            if meanwhile is not None and one.post_id in self.posts:
                self.write(said(self.name(), meanwhile, post_id=one.post_id))
            if frozen:
                self.answered(one, Verdict.RETRY, None, False)
                self.now += MINUTE
                self.claim(9, frozenset())
            self.answered(one, verdicts[n % len(verdicts)], pause, falls_back)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), verdict=st.sampled_from(Verdict), falls_back=st.booleans())
    def answer_late(self, data: st.DataObject, verdict: Verdict, falls_back: bool) -> None:
        """To any claim that ever was."""
        one = data.draw(st.sampled_from(self.under_way))
        self.answered(one, verdict, None, falls_back)

    def answered(
        self, one: Delivery, verdict: Verdict, pause: int | None, falls_back: bool
    ) -> None:
        row = next((r for r in self.rows if r.key == one.key), None)
        holds = row is not None and (row.state, row.claimed_at) == (SENDING, one.claimed_at)
        retry_at = None if pause is None else self.now + pause * MINUTE
        fallback = None
        if verdict is Verdict.REFUSED and falls_back and not one.is_fallback:
            self.now += timedelta(seconds=1)
            made = said(f"{one.key}f", channel=FALLBACK, created_at=self.now, is_fallback=True)
            moves = one.action is Action.POST
            fallback = replace(made, post_id=one.post_id if moves else "")
        reference = one.parent if one.action is Action.UPDATE else f"ref {one.key}"
        outcome = Outcome(verdict, "why", retry_at, reference)
        self.store.settle_delivery(one, outcome, self.now, fallback)
        if verdict is Verdict.SENT and row is not None:
            self.was_sent(row)
        elif holds and row is not None:
            self.did_not(row, verdict, retry_at, fallback)

    def was_sent(self, row: Delivery) -> None:
        if row.state is SENT:
            return
        self.put(row.key, replace(row, state=SENT))
        known = self.posts.get(row.post_id)
        if known is None or row.action is not Action.POST or known.reference:
            return
        known.reference, known.channel, known.dead = f"ref {row.key}", row.channel, False
        for other in list(self.rows):
            if other.post_id == row.post_id and other.state is PENDING:
                home = other.action is not Action.POST
                changed = {"channel": row.channel} if home else {"state": WITHHELD}
                self.put(other.key, replace(other, **changed))

    def did_not(
        self,
        row: Delivery,
        verdict: Verdict,
        retry_at: datetime | None,
        fallback: Delivery | None,
    ) -> None:
        if verdict in (Verdict.RETRY, Verdict.HALT):
            newer = self.edits(row.post_id) if row.action is Action.UPDATE else []
            if newer:
                taken = replace(
                    row, key=newer[0].key, state=PENDING, not_before=retry_at, parent=""
                )
                self.rows = [r for r in self.rows if r.key != newer[0].key]
                self.put(row.key, taken)
            else:
                self.put(row.key, replace(row, state=PENDING, not_before=retry_at))
        elif verdict is Verdict.REFUSED:
            self.put(row.key, replace(row, state=DEAD))
            known = self.posts.get(row.post_id)
            if known is not None and row.action is Action.POST and not known.reference:
                known.channel = known.channel if fallback is None else FALLBACK
                known.dead = fallback is None
                for other in list(self.rows):
                    if other.post_id == row.post_id and other.state is PENDING:
                        change = {"state": DEAD} if known.dead else {"channel": FALLBACK}
                        self.put(other.key, replace(other, **change))
            if fallback is not None and all(r.key != fallback.key for r in self.rows):
                self.rows.append(fallback)

    @invariant()
    def both_hold_the_same_and_no_channel_has_two_under_way(self) -> None:
        rows = self.store.deliveries(10**6)
        held = {d.key: (d.state, d.channel, self.pause(d)) for d in rows}
        assert held == {d.key: (d.state, d.channel, self.pause(d)) for d in self.rows}
        under_way = [d.channel for d in rows if d.state is SENDING]
        assert len(under_way) == len(set(under_way))

    def pause(self, one: Delivery) -> datetime | None:
        """Of a row that waits; of others it says nothing."""
        return one.not_before if one.state is PENDING else None


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
