"""What stands in a thread, at the end of a silence and in the daily digests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eventwatch.alerting import live
from eventwatch.alerting.live import Shown
from eventwatch.model.incident import Moment, MomentKind, Role
from eventwatch.model.status import Severity
from tests.alerting.builders import NOW, silence
from tests.alerting.live_scenes import (
    GROWTH,
    KNOWN,
    drop,
    late,
    moment,
    one_type,
    resolved,
    shown,
    single,
    undeclared,
)

CALLS = (MomentKind.WORSE, MomentKind.REOPENED, MomentKind.REMINDED, MomentKind.ESCALATED)


def said(one: Shown, *moments: Moment) -> str:
    return live.reply(one, moments, KNOWN, NOW).plain


@pytest.mark.parametrize("kind", MomentKind)
def test_who_has_to_look_is_called_and_nobody_else(kind: MomentKind) -> None:
    made = live.reply(single(), [moment(kind)], KNOWN, NOW)
    assert ("<!subteam^S0123ABCD>" in made.blocks) is (kind in CALLS)


@pytest.mark.parametrize(
    "changes",
    [{"severity": Severity.INFO}, {"who": replace(GROWTH, role=Role.AFFECTED)}],
)
def test_nobody_is_called_for_information_or_for_what_others_answer_for(
    changes: dict[str, Any],
) -> None:
    one = single(**changes)
    assert "subteam" not in live.reply(one, [moment(MomentKind.WORSE)], KNOWN, NOW).blocks


@pytest.mark.parametrize("kind", MomentKind)
def test_every_moment_names_what_it_is_about(kind: MomentKind) -> None:
    assert "user_followed_user" in said(single(), moment(kind)).split("\n")[0]


def test_worse_says_from_what_to_what_and_how_it_is_now() -> None:
    text = said(single(), moment(MomentKind.WORSE, "now critical, was warning"))
    assert "is worse: now critical, was warning. 1,240 events between" in text


def test_a_reminder_says_how_long_and_what_ends_it() -> None:
    text = said(single(), moment(MomentKind.REMINDED))
    assert "is still bad after 1 h 55 min, and nobody acknowledged it." in text
    assert "eventwatch incidents ack 4f2a91c07bd3" in text


def test_members_that_come_and_go_are_named_and_counted() -> None:
    more = [drop(f"event_{i}") for i in range(9)]
    one = shown(one_type(), drop(), *more)
    text = said(one, moment(MomentKind.JOINED, "", "", *(a.id for a in more)))
    assert "9 more belong to it: event_0, event_1, event_2, event_3, event_4, and 4 more" in text
    text = said(one, moment(MomentKind.LEFT, "part of android by now", "", more[0].id))
    assert "1 no longer belong to it: event_0 (part of android by now)" in text


def test_members_that_are_no_longer_known_are_counted() -> None:
    assert "3 alerts" in said(single(), moment(MomentKind.JOINED, "", "", "a", "b", "c"))


def test_the_end_says_how_long_it_lasted_and_what_came_back() -> None:
    text = said(resolved(), moment(MomentKind.RESOLVED, "back to normal"))
    assert text == "✅ user_followed_user is over: back to normal after 1 h 35 min."
    text = said(late(), moment(MomentKind.RESOLVED))
    assert "is over: late, not lost: 3 h 10 min." in text
    assert "All rows came after all, up to 3 h 10 min late" in text


def test_several_moments_are_one_reply_with_one_call() -> None:
    made = live.reply(single(), [moment(k) for k in MomentKind], KNOWN, NOW)
    assert made.blocks.count("subteam") == 1
    assert len(made.plain.split("\n")) >= len(MomentKind)


def test_very_many_moments_are_cut_with_the_command_that_shows_them() -> None:
    many = [moment(MomentKind.NOTE, f"note {i}") for i in range(200)]
    text = said(single(), *many)
    assert len(text.split("\n")) == 20
    assert text.endswith("and 181 lines more: eventwatch incidents show 4f2a91c07bd3")


class TestTheEndOfASilence:
    def test_it_says_whose_it_was_and_what_it_hid(self) -> None:
        hidden = [single(id="a"), resolved(id="b")]
        text = live.silence_over(silence(ends_at=NOW), hidden, KNOWN, NOW).plain
        assert text == (
            "🔔 The silence by ada (planned work) ended Sun 17 May 15:05 UTC. It hid 2 incidents, 1 of "
            "them still open: 🔴 user_followed_user, ✅ user_followed_user."
        )

    def test_one_that_hid_nothing_says_so(self) -> None:
        assert "It hid nothing." in live.silence_over(silence(ends_at=NOW), [], KNOWN, NOW).plain

    def test_it_calls_nobody(self) -> None:
        made = live.silence_over(silence(ends_at=NOW), [single()], KNOWN, NOW)
        assert "subteam" not in made.blocks

    def test_the_rest_is_counted(self) -> None:
        hidden = [single(id=f"{i}") for i in range(12)]
        text = live.silence_over(silence(ends_at=NOW), hidden, KNOWN, NOW).plain
        assert text.endswith("and 7 more.")


class TestDaily:
    def test_the_longest_broken_comes_first_and_what_is_over_last(self) -> None:
        lines = live.daily("Broken now", [resolved(), single(), undeclared()], KNOWN, NOW).plain
        first, second, third = lines.split("\n")[1:4]
        assert "user_folowed_user for 2 d 2 h: 412 rows of an event type" in first
        assert "user_followed_user for 2 h 5 min: android: −96 %" in second
        assert third.startswith("✅ user_followed_user back to normal after 1 h 35 min")

    def test_it_calls_nobody(self) -> None:
        assert "subteam" not in live.daily("Broken now", [single()], KNOWN, NOW).blocks
