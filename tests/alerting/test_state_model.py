"""The life of an alert against a reference model that is written the other way round: it keeps the
whole list of what was seen and answers from it, where the code under test keeps one record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.alerting.state import UNJUDGED, track
from eventwatch.model.alert import Alert, Change
from eventwatch.model.status import Severity, Status
from tests.alerting.builders import MINUTE, NOW, result

HOLD, KEEP = 10 * MINUTE, 15 * MINUTE


@dataclass(frozen=True)
class Seen:
    """One cycle: what the check said (None: nothing) and whether silence means anything."""

    at: datetime
    status: Status | None
    severity: Severity
    total: bool
    judged: bool

    @property
    def good(self) -> bool:
        return self.status is Status.PASS or (self.status is None and self.judged)

    @property
    def void(self) -> bool:
        return not self.good and self.status is not Status.FAIL


@dataclass
class Model:
    """Everything since the alert began, oldest first; empty: there is no alert."""

    episode: list[Seen] = field(default_factory=list)

    def see(self, seen: Seen) -> Change | None:
        """The change that one cycle makes; None: there is no alert before and after."""
        if not self.episode and seen.status is not Status.FAIL:
            return None
        is_new = not self.episode
        was_firing = self._fired()
        self.episode.append(seen)
        fails = [s for s in self.episode if s.status is Status.FAIL]
        if seen.status is Status.FAIL:
            if not was_firing:
                if self._fired():
                    return Change.FIRED
                return Change.PENDING if is_new else Change.NONE
            return Change.NONE
        gave_up = (
            seen.status in (Status.SKIPPED, Status.LEARNING) and seen.at - fails[-1].at >= UNJUDGED
        )
        if not was_firing:
            return self._end(Change.EXPIRED) if seen.good or gave_up else Change.NONE
        if gave_up:
            return self._end(Change.RESOLVED)
        since_fail = self.episode[self.episode.index(fails[-1]) + 1 :]
        goods = [s for s in since_fail if s.good]
        if seen.good and seen.at - goods[0].at >= KEEP:
            return self._end(Change.RESOLVED)
        return Change.NONE

    def _fired(self) -> bool:
        fails = [s for s in self.episode if s.status is Status.FAIL]
        return any(s.total or s.at - fails[0].at >= HOLD for s in fails)

    def _end(self, change: Change) -> Change:
        self.episode = []
        return change


cycles = st.lists(
    st.tuples(
        st.sampled_from((5, 10, 15, 60, 72 * 60)) | st.integers(1, 40),
        st.sampled_from((Status.FAIL, Status.FAIL, Status.PASS, None, *Status)),
        st.sampled_from(Severity),
        st.integers(0, 9).map(lambda n: n == 0),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=500, deadline=None)
@given(cycles)
def test_an_alert_lives_as_the_model_says(
    story: list[tuple[int, Status | None, Severity, bool, bool]],
) -> None:
    model, alert, now = Model(), None, NOW
    for minutes, status, severity, total, judged in story:
        now += timedelta(minutes=minutes)
        seen = Seen(now, status, severity, total, judged)
        given_results = (
            []
            if status is None
            else [result(status=status, severity=severity, total=total, hold=HOLD, keep=KEEP)]
        )
        transitions = track(
            [] if alert is None else [alert],
            given_results,
            now,
            judged=lambda _, judged=judged: judged,  # type: ignore[misc]
        )
        expected = model.see(seen)
        assert [t.change for t in transitions] == ([] if expected is None else [expected])
        alert = _after(transitions[0].alert if transitions else None)


def _after(alert: Alert | None) -> Alert | None:
    return alert if alert is not None and alert.open else None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("a", "b", "c", None)), st.sampled_from(Status)), max_size=12
    ),
    st.permutations(range(12)),
)
def test_the_order_of_results_does_not_matter(
    given_results: list[tuple[str | None, Status]], order: list[int]
) -> None:
    results = [result(name, status=status) for name, status in given_results]
    shuffled = [results[i] for i in order if i < len(results)]
    first = track([], results, NOW, judged=lambda _: True)
    second = track([], shuffled, NOW, judged=lambda _: True)
    assert [(t.alert.id, t.change) for t in first] == [(t.alert.id, t.change) for t in second]
