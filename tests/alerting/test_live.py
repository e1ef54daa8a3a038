"""Live messages hold what fits, say what does not, and do nothing but be read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventwatch.alerting import live
from eventwatch.alerting.escape import size
from eventwatch.alerting.live import Shown
from eventwatch.alerting.page import BUDGET, MAX_BLOCKS
from eventwatch.model.alert import Action, Message
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Consumer, Owner, Tier
from eventwatch.model.incident import Incident, IncidentState, Moment, MomentKind, Role
from eventwatch.model.result import Fact
from eventwatch.model.status import Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import (
    EXPOSURE,
    HOUR,
    MINUTE,
    NOW,
    alert,
    contract,
    result,
    silence,
)
from tests.alerting.conduct_world import World, over
from tests.alerting.live_scenes import KNOWN, single
from tests.alerting.slack_view import assert_inert, blocks
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack_rules import size_error


def assert_fits(message: Message) -> None:
    made = blocks(message)
    assert len(made) <= MAX_BLOCKS
    assert size(message.blocks) + size(message.text) <= BUDGET
    assert message.text
    assert message.plain
    assert size_error({"text": message.text, "blocks": made}) == ""


def of(world: World, role: Role = Role.OWNER) -> list[Shown]:
    return [
        Shown(
            i,
            tuple(world.board.alerts[m.alert_id] for m in i.members),
            replace(i.owner, role=role),
        )
        for i in world.board.incidents
    ]


def message(world: World) -> Message:
    return live.live(of(world), world.office, world.now)


TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(TEXTS, min_size=1, max_size=25, unique=True),
    words=TEXTS,
    author=TEXTS,
    count=st.integers(0, 5),
)
def test_whatever_the_texts_are_it_fits_and_is_inert(
    names: list[str], words: str, author: str, count: int
) -> None:
    facts = tuple(Fact(words, words) for _ in range(count))
    contracts = [
        contract(n, description=words, owner=Owner(words), runbook_url=words) for n in names[:3]
    ]
    world = World(*contracts)
    cause = Cause(CauseKind.ALONE, "k", words, words, detail=words)
    alerts = [alert(result(n, summary=words, facts=facts)) for n in names]
    alerts.append(alert(result("caused", summary=words), cause=cause))
    world.step(*alerts)
    said = silence(author=author, reason=words)
    moments = [
        Moment(f"m{i}", "x", NOW, kind, text=words, author=author, alert_ids=("a",))
        for i, kind in enumerate(MomentKind)
    ]
    for made in (
        message(world),
        live.live(of(world, Role.AFFECTED), world.office, NOW),
        live.live(of(world, Role.CONSUMER), world.office, NOW),
        live.reply(of(world)[0], moments, world.office, NOW),
        live.silence_over(said, of(world), world.office, NOW),
        live.daily("Broken now", of(world), world.office, NOW),
    ):
        assert_fits(made)
        assert_inert(made)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 12, 30, 200])
def test_every_incident_is_shown_or_counted(count: int) -> None:
    world = World(*(contract(f"event_{i:03}") for i in range(count)))
    world.step(*(alert(result(f"event_{i:03}")) for i in range(count)))
    made = message(world)
    assert_fits(made)
    shown = sum(f"event_{i:03}" in made.plain for i in range(count))
    rest = count - shown
    assert shown
    if rest:
        assert f"+{rest:,} more. Show them: eventwatch incidents list --team growth" in made.plain
    else:
        assert "more. Show them" not in made.plain


def test_very_many_alerts_of_one_incident_are_counted() -> None:
    cause = Cause(CauseKind.EXPOSURE, "k", EXPOSURE.name, EXPOSURE.name, team="growth")
    world = World(*(contract(f"event_{i:03}") for i in range(200)))
    world.step(
        alert(result(None), cause=cause),
        *(alert(result(f"event_{i:03}"), cause=cause, explained=True) for i in range(200)),
    )
    made = message(world)
    assert_fits(made)
    assert "Explains: 200 event types: event_000, " in made.plain
    assert "and 190 more" in made.plain


class TestWhoIsCalled:
    def mention(self, world: World) -> bool:
        return "subteam" in message(world).blocks

    def test_the_owner_while_it_is_bad(self) -> None:
        world = World(contract())
        world.step(alert())
        assert self.mention(world)

    def test_nobody_once_somebody_looks(self) -> None:
        world = World(contract())
        world.step(alert())
        world.acknowledge()
        assert not self.mention(world)
        assert "ada looks at it" in message(world).plain
        assert "Acknowledged: by ada" in message(world).plain

    def test_nobody_for_what_is_muted_good_again_or_over(self) -> None:
        for changes in (
            {"muted_by": "s1", "muted_because": "silenced by ada"},
            {"good_since": NOW},
            {"state": IncidentState.RESOLVED, "resolved_at": NOW, "end_reason": "back to normal"},
        ):
            assert "subteam" not in live.live([single(**changes)], KNOWN, NOW).blocks

    def test_nobody_for_information_alone(self) -> None:
        world = World(contract())
        world.step(alert(result(severity=Severity.INFO)))
        assert not self.mention(world)

    def test_the_on_call_of_a_critical_event_type(self) -> None:
        owner = Owner("growth", oncall="growth-primary")
        world = World(contract(tier=Tier.CRITICAL, owner=owner))
        world.step(alert())
        assert "on call: growth-primary" in message(world).plain

    def test_a_mention_in_a_name_pings_nobody(self) -> None:
        world = World(contract("<!channel>"))
        world.step(alert(result("<!channel>", summary="<!here> <@U0123ABCDE>")))
        made = message(world)
        assert "<!channel" not in made.blocks
        assert "<@U" not in made.blocks + made.text


class TestButtons:
    def test_they_carry_the_id_and_nothing_else(self) -> None:
        world = World(contract())
        world.step(alert())
        (actions,) = [b for b in blocks(message(world)) if b["type"] == "actions"]
        assert [e["action_id"] for e in actions["elements"]] == [
            "eventwatch_ack",
            "eventwatch_silence",
            "eventwatch_not_a_problem",
        ]
        assert {e["value"] for e in actions["elements"]} == {world.incident.id}

    def test_there_are_none_without_socket_mode_or_when_it_is_over(self) -> None:
        plain = World(contract(), abilities=Abilities(edits=True))
        plain.step(alert())
        assert "actions" not in {b["type"] for b in blocks(message(plain))}
        world = World(contract())
        world.step(alert())
        world.resolve()
        assert "actions" not in {b["type"] for b in blocks(message(world))}


class TestEssence:
    def test_numbers_and_time_alone_are_none(self) -> None:
        world = World(contract())
        world.step(alert())
        (one,) = of(world)
        later = replace(one, alerts=(replace(one.alerts[0], seen_at=NOW + HOUR),))
        assert live.essence([one], world.office) == live.essence([later], world.office)

    @pytest.mark.parametrize(
        "change",
        [
            {"state": IncidentState.ACKNOWLEDGED, "acknowledged_by": "ada"},
            {"severity": Severity.CRITICAL},
            {"state": IncidentState.RESOLVED, "end_reason": "back to normal"},
            {"good_since": NOW},
            {"reopened": 1},
        ],
    )
    def test_what_a_reader_must_see_is(self, change: dict[str, object]) -> None:
        world = World(contract())
        world.step(alert())
        (one,) = of(world)
        other: Incident = replace(one.incident, **change)  # type: ignore[arg-type]
        changed = replace(one, incident=other)
        assert live.essence([one], world.office) != live.essence([changed], world.office)


def test_those_affected_read_one_line_about_their_own() -> None:
    cause = Cause(CauseKind.EXPOSURE, "k", EXPOSURE.name, EXPOSURE.name, team="data-platform")
    world = World(contract("mine"), contract("theirs", owner=Owner("search")))
    world.step(
        alert(result(None), cause=cause),
        *(alert(result(n), cause=cause, explained=True) for n in ("mine", "theirs")),
    )
    (post,) = [d for d in world.rows.of(Action.POST) if d.channel == "#growth-alerts"]
    line = post.message.plain.split("\n")[-1]
    assert "it affects 1 event type of yours: mine; data-platform was told" in line
    assert "theirs" not in line
    assert "\n" not in post.message.plain


def test_the_fallback_team_reads_why_it_is_told() -> None:
    world = World()
    world.step(alert(result("nobody_knows")))
    assert "Sent here: because no contract declares this event type" in message(world).plain


def test_a_consumer_is_told_and_not_called() -> None:
    world = World(contract(consumers=(Consumer("ranking", "#ranking"),)))
    world.step(alert())
    (post,) = [d for d in world.rows.of(Action.POST) if d.channel == "#ranking"]
    assert "user_followed_user, which you read, " in post.message.plain
    assert "subteam" not in post.message.blocks


def test_the_end_says_how_long_it_lasted() -> None:
    world = World(contract())
    one = alert(result(since=NOW - 2 * HOUR))
    world.step(one)
    world.step(over(one, NOW + HOUR), after=HOUR)
    world.step(after=31 * MINUTE)
    said = message(world).plain
    assert said.startswith("✅ user_followed_user: back to normal after 3 h")
    assert "Lasted: 3 h, from Sun 17 May 13:05 UTC to Sun 17 May 16:05 UTC" in said


def test_the_longest_broken_comes_first_in_the_daily_message() -> None:
    world = World(contract("new"), contract("old"))
    world.step(alert(result("new")), alert(result("old", since=NOW - timedelta(days=3))))
    lines = live.daily("Broken now", of(world), world.office, NOW).plain.split("\n")
    assert lines[0] == "Broken now: 2 incidents"
    assert "old for 3 d" in lines[1]


def test_the_blocks_are_json_with_names_as_they_are_written() -> None:
    world = World(contract("größe"))
    world.step(alert(result("größe")))
    made = message(world)
    assert "größe" in made.blocks
    assert isinstance(json.loads(made.blocks), list)
