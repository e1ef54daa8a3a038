"""Names that look like others, and those that are clearly a slip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.model.names import is_misspelling, kindred, nearest, team_key
from tests.fakes.hostile_names import HOSTILE

KNOWN = (
    "user_followed_user",
    "user_liked_post",
    "user_linked_account",
    "item_added_to_cart",
    "order_cancelled",
    "page_viewed_v1",
    "session_started",
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("user_folowed_user", "user_followed_user"),
        ("usre_followed_user", "user_followed_user"),
        ("user_followed_usr", "user_followed_user"),
        ("user_folllowedd_user", "user_followed_user"),
        ("UserFollowedUser", "user_followed_user"),
        ("USER_FOLLOWED_USER", "user_followed_user"),
        ("user-followed-user", "user_followed_user"),
        ("user.followed.user", "user_followed_user"),
        ("userfollowed_user", "user_followed_user"),
        (" user_followed_user", "user_followed_user"),
        ("user_followed_user\u200b", "user_followed_user"),
        ("ｕser_followed_user", "user_followed_user"),
        ("order_canceled", "order_cancelled"),
        ("sesion_started", "session_started"),
    ],
)
def test_a_slip_is_recognised(name: str, meant: str) -> None:
    assert is_misspelling(name, KNOWN) == meant


@pytest.mark.parametrize(
    "name",
    [
        "user_unfollowed_user",  # another word by a prefix
        "user_linked_post",  # "linked" is a word of the vocabulary
        "page_viewed_v2",  # a version is not a slip
        "user_blocked_user",
        "cancelled_order",
        "order_recancelled",
        "user_followed_user",  # it is known
        "user_followed_user_again",
        "",
        "_",
        "x",
    ],
)
def test_another_word_is_not_called_a_slip(name: str) -> None:
    assert is_misspelling(name, KNOWN) is None


def test_of_two_that_fit_the_closer_one_was_meant() -> None:
    assert is_misspelling("session_startedd", ["session_startedxx", "session_started"]) == (
        "session_started"
    )


def test_near_names_come_likest_first() -> None:
    assert nearest("user_unfollowed_user", KNOWN)[0] == "user_followed_user"
    assert nearest("user_linked_post", KNOWN)[:2] == ("user_liked_post", "user_linked_account")


def test_the_same_words_in_another_order_are_near() -> None:
    assert nearest("cancelled_order", KNOWN) == ("order_cancelled",)


SHOP = (
    *("buyer_placed_order", "buyer_confirmed_delivery", "buyer_viewed_listing", "buyer_added_item"),
    *("buyer_rated_courier", "seller_published_listing", "seller_uploaded_photo", "cart_opened"),
)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("buyer_confirmed_receipt", "buyer_confirmed_delivery"),
        ("buyer_delivery_confirmed", "buyer_confirmed_delivery"),
        ("BuyerConfirmsDelivery", "buyer_confirmed_delivery"),
        ("seller_publshed_listing", "seller_published_listing"),
        ("seller_photo_uploaded", "seller_uploaded_photo"),
        ("cart_was_opened", "cart_opened"),
        ("order_placed", "buyer_placed_order"),
    ],
)
def test_a_new_name_keeps_the_words_that_matter(new: str, old: str) -> None:
    assert kindred(new, SHOP)[0] == old


@pytest.mark.parametrize(
    "new", ["buyer_joined_livestream", "buyer_left", "seller_sent_invoice", "", "💥", "cart"]
)
def test_what_most_names_share_makes_no_kin(new: str) -> None:
    assert "buyer_confirmed_delivery" not in kindred(new, SHOP)
    assert "seller_published_listing" not in kindred(new, SHOP)


def test_how_common_a_word_is_may_be_said_by_other_names() -> None:
    pair = "page_seen", ("page_closed",)
    assert kindred(*pair) == ("page_closed",)
    assert kindred(*pair, among=[f"page_{i}" for i in range(9)]) == ()


def test_what_is_like_nothing_has_no_neighbours() -> None:
    assert nearest("zzz_qqq", KNOWN) == ()
    assert nearest("user_followed_user", []) == ()
    assert nearest("anything", KNOWN, 0) == ()


@given(st.text(), st.lists(st.text()), st.integers(0, 5))
def test_near_names_are_known_others_and_few(name: str, known: list[str], limit: int) -> None:
    found = nearest(name, known, limit)
    assert len(found) <= limit
    assert set(found) <= set(known) - {name}
    assert len(set(found)) == len(found)


@given(st.text(), st.lists(st.text()))
def test_a_slip_is_of_a_known_name_and_never_of_itself(name: str, known: list[str]) -> None:
    meant = is_misspelling(name, known)
    assert meant is None or (meant in known and meant != name)


@given(st.lists(st.sampled_from(KNOWN), min_size=1))
def test_the_order_of_what_is_known_does_not_matter(known: list[str]) -> None:
    turned = list(reversed(known))
    for name in ("user_folowed_user", "user_post", "page_viewed_v3"):
        assert nearest(name, known) == nearest(name, turned)
        assert kindred(name, known) == kindred(name, turned)
        assert is_misspelling(name, known) == is_misspelling(name, turned)


def test_hostile_names_are_only_names() -> None:
    for name in HOSTILE:
        assert set(nearest(name, HOSTILE[:40])) <= set(HOSTILE[:40])
        assert set(kindred(name, HOSTILE[:40])) <= set(HOSTILE[:40]) - {name}
        assert is_misspelling(name, HOSTILE) in (None, *HOSTILE)


@pytest.mark.parametrize(
    "text",
    ["data-platform", "data_platform", "DATA_PLATFORM", " Data Platform ", "data - platform"],
)
def test_a_team_has_one_key_however_it_is_written(text: str) -> None:
    assert team_key(text) == "data-platform"


@given(st.text())
def test_the_key_of_a_key_is_itself(text: str) -> None:
    assert team_key(team_key(text)) == team_key(text)
