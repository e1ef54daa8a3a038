"""What the owner of an incident reads: each part is there, once, and only where it is true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventwatch.alerting import live
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import IncidentState, Role
from eventwatch.model.result import Cut
from eventwatch.model.status import KindName, Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import HOUR, MINUTE, NOW, alert, contract, result
from tests.alerting.live_scenes import (
    ALL,
    FOLLOW,
    GROWTH,
    KNOWN,
    SEARCH,
    cut,
    drop,
    ended,
    late,
    office,
    one_type,
    rename,
    resolved,
    several,
    shown,
    silent,
    single,
    source,
    table,
    undeclared,
)
from tests.alerting.slack_view import blocks

NO_BUTTONS = replace(ALL, buttons=False)


def read(*views: Shown, known: Office = KNOWN) -> str:
    return live.live(views, known, NOW).plain


def test_expected_stands_against_seen_with_the_day_and_the_weekday() -> None:
    said = read(single())
    assert (
        "user_followed_user: 1,240 events between 13:00 and 14:00 UTC on Sun 17 May, usually 9,810 to "
        "11,600 on a Sunday (−88 %)."
    ) in said
    assert "Since: Sun 17 May 13:00 UTC (2 h 5 min so far)" in said


def test_the_arithmetic_is_left_to_explain() -> None:
    said = read(single())
    assert "z -19" not in said
    assert "eventwatch incidents explain 4f2a91c07bd3" in said


def test_promise_runbook_and_cause_are_there() -> None:
    said = read(single())
    assert "Contract growth/follow.proto:12 (https://git.example.com/events/" in said
    assert "Runbook (https://wiki.example.com/follow?a=1&b=2)" in said
    assert "Likely cause: android: −96 %, other platforms normal" in said


def test_a_cause_that_says_what_was_just_said_is_not_repeated() -> None:
    said = read(table())
    assert said.count("nothing arrived for 2 h 5 min") == 1
    assert "Likely cause" not in said
    assert "Explains: 41 event types: " in said


def test_who_has_no_buttons_reads_every_command() -> None:
    said = read(single(), known=office(FOLLOW, abilities=NO_BUTTONS))
    for command in (
        "eventwatch incidents ack 4f2a91c07bd3",
        "Mute for 4 h (everything about user_followed_user in analytics_events): eventwatch silence add "
        "--exposure analytics_events --event-type user_followed_user --for 4h",
        "eventwatch feedback add ",
    ):
        assert command in said


def test_an_acknowledged_one_offers_no_second_acknowledgement() -> None:
    one = single(state=IncidentState.ACKNOWLEDGED, acknowledged_by="ada", acknowledged_at=NOW)
    made = live.live([one], KNOWN, NOW)
    assert "eventwatch_ack" not in made.blocks
    assert "eventwatch_silence" in made.blocks
    assert "incidents ack" not in made.plain


def test_feedback_is_asked_for_counts_only() -> None:
    said = read(shown(one_type("user_blocked_user"), silent()), known=office(abilities=NO_BUTTONS))
    assert "feedback" not in said


def test_what_is_over_says_how_long_and_offers_nothing() -> None:
    made = live.live([resolved()], KNOWN, NOW)
    assert made.plain.startswith("✅ user_followed_user: back to normal after 1 h 35 min\n")
    assert "Lasted: 1 h 35 min, from Sun 17 May 13:00 UTC to Sun 17 May 14:35 UTC" in made.plain
    assert "What it was: user_followed_user: 1,240 events" in made.plain
    assert {b["type"] for b in blocks(made)} == {"header", "section", "context"}


def test_late_rows_are_not_lost() -> None:
    said = read(late())
    assert said.startswith("✅ user_blocked_user: late, not lost: 3 h 10 min\n")
    assert "All rows came after all, up to 3 h 10 min late: nothing is lost." in said


def test_what_ended_in_several_ways_is_told_apart() -> None:
    (one,) = ended(drop("first"))
    (two,) = ended(silent("second"), reason="no longer found")
    over = shown(
        one_type("first"),
        one,
        two,
        state=IncidentState.RESOLVED,
        resolved_at=NOW,
        end_reason="back to normal",
    )
    said = read(over)
    assert "Back to normal: first" in said
    assert "No longer found: second" in said


def test_a_cut_is_about_its_value_and_names_what_it_explains() -> None:
    said = read(cut())
    assert said.startswith("🔴 platform android came less than usual in 41 event types\n")
    assert "Explains: 41 event types: cart_created, " in said
    assert "and 31 more" in said
    assert "Told as well: growth, search" in said
    assert "--dimension platform --value android" in said


def test_a_source_is_said_once_whatever_needs_it() -> None:
    said = read(source())
    assert said.startswith("🟠 postgres db.example.com/analytics cannot be read\n")
    assert said.count("connection refused") == 1
    assert "analytics_events, billing_events, search_events: could not be measured" in said
    assert "says nothing of the data" in said


def test_a_rename_names_both() -> None:
    assert read(rename()).startswith("🟠 user_followed_user → user_follow looks renamed\n")


@pytest.mark.parametrize(
    ("aspect", "said"),
    [
        ("value_unexpected", "has an undeclared app version: 9.9"),
        ("value_unknown", "has a new app version: 9.9"),
        ("value_missing", "is missing on app version 9.9"),
    ],
)
def test_trouble_with_a_value_names_it(aspect: str, said: str) -> None:
    of = result(kind=KindName.DRIFT, aspect=aspect, cut=Cut("app_version", "9.9"))
    made = read(shown(one_type(), alert(of)))
    assert made.split("\n")[0] == f"🟠 user_followed_user {said}"


class TestWhyHere:
    def test_the_fallback_says_what_would_send_it_elsewhere(self) -> None:
        assert "declare it with owner.team in the contracts" in read(undeclared())

    def test_who_is_escalated_to_reads_who_was_told_first(self) -> None:
        who = replace(GROWTH, role=Role.ESCALATION, team="leads", channel="#leads")
        who = replace(who, reason="nobody acknowledged it in time")
        said = read(single(who=who))
        assert "because nobody acknowledged it in time; growth in #growth-alerts was told" in said

    def test_a_message_that_was_refused_elsewhere_says_where(self) -> None:
        said = read(single(who=replace(GROWTH, team="data-platform", channel="#data-platform")))
        assert "because #growth-alerts of growth takes no messages" in said

    def test_the_owner_reads_nothing_of_it(self) -> None:
        assert "Sent here" not in read(single())


class TestOneLine:
    def test_those_affected_read_how_many_are_theirs(self) -> None:
        said = read(cut(who=SEARCH))
        assert "\n" not in said
        assert "it affects 7 event types of yours: search_closed, " in said
        assert "and 3 more; data-platform was told (incident 4f2a91c07bd3)" in said

    def test_they_read_who_looks_at_it(self) -> None:
        said = read(
            cut(
                who=SEARCH,
                state=IncidentState.ACKNOWLEDGED,
                acknowledged_by="grace",
                acknowledged_at=NOW,
            )
        )
        assert "grace of data-platform looks at it" in said

    def test_they_read_its_end(self) -> None:
        said = read(
            cut(
                who=SEARCH,
                state=IncidentState.RESOLVED,
                resolved_at=NOW,
                end_reason="back to normal",
            )
        )
        assert said.startswith("✅ platform android is over (back to normal); it affected 7 ")


class TestSeveral:
    def test_the_headline_counts_their_states(self) -> None:
        said = read(*several(60))
        assert said.startswith("🔴 60 incidents for growth: 58 open, 1 acknowledged, 1 over\n")

    def test_the_worst_come_first_and_what_is_over_last(self) -> None:
        mild = shown(one_type("mild"), drop("mild", severity=Severity.INFO), id="c1")
        said = read(resolved(id="c2"), mild, single(id="c3"))
        assert said.index("(−88 %)") < said.index("mild") < said.index("✅")

    def test_the_order_in_which_they_are_given_is_nothing(self) -> None:
        views = several(40)
        assert read(*views) == read(*views[::-1])

    def test_buttons_carry_the_id_of_their_own_incident(self) -> None:
        made = blocks(live.live(several(5), KNOWN, NOW))
        values = [
            {e["value"] for e in block["elements"]} for block in made if block["type"] == "actions"
        ]
        assert values == [{"a00000000001"}, {"a00000000002"}, {"a00000000003"}]

    def test_each_open_one_can_be_found_by_its_id(self) -> None:
        said = read(*several(9), known=office(abilities=NO_BUTTONS))
        for one in several(9):
            assert one.incident.id in said


def test_a_service_without_edits_says_where_it_is_up_to_date() -> None:
    bare = office(FOLLOW, abilities=Abilities())
    assert "not updated here: eventwatch incidents show 4f2a91c07bd3" in read(single(), known=bare)
    assert "not updated here" not in read(single())


def test_the_weekday_is_left_out_where_two_zones_disagree() -> None:
    night = NOW.replace(hour=23, minute=0)
    amount = drop().result.amount
    assert amount is not None
    moved = replace(amount, start_at=night - HOUR, end_at=night + 2 * HOUR)
    said = read(shown(one_type(), drop(amount=moved)))
    assert " on a " not in said.split("\n")[2]


def test_a_cause_of_every_kind_has_words_even_without_alerts() -> None:
    for kind in CauseKind:
        bare = replace(single().incident, members=(), cause=replace(one_type(), kind=kind))
        said = read(Shown(bare, (), GROWTH))
        assert said.startswith("🔴 user_followed_user ")
        assert len(said.split("\n")[0]) > len("🔴 user_followed_user ") + 5


def test_a_clock_that_stepped_back_makes_no_negative_spans() -> None:
    ahead = NOW + 5 * MINUTE
    for one in (single(began_at=ahead), resolved(began_at=ahead)):
        assert "-" not in read(one, known=office(contract(location=FOLLOW.location))).split("\n")[0]
        assert "-5 min" not in read(one)
